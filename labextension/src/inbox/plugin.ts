import { ILabShell, ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { CommandIDs, IWorkflowsServer } from '../tokens';
import { inboxIcon } from './icon';
import { InboxModel } from './model';
import { InboxPanel } from './panel';

/** The inbox in the left sidebar. */
export const inboxPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:inbox',
  description: 'Lists the tasks that wait for a person.',
  autoStart: true,
  requires: [IWorkflowsServer],
  optional: [ILayoutRestorer, ITranslator, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    { client, events }: IWorkflowsServer,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const model = new InboxModel(client, events);
    const panel = new InboxPanel({
      model,
      commands: app.commands,
      trans
    });
    app.shell.add(panel, 'left', { rank: 550, type: 'Workflows' });
    restorer?.add(panel, panel.id);

    app.commands.addCommand(CommandIDs.showInbox, {
      label: trans.__('Show Inbox'),
      caption: trans.__('Show the tasks that wait for you'),
      icon: inboxIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        app.shell.activateById(panel.id);
      }
    });
    void app.restored.then(() => model.refresh());
  }
};
