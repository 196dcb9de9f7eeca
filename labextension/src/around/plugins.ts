/**
 * How workflows fit into JupyterLab.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { helpPlugin } from '../help/plugin';
import { activityPlugin, mailPlugin } from './activityPlugin';
import { deploymentPlugin } from './deployment';
import { launcherPlugin } from './launcher';
import { notebooksPlugin } from './notebooks';
import { projectsPlugin } from './projectsPlugin';

export const aroundPlugins: JupyterFrontEndPlugin<unknown>[] = [
  projectsPlugin,
  launcherPlugin,
  deploymentPlugin,
  notebooksPlugin,
  activityPlugin,
  mailPlugin,
  helpPlugin
];
