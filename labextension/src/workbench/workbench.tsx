/**
 * Canvas and options side by side. This module, and all that it imports, is loaded with the first workflow.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import { SplitPanel, Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { Canvas } from '../canvas/Canvas';
import type { WorkflowEditor } from '../editor/editor';
import { OptionsPanel } from '../options/OptionsPanel';
import { Palette } from '../palette/Palette';
import { ProblemView } from './ProblemView';

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
    this._palette = new EditorPart('jp-Workflows-paletteArea', () => <Palette editor={editor} />);
    this._canvas = new EditorPart('jp-Workflows-canvasArea', () => <Canvas editor={editor} />);
    this._options = new EditorPart('jp-Workflows-optionsArea', () => (
      <OptionsPanel editor={editor} onClose={() => this._closeOptions()} />
    ));
    this._problem = new EditorPart('jp-Workflows-problemArea', () => <ProblemView editor={editor} />);
    for (const part of [this._palette, this._canvas, this._options, this._problem]) {
      this.addWidget(part);
    }
    SplitPanel.setStretch(this._palette, 0);
    SplitPanel.setStretch(this._canvas, 1);
    SplitPanel.setStretch(this._options, 0);
    this._options.hide();
    editor.optionsRequested.connect(this._openOptions, this);
    editor.document.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._editor.optionsRequested.disconnect(this._openOptions, this);
    this._editor.document.changed.disconnect(this._onChanged, this);
    super.dispose();
  }

  private _openOptions(): void {
    if (this._options.isHidden) {
      this._options.show();
      this.setRelativeSizes([0, 3, 1.2, 0]);
    }
  }

  private _closeOptions(): void {
    this._options.hide();
    this._editor.view?.focus();
  }

  private _onChanged(): void {
    const broken = this._editor.document.problem !== null;
    this._problem.setHidden(!broken);
    this._palette.setHidden(broken);
    this._canvas.setHidden(broken);
    if (broken) {
      this._options.hide();
    }
  }

  private readonly _palette: Widget;
  private readonly _canvas: Widget;
  private readonly _options: Widget;
  private readonly _problem: Widget;
}

export function createWorkbench(editor: WorkflowEditor): Widget {
  return new Workbench(editor);
}
