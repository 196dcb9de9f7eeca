import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { IWorkflowsServer } from '../tokens';
import { WorkflowsClient } from './client';
import { WorkflowsEvents } from './events';

/** The server's side. */
export const serverPlugin: JupyterFrontEndPlugin<IWorkflowsServer> = {
  id: 'jupyter-workflows:server',
  description: 'Provides the routes and events of Jupyter Workflows on the server.',
  autoStart: true,
  provides: IWorkflowsServer,
  activate: (app: JupyterFrontEnd): IWorkflowsServer => ({
    client: new WorkflowsClient(app.serviceManager.serverSettings),
    events: new WorkflowsEvents(app.serviceManager.events)
  })
};
