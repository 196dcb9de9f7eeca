/**
 * How workflows fit into JupyterLab.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { deploymentPlugin } from './deployment';
import { launcherPlugin } from './launcher';
import { notebooksPlugin } from './notebooks';
import { projectsPlugin } from './projectsPlugin';

export const aroundPlugins: JupyterFrontEndPlugin<unknown>[] = [
  projectsPlugin,
  launcherPlugin,
  deploymentPlugin,
  notebooksPlugin
];
