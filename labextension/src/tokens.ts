/**
 * What the plugins of this extension, and other extensions, have from each other.
 */
import type { IWidgetTracker } from '@jupyterlab/apputils';
import { Token } from '@lumino/coreutils';

import type { Projects } from './around/projects';
import type { WorkflowsClient } from './client/client';
import type { WorkflowsEvents } from './client/events';
import type { WorkflowDocument } from './document/widget';

/** The workflows that are open. */
export interface IWorkflowTracker extends IWidgetTracker<WorkflowDocument> {}

export const IWorkflowTracker = new Token<IWorkflowTracker>(
  'jupyter-workflows:IWorkflowTracker',
  'The workflows that are open on a canvas.'
);

/** The server's side: routes and events. */
export interface IWorkflowsServer {
  readonly client: WorkflowsClient;
  readonly events: WorkflowsEvents;
}

export const IWorkflowsServer = new Token<IWorkflowsServer>(
  'jupyter-workflows:IWorkflowsServer',
  'The routes and events of Jupyter Workflows on the server.'
);

/** Which workflow a notebook belongs to. */
export interface IWorkflowProjects extends Pick<
  Projects,
  'of' | 'stagesOf' | 'make' | 'forget' | 'changed'
> {}

export const IWorkflowProjects = new Token<IWorkflowProjects>(
  'jupyter-workflows:IWorkflowProjects',
  'Which workflow a notebook belongs to, also of those that are not open.'
);

/** Category in the command palette. */
export const CATEGORY = 'Workflows';

/** Ids of commands that more than one plugin uses; the others are where they are added. */
export namespace CommandIDs {
  export const create = 'workflows:create';
  export const open = 'workflows:open';

  export const addStage = 'workflows:add-stage';
  export const addTransition = 'workflows:add-transition';
  export const addNote = 'workflows:add-note';
  export const deleteSelection = 'workflows:delete-selection';
  export const copy = 'workflows:copy';
  export const cut = 'workflows:cut';
  export const paste = 'workflows:paste';
  export const duplicate = 'workflows:duplicate';
  export const selectAll = 'workflows:select-all';
  export const moveSelection = 'workflows:move-selection';
  export const align = 'workflows:align';
  export const distribute = 'workflows:distribute';
  export const layout = 'workflows:layout';
  export const group = 'workflows:group';
  export const ungroup = 'workflows:ungroup';
  export const rename = 'workflows:rename';
  export const toggleDisabled = 'workflows:toggle-disabled';
  export const undo = 'workflows:undo';
  export const redo = 'workflows:redo';

  export const zoomIn = 'workflows:zoom-in';
  export const zoomOut = 'workflows:zoom-out';
  export const zoomReset = 'workflows:zoom-reset';
  export const fit = 'workflows:fit';
  export const find = 'workflows:find';

  export const openNotebook = 'workflows:open-notebook';
  export const showOptions = 'workflows:show-options';
  export const testStage = 'workflows:test-stage';
  export const testWorkflow = 'workflows:test-workflow';
  export const runToHere = 'workflows:run-to-here';
  export const cancelRun = 'workflows:cancel-run';
  export const retryRun = 'workflows:retry-run';
  export const clearRun = 'workflows:clear-run';
  export const openExecuted = 'workflows:open-executed-notebook';
  export const deploy = 'workflows:deploy';
  export const showVersions = 'workflows:show-versions';
  export const addNotebook = 'workflows:add-notebook';
  export const showMail = 'workflows:show-mail';
  export const startTour = 'workflows:start-tour';
  export const showShortcuts = 'workflows:show-shortcuts';
  export const openDocumentation = 'workflows:open-documentation';
  export const openTask = 'workflows:open-task';
  export const showInbox = 'workflows:show-inbox';
}
