import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { stageIcons } from '../icons';
import { CommandIDs, IWorkflowsServer } from '../tokens';
import { addDisplayRenderer } from './display';
import type { FormWidget } from './widget';

/** Forms in tabs of their own, and what they show. */
export const formsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:forms',
  description: 'Opens the forms of workflows.',
  autoStart: true,
  requires: [IWorkflowsServer, IRenderMimeRegistry],
  optional: [ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    server: IWorkflowsServer,
    rendermime: IRenderMimeRegistry,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const tracker = new WidgetTracker<FormWidget>({ namespace: 'workflows-forms' });
    addDisplayRenderer(rendermime);

    app.commands.addCommand(CommandIDs.openTask, {
      label: trans.__('Open Form'),
      caption: trans.__('Open a task of a workflow and fill its form in'),
      icon: stageIcons.form,
      describedBy: {
        args: {
          type: 'object',
          properties: { task: { type: 'string', description: trans.__('The id of the task') } },
          required: ['task']
        }
      },
      execute: async args => {
        const task = args.task as string;
        const found = tracker.find(widget => widget.content.model.task === task);
        if (found !== undefined) {
          app.shell.activateById(found.id);
          return found;
        }
        const [{ FormModel }, { FormWidget }] = await Promise.all([import('./model'), import('./widget')]);
        const { client, events } = server;
        const model = new FormModel({ task, client, events, rendermime });
        const opening = model.open();
        const widget = new FormWidget({ model, client, rendermime, trans });
        app.shell.add(widget, 'main');
        app.shell.activateById(widget.id);
        void tracker.add(widget);
        await opening;
        return widget;
      }
    });

    if (restorer !== null) {
      void restorer.restore(tracker, {
        command: CommandIDs.openTask,
        args: widget => ({ task: widget.content.model.task }),
        name: widget => widget.content.model.task
      });
    }
  }
};
