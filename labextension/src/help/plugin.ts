/**
 * Help: a tour, a page of shortcuts, the documentation.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget } from '@jupyterlab/apputils';
import { IMainMenu } from '@jupyterlab/mainmenu';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';

import { workflowIcon } from '../icons';
import { CATEGORY, CommandIDs, IWorkflowsServer, IWorkflowTracker } from '../tokens';

const ID = 'jupyter-workflows:help';

export const helpPlugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'A tour of the canvas, a page of its shortcuts, and the documentation.',
  autoStart: true,
  requires: [IWorkflowTracker, IWorkflowsServer],
  optional: [IRenderMimeRegistry, ISettingRegistry, IMainMenu, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    server: IWorkflowsServer,
    rendermime: IRenderMimeRegistry | null,
    registry: ISettingRegistry | null,
    menu: IMainMenu | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const { commands, shell } = app;
    const noArguments = { args: { type: 'object', properties: {} } };

    const seen = (): void => {
      registry?.set(ID, 'tour', false).catch(() => undefined);
    };

    commands.addCommand(CommandIDs.startTour, {
      label: trans.__('Tour of the Workflow Canvas'),
      caption: trans.__('Five steps through drawing, testing and deploying a workflow'),
      describedBy: noArguments,
      isEnabled: () => tracker.currentWidget !== null,
      execute: async () => {
        const widget = tracker.currentWidget;
        if (widget !== null) {
          await widget.content.ready;
          const { startTour } = await import('./tour');
          startTour(widget, trans, seen);
        }
      }
    });

    commands.addCommand(CommandIDs.showShortcuts, {
      label: trans.__('Shortcuts of Workflows'),
      caption: trans.__('The keys of the canvas, as they are set now'),
      describedBy: noArguments,
      execute: async () => {
        const id = 'jp-workflows-shortcuts';
        let widget: Widget | undefined = [...shell.widgets('main')].find(one => one.id === id);
        if (widget === undefined) {
          const { createShortcutsPage } = await import('./ShortcutsPage');
          widget = new MainAreaWidget({ content: createShortcutsPage(commands, trans) });
          widget.id = id;
          widget.title.label = trans.__('Shortcuts');
          widget.title.icon = workflowIcon;
          widget.title.closable = true;
          shell.add(widget, 'main');
        }
        shell.activateById(id);
      }
    });

    commands.addCommand(CommandIDs.openDocumentation, {
      label: trans.__('Documentation of Workflows'),
      caption: trans.__('How to write stages, deploy and run them'),
      describedBy: noArguments,
      isEnabled: () => rendermime !== null,
      execute: async () => {
        const id = 'jp-workflows-documentation';
        if (rendermime !== null && ![...shell.widgets('main')].some(one => one.id === id)) {
          const { text } = await server.client.get<{ readonly text: string }>(['documentation']);
          const content = rendermime.createRenderer('text/markdown');
          content.addClass('jp-Workflows-page');
          await content.renderModel(rendermime.createModel({ data: { 'text/markdown': text } }));
          const widget = new MainAreaWidget<Widget>({ content });
          widget.id = id;
          widget.title.label = trans.__('Documentation');
          widget.title.icon = workflowIcon;
          widget.title.closable = true;
          shell.add(widget, 'main');
        }
        shell.activateById(id);
      }
    });

    const all = [CommandIDs.startTour, CommandIDs.showShortcuts, CommandIDs.openDocumentation];
    menu?.helpMenu.addGroup(
      all.map(command => ({ command })),
      10
    );
    for (const command of all) {
      palette?.addItem({ command, category: trans.__(CATEGORY) });
    }

    // The first time that somebody sees a canvas.
    const offer = async (): Promise<void> => {
      const settings = await registry?.load(ID);
      if (settings?.get('tour').composite === true && tracker.currentWidget !== null) {
        await commands.execute(CommandIDs.startTour);
      }
    };
    const onOpened = (): void => {
      tracker.widgetAdded.disconnect(onOpened);
      void app.restored.then(offer).catch(() => undefined);
    };
    tracker.widgetAdded.connect(onOpened);
  }
};
