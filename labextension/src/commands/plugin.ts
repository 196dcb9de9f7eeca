import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import {
  ICommandPalette,
  IToolbarWidgetRegistry,
  createToolbarFactory,
  setToolbar
} from '@jupyterlab/apputils';
import { ISearchProviderRegistry } from '@jupyterlab/documentsearch';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { FACTORY } from '../document/plugin';
import { STAGE_TYPES } from '../document/types';
import type { WorkflowDocument } from '../document/widget';
import { CATEGORY, CommandIDs, IWorkflowTracker } from '../tokens';
import { openContextMenus } from './contextmenu';
import { Current } from './current';
import { addEditingCommands } from './editing';
import { searchProviderFactory } from './search';
import { AddStageButton } from './toolbar';
import { addViewingCommands } from './viewing';

const ID = 'jupyter-workflows:commands';

/** Commands whose buttons in the toolbar depend on the document, or on what is selected. */
const WATCHED = [CommandIDs.undo, CommandIDs.redo, CommandIDs.addTransition, CommandIDs.layout];

/** What edits a graph: commands, keys and menus. */
export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'Adds the commands, keys and menus by which workflows are edited.',
  autoStart: true,
  requires: [IWorkflowTracker],
  optional: [ITranslator, ICommandPalette, IMainMenu],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    menu: IMainMenu | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const current = new Current(tracker);
    addEditingCommands(app.commands, current, trans);
    addViewingCommands(app.commands, current, trans);

    const notify = (): void => WATCHED.forEach(id => app.commands.notifyCommandChanged(id));
    tracker.widgetAdded.connect((_, widget) => {
      widget.editor.selection.changed.connect(notify);
      widget.editor.document.changed.connect(notify);
      // Whether it can be saved is known then.
      void widget.context.ready.then(() => app.commands.notifyCommandChanged());
    });
    tracker.currentChanged.connect(() => app.commands.notifyCommandChanged());

    openContextMenus(app);

    if (palette !== null) {
      for (const type of STAGE_TYPES) {
        palette.addItem({ command: CommandIDs.addStage, args: { type }, category: CATEGORY });
      }
      for (const to of ['left', 'center', 'right', 'top', 'middle', 'bottom']) {
        palette.addItem({ command: CommandIDs.align, args: { to }, category: CATEGORY });
      }
      for (const axis of ['horizontal', 'vertical']) {
        palette.addItem({ command: CommandIDs.distribute, args: { axis }, category: CATEGORY });
      }
      for (const command of [
        CommandIDs.addTransition,
        CommandIDs.addNote,
        CommandIDs.duplicate,
        CommandIDs.deleteSelection,
        CommandIDs.selectAll,
        CommandIDs.group,
        CommandIDs.ungroup,
        CommandIDs.rename,
        CommandIDs.toggleDisabled,
        CommandIDs.layout,
        CommandIDs.fit,
        CommandIDs.zoomIn,
        CommandIDs.zoomOut,
        CommandIDs.zoomReset,
        CommandIDs.showOptions,
        CommandIDs.openNotebook
      ]) {
        palette.addItem({ command, category: CATEGORY });
      }
    }

    if (menu !== null) {
      const isEnabled = (id: string) => (widget: unknown) =>
        tracker.currentWidget === widget && app.commands.isEnabled(id);
      const { undo, redo } = menu.editMenu.undoers;
      undo.add({ id: CommandIDs.undo, isEnabled: isEnabled(CommandIDs.undo) });
      redo.add({ id: CommandIDs.redo, isEnabled: isEnabled(CommandIDs.redo) });
    }
  }
};

/** The toolbar of a workflow's tab; others add to it by their settings, under the name of the factory. */
export const toolbarPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:toolbar',
  description: 'Adds the toolbar of workflows.',
  autoStart: true,
  requires: [IWorkflowTracker, IToolbarWidgetRegistry, ISettingRegistry],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    registry: IToolbarWidgetRegistry,
    settings: ISettingRegistry,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    registry.addFactory<WorkflowDocument>(
      FACTORY,
      'add-stage',
      widget => new AddStageButton(app.commands, widget, trans)
    );
    const factory = createToolbarFactory(
      registry,
      settings,
      FACTORY,
      'jupyter-workflows:toolbar',
      translator ?? nullTranslator
    );
    const add = (widget: WorkflowDocument): void => setToolbar(widget, factory);
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, widget) => add(widget));
  }
};

/** Finding things on a canvas. */
export const searchPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:search',
  description: 'Finds stages, notes and conditions on a canvas.',
  autoStart: true,
  requires: [ISearchProviderRegistry],
  activate: (_: JupyterFrontEnd, registry: ISearchProviderRegistry): void => {
    registry.add('jupyter-workflows:search', searchProviderFactory);
  }
};
