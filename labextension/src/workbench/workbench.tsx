/**
 * Canvas and options side by side. This module, and all that it imports, is loaded with the first workflow.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import { SplitPanel, Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { Canvas } from '../canvas/Canvas';
import type { WorkflowEditor } from '../editor/editor';
import { OptionsModel } from '../options/model';
import { OptionsPanel } from '../options/OptionsPanel';
import { Palette } from '../palette/Palette';
import { runsOf } from '../runs/session';
import { ProblemView } from './ProblemView';
import { recallWidth, rememberWidth } from './width';

class EditorPart extends ReactWidget {
  constructor(
    className: string,
    private readonly _draw: () => ReactElement
  ) {
    super();
    this.addClass(className);
  }

  protected render(): ReactElement {
    return this._draw();
  }
}

/** The widget of a workflow's tab. */
class Workbench extends SplitPanel {
  constructor(private readonly _editor: WorkflowEditor) {
    super({ orientation: 'horizontal', spacing: 1 });
    this.addClass('jp-Workflows-workbench');
    const editor = _editor;
    const model = (this._model = new OptionsModel(editor));
    this._palette = new EditorPart('jp-Workflows-paletteArea', () => (
      <Palette editor={editor} onResize={this._onPaletteResize} />
    ));
    this._canvas = new EditorPart('jp-Workflows-canvasArea', () => <Canvas editor={editor} />);
    this._options = new EditorPart('jp-Workflows-optionsArea', () => (
      <OptionsPanel editor={editor} model={model} onClose={() => this._closeOptions()} />
    ));
    this._problem = new EditorPart('jp-Workflows-problemArea', () => <ProblemView editor={editor} />);
    for (const part of [this._palette, this._canvas, this._options, this._problem]) {
      this.addWidget(part);
    }
    SplitPanel.setStretch(this._palette, 0);
    SplitPanel.setStretch(this._canvas, 1);
    SplitPanel.setStretch(this._options, 0);
    this._options.hide();
    model.changed.connect(this._onOptions, this);
    this.handleMoved.connect(this._onHandleMoved, this);
    editor.document.changed.connect(this._onChanged, this);
    this._onChanged();
    runsOf(editor);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._model.changed.disconnect(this._onOptions, this);
    this.handleMoved.disconnect(this._onHandleMoved, this);
    this._editor.document.changed.disconnect(this._onChanged, this);
    this._model.dispose();
    super.dispose();
  }

  /** Show or hide the options, as wide as they were left. */
  private _onOptions(): void {
    const open = this._model.isOpen && this._editor.document.problem === null;
    if (open !== this._options.isHidden) {
      return;
    }
    if (!open) {
      this._options.hide();
      return;
    }
    const total = this.node.clientWidth;
    const palette = this._palette.isHidden ? 0 : this._palette.node.offsetWidth;
    const options = recallWidth(total);
    this._options.show();
    if (total > 0) {
      this.setRelativeSizes([palette, Math.max(total - palette - options, 0), options, 0]);
    }
  }

  private _closeOptions(): void {
    this._model.close();
    this._editor.view?.focus();
  }

  private _onHandleMoved(): void {
    if (!this._options.isHidden) {
      rememberWidth(this._options.node.offsetWidth);
    }
  }

  private _onPaletteResize = (): void => this.fit();

  private _onChanged(): void {
    const broken = this._editor.document.problem !== null;
    this._problem.setHidden(!broken);
    this._palette.setHidden(broken);
    this._canvas.setHidden(broken);
    if (broken) {
      this._model.close();
    }
  }

  private readonly _model: OptionsModel;
  private readonly _palette: Widget;
  private readonly _canvas: Widget;
  private readonly _options: Widget;
  private readonly _problem: Widget;
}

export function createWorkbench(editor: WorkflowEditor): Widget {
  return new Workbench(editor);
}
