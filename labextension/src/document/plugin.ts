import { ICollaborativeContentProvider } from '@jupyter/collaborative-drive';
import { ILayoutRestorer } from '@jupyterlab/application';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { workflowIcon } from '../icons';
import { IWorkflowsServer, IWorkflowTracker } from '../tokens';
import { CONTENT_TYPE, FILE_TYPE, MODEL_FACTORY, WorkflowModelFactory } from './model';
import { WorkflowWidgetFactory } from './widget';
import type { WorkflowDocument } from './widget';
import { YWorkflow } from './ydoc';

/** Name of the widget factory, as the menu "Open With" shows it. */
export const FACTORY = 'Workflow';

/** The file type, its model, and its tab. */
export const documentPlugin: JupyterFrontEndPlugin<IWorkflowTracker> = {
  id: 'jupyter-workflows:document',
  description: 'Opens workflow files on a canvas, and provides those that are open.',
  autoStart: true,
  requires: [IWorkflowsServer],
  optional: [ILayoutRestorer, ITranslator, ICollaborativeContentProvider, IRenderMimeRegistry],
  provides: IWorkflowTracker,
  activate: (
    app: JupyterFrontEnd,
    server: IWorkflowsServer,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null,
    collaboration: ICollaborativeContentProvider | null,
    rendermime: IRenderMimeRegistry | null
  ): IWorkflowTracker => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const tracker = new WidgetTracker<WorkflowDocument>({ namespace: 'workflows' });

    app.docRegistry.addFileType(
      {
        name: FILE_TYPE,
        displayName: trans.__('Workflow'),
        extensions: ['.workflow'],
        mimeTypes: ['application/json'],
        fileFormat: 'text',
        contentType: 'file',
        icon: workflowIcon
      },
      [FACTORY]
    );
    app.docRegistry.addModelFactory(new WorkflowModelFactory());

    if (collaboration !== null) {
      collaboration.sharedModelFactory.registerDocumentFactory(CONTENT_TYPE, () => new YWorkflow());
    }
    const factory = new WorkflowWidgetFactory({
      name: FACTORY,
      label: trans.__('Workflow'),
      fileTypes: [FILE_TYPE],
      defaultFor: [FILE_TYPE],
      modelName: MODEL_FACTORY,
      contents: app.serviceManager.contents,
      commands: app.commands,
      server,
      rendermime,
      translator: translator ?? nullTranslator,
      ...(collaboration === null ? {} : { contentProviderId: 'rtc' })
    });
    factory.widgetCreated.connect((_, widget) => {
      widget.context.pathChanged.connect(() => void tracker.save(widget));
      void tracker.add(widget);
    });
    app.docRegistry.addWidgetFactory(factory);

    if (restorer !== null) {
      void restorer.restore(tracker, {
        command: 'docmanager:open',
        args: widget => ({ path: widget.context.path, factory: FACTORY }),
        name: widget => widget.context.path
      });
    }
    return tracker;
  }
};
