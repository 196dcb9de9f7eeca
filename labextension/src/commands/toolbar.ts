/**
 * The button that adds a stage of some type.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { MenuSvg, ToolbarButton, addIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import { STAGE_TYPES } from '../document/types';
import type { WorkflowDocument } from '../document/widget';
import { CommandIDs } from '../tokens';

export class AddStageButton extends ToolbarButton {
  constructor(commands: CommandRegistry, widget: WorkflowDocument, trans: TranslationBundle) {
    super({
      icon: addIcon,
      label: trans.__('Add stage'),
      tooltip: trans.__('Add a stage (keys F, H, J and S on the canvas)'),
      enabled: !widget.editor.readOnly,
      onClick: () => this._open()
    });
    this.addClass('jp-Workflows-addStage');
    this._menu = new MenuSvg({ commands });
    for (const type of STAGE_TYPES) {
      this._menu.addItem({ command: CommandIDs.addStage, args: { type, path: widget.context.path } });
    }
    this._menu.addItem({ type: 'separator' });
    this._menu.addItem({ command: CommandIDs.addNote, args: { path: widget.context.path } });
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._menu.dispose();
    super.dispose();
  }

  private _open(): void {
    const { left, bottom } = this.node.getBoundingClientRect();
    this._menu.open(left, bottom);
  }

  private readonly _menu: MenuSvg;
}
