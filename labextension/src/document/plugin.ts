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

/** Name of JupyterLab's factory that opens files as text. */
const EDITOR = 'Editor';

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
      keepTextOutOfRooms(app, collaboration);
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

/**
 * Have the text of workflow files edited without a room.
 *
 * Two rooms on one file do not know of each other: what one saves is lost when the other saves. Without a room
 * the text editor works on the file, which the workflow's room follows; and it asks before it writes over what
 * was saved there meanwhile.
 */
function keepTextOutOfRooms(app: JupyterFrontEnd, collaboration: ICollaborativeContentProvider): void {
  const factory = collaboration.sharedModelFactory;
  const createNew = factory.createNew.bind(factory);
  const isWorkflow = (path: string) => app.docRegistry.getFileTypesForPath(path)[0]?.name === FILE_TYPE;
  factory.createNew = options =>
    options.contentType !== CONTENT_TYPE && isWorkflow(options.path) ? undefined : createNew(options);
  app.docRegistry.addWidgetExtension(EDITOR, {
    createNew: (_, context) => {
      if (isWorkflow(context.path)) {
        Object.defineProperty(context.model, 'collaborative', { value: false });
      }
    }
  });
}
