import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { IWorkflowProjects, IWorkflowsServer } from '../tokens';
import { Projects } from './projects';

/** Which workflow a notebook belongs to. */
export const projectsPlugin: JupyterFrontEndPlugin<IWorkflowProjects> = {
  id: 'jupyter-workflows:projects',
  description: 'Knows which workflow a notebook belongs to, also of those that are not open.',
  autoStart: true,
  requires: [IWorkflowsServer],
  provides: IWorkflowProjects,
  activate: (app: JupyterFrontEnd, server: IWorkflowsServer): IWorkflowProjects =>
    new Projects(server.client, app.serviceManager.contents)
};
