/**
 * The plugins of Jupyter Workflows in JupyterLab.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { aroundPlugins } from './around/plugins';
import { serverPlugin } from './client/plugin';
import { commandsPlugin, searchPlugin, toolbarPlugin } from './commands/plugin';
import { movesPlugin } from './document/moves';
import { documentPlugin } from './document/plugin';
import { formsPlugin } from './forms/plugin';
import { inboxPlugin } from './inbox/plugin';
import { runsPlugin } from './runs/plugin';

export * from './tokens';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  ...aroundPlugins,
  serverPlugin,
  commandsPlugin,
  toolbarPlugin,
  searchPlugin,
  documentPlugin,
  movesPlugin,
  formsPlugin,
  inboxPlugin,
  runsPlugin
];

export default plugins;
