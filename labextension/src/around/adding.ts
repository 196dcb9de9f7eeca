/**
 * Making a notebook a stage, whether its workflow is open or not. Loaded when somebody does it for the first time.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONValue } from '@lumino/coreutils';

import { addStage } from '../actions/stages';
import { settingsOf, templates } from '../actions/templates';
import type { StageType } from '../document/types';
import type { WorkflowDocument } from '../document/widget';
import type { WorkflowEditor } from '../editor/editor';
import { CommandIDs } from '../tokens';
import type { IWorkflowProjects, IWorkflowTracker } from '../tokens';
import { openWorkflow, titleOf } from './opening';

export interface IAdding {
  readonly app: JupyterFrontEnd;
  readonly projects: IWorkflowProjects;
  readonly tracker: IWorkflowTracker;
  readonly trans: TranslationBundle;
}

/** Make a notebook an unconnected stage of its project's workflow, and show its options. */
export async function addNotebook(context: IAdding, notebook: string, type: StageType): Promise<void> {
  const { app, projects, trans } = context;
  const { contents } = app.serviceManager;
  const workflow = await chooseWorkflow(context, notebook);
  if (workflow === null) {
    return;
  }
  let path = contents.localPath(notebook);
  const folder = PathExt.dirname(workflow);
  if (folder !== '' && !path.startsWith(`${folder}/`)) {
    const moved = await bring(contents, path, folder, trans);
    if (moved === null) {
      return;
    }
    path = moved;
  }
  const widget = await openWorkflow(app.commands, workflow);
  const { editor } = widget;
  const relative = PathExt.relative(folder, path);
  const there = Object.entries(editor.document.snapshot.stages).find(
    ([, stage]) => stage.notebook === relative && stage.type === type
  );
  const key = there?.[0] ?? (await makeStage(editor, relative, type));
  await widget.context.save();
  projects.forget();
  const item = { kind: 'stages', key } as const;
  editor.view?.reveal(item);
  editor.showOptions(item, 'settings');
  announce(widget, key, there !== undefined, trans);
}

async function makeStage(editor: WorkflowEditor, notebook: string, type: StageType): Promise<string> {
  const key = await addStage(editor, { type, notebook });
  // What a stage of the type needs to start; not what its template's notebook is tested with.
  const settings: Record<string, ReadonlyJSONValue | undefined> = {
    ...settingsOf((await templates(editor.client)).get(type))
  };
  delete settings.test;
  if (Object.keys(settings).length > 0) {
    editor.document.amend(draft => draft.patch('stages', key, settings));
  }
  return key;
}

function announce(widget: WorkflowDocument, key: string, known: boolean, trans: TranslationBundle): void {
  const { context, editor } = widget;
  const title = editor.document.snapshot.stages[key]?.title ?? '';
  const workflow = titleOf(editor);
  const message = known
    ? trans.__('“%1” is a stage of “%2” already.', title, workflow)
    : trans.__('“%1” is a stage of “%2” now. It starts by itself once it is deployed.', title, workflow);
  Notification.success(message, {
    autoClose: 15000,
    actions: [
      {
        label: trans.__('Deploy now'),
        displayType: 'accent',
        callback: () => void editor.commands.execute(CommandIDs.deploy, { path: context.path })
      }
    ]
  });
}

/** Return the path of the workflow that a notebook is added to; one is made if there is none. */
async function chooseWorkflow(context: IAdding, notebook: string): Promise<string | null> {
  const { app, projects, tracker, trans } = context;
  const { contents } = app.serviceManager;
  const found = await projects.of(notebook);
  const nearest = found.filter(one => PathExt.dirname(one.path) === PathExt.dirname(found[0].path));
  if (nearest.length === 1) {
    return nearest[0].path;
  }
  if (nearest.length > 1) {
    return choose(
      nearest.map(one => ({ label: `${one.title} (${PathExt.basename(one.path)})`, path: one.path })),
      trans
    );
  }
  const open: { label: string; path: string }[] = [];
  tracker.forEach(({ editor }) => {
    if (!editor.readOnly) {
      open.push({
        label: `${titleOf(editor)} (${editor.path})`,
        path: editor.path
      });
    }
  });
  const fresh = trans.__('A new workflow beside the notebook');
  const chosen = open.length === 0 ? '' : await choose([{ label: fresh, path: '' }, ...open], trans);
  if (chosen !== '') {
    return chosen;
  }
  const folder = PathExt.dirname(contents.localPath(notebook));
  const name = folder === '' ? PathExt.basename(notebook, '.ipynb') : PathExt.basename(folder);
  const words = name.replace(/[-_\s]+/g, ' ').trim();
  const title = words === '' ? trans.__('Workflow') : words.charAt(0).toUpperCase() + words.slice(1);
  return (await projects.make({ title, folder, own_folder: false })).path;
}

async function choose(
  items: readonly { readonly label: string; readonly path: string }[],
  trans: TranslationBundle
): Promise<string | null> {
  const answer = await InputDialog.getItem({
    title: trans.__('Add to which workflow?'),
    items: items.map(item => item.label),
    okLabel: trans.__('Choose')
  });
  return answer.button.accept ? (items.find(item => item.label === answer.value)?.path ?? null) : null;
}

/** Copy or move a notebook into a project, as the person says; returns its path there. */
async function bring(
  contents: Contents.IManager,
  path: string,
  folder: string,
  trans: TranslationBundle
): Promise<string | null> {
  const answer = await showDialog({
    title: trans.__('The notebook lies outside the project'),
    body: trans.__(
      'A workflow finds its notebooks in its own folder, %1. Copy it there, or move it?',
      folder
    ),
    buttons: [
      Dialog.cancelButton(),
      Dialog.createButton({ label: trans.__('Move'), actions: ['move'] }),
      Dialog.okButton({ label: trans.__('Copy'), actions: ['copy'] })
    ]
  });
  const { actions } = answer.button;
  if (actions.includes('copy')) {
    return (await contents.copy(path, folder)).path;
  }
  if (actions.includes('move')) {
    const target = PathExt.join(folder, PathExt.basename(path));
    return (await contents.rename(path, target)).path;
  }
  return null;
}
