/**
 * Starting a test run: what is not saved is saved, and what is saved is what is run.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';

import { saveAll } from '../around/saving';
import { ProblemError } from '../client/problems';
import type { IHealth, IRun } from '../client/types';
import type { IStage } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { runsOf, tell } from './session';

/** How often a test is started anew because files have changed on disk meanwhile. */
const TRIES = 3;

export interface ITestOptions {
  /** Key of the stage to begin with; by default the workflow's first one. */
  readonly stage?: string;
  /** End after that stage. */
  readonly alone?: boolean;
  /** Key of the stage to end with; unchanged stages before it are not executed again. */
  readonly until?: string;
}

/** What the Test tab keeps in a stage, beside what the schema names. */
interface ITest {
  readonly data?: Readonly<Record<string, unknown>>;
  readonly answers?: unknown;
  readonly request?: Readonly<Record<string, unknown>>;
  readonly recorded?: boolean;
  readonly alone?: boolean;
}

export function testOf(stage: IStage | undefined): ITest {
  return (stage?.test ?? {}) as ITest;
}

/** Start a test run and show it; what keeps it from starting is said. */
export async function startTest(
  shell: JupyterFrontEnd.IShell,
  editor: WorkflowEditor,
  options: ITestOptions
): Promise<void> {
  const session = runsOf(editor);
  if (session.isStarting) {
    return;
  }
  session.isStarting = true;
  try {
    const body = await bodyOf(editor, options);
    if (body === null) {
      return;
    }
    const run = await post(shell, editor, body);
    if (run !== null) {
      session.show(run.id);
      void session.refresh().catch(() => undefined);
      await lookForRunner(editor);
    }
  } catch (error) {
    tell(error);
  } finally {
    session.isStarting = false;
  }
}

async function bodyOf(
  editor: WorkflowEditor,
  options: ITestOptions
): Promise<Record<string, unknown> | null> {
  const { stages } = editor.document.snapshot;
  const stage = options.stage === undefined ? undefined : stages[options.stage];
  const test = testOf(stage);
  const answers = Object.fromEntries(
    Object.values(stages)
      .filter(one => one.type === 'form' && testOf(one).answers !== undefined)
      .map(one => [one.path, testOf(one).answers])
  );
  const body: Record<string, unknown> = { mode: 'test', path: editor.path };
  if (Object.keys(answers).length > 0) {
    body.answers = answers;
  }
  if (stage !== undefined) {
    body.stage = stage.path;
    body.alone = options.alone ?? false;
    if (test.recorded) {
      const source = await runsOf(editor).recorded(options.stage!);
      if (source === null) {
        Notification.warning(
          editor.trans.__(
            'No run is kept in which “%1” was executed: give it data, or run to here.',
            stage.title
          )
        );
        return null;
      }
      body.recorded = source.id;
    } else {
      body.data = test.data ?? {};
    }
    if (stage.type === 'hook' && test.request !== undefined) {
      body.request = test.request;
    }
  }
  if (options.until !== undefined) {
    body.until = stages[options.until].path;
    body.reuse = true;
  }
  return body;
}

async function post(
  shell: JupyterFrontEnd.IShell,
  editor: WorkflowEditor,
  body: Record<string, unknown>
): Promise<IRun | null> {
  const { trans, client } = editor;
  for (let tried = 1; ; tried++) {
    const saved = await saveAll(shell, editor);
    if (saved.length > 0) {
      Notification.info(trans.__('Saved before the test: %1', saved.join(', ')), { autoClose: 3000 });
    }
    try {
      return await client.post<IRun>(['runs'], { ...body, hashes: await hashesOf(shell, editor) });
    } catch (error) {
      if (!(error instanceof ProblemError)) {
        throw error;
      }
      if (error.code === 'files-changed' && tried < TRIES) {
        await editor.context.save();
        continue;
      }
      const { choices } = error.details;
      if (error.code === 'cannot-start' && body.stage === undefined && choices && choices.length > 1) {
        const chosen = await ask(editor, choices);
        if (chosen === null) {
          return null;
        }
        body = { ...body, stage: chosen };
        continue;
      }
      throw error;
    }
  }
}

async function ask(editor: WorkflowEditor, paths: readonly string[]): Promise<string | null> {
  const { trans } = editor;
  const titles = paths.map(
    path => Object.values(editor.document.snapshot.stages).find(stage => stage.path === path)?.title ?? path
  );
  const answer = await InputDialog.getItem({
    title: trans.__('With which stage does the test begin?'),
    items: titles,
    okLabel: trans.__('Test')
  });
  return answer.button.accept && answer.value !== null ? paths[titles.indexOf(answer.value)] : null;
}

/** Return the hashes of the files as they are on the screen, where this page can compute them. */
async function hashesOf(
  shell: JupyterFrontEnd.IShell,
  editor: WorkflowEditor
): Promise<{ document?: string; notebooks: Record<string, string> }> {
  const notebooks: Record<string, string> = {};
  if (!window.isSecureContext || editor.document.isDisposed) {
    return { notebooks };
  }
  const open = new Set<string>();
  for (const widget of shell.widgets('main')) {
    const path = (widget as { context?: { path?: unknown } }).context?.path;
    if (typeof path === 'string') {
      open.add(path);
    }
  }
  for (const { notebook } of Object.values(editor.document.snapshot.stages)) {
    const path = editor.notebookPath(notebook);
    if (open.has(path)) {
      const { hash, hash_algorithm: algorithm } = await editor.contents.get(path, {
        content: false,
        hash: true
      });
      if (hash && algorithm === 'sha256') {
        notebooks[notebook] = hash;
      }
    }
  }
  const text = new TextEncoder().encode(editor.document.getSource());
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  return { document: Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join(''), notebooks };
}

/** Say it if nobody is there who executes the run. */
async function lookForRunner(editor: WorkflowEditor): Promise<void> {
  const { trans } = editor;
  const { runner } = await editor.client.get<IHealth>(['health']);
  if (runner.state === 'running' || runner.state === 'starting') {
    return;
  }
  Notification.warning(
    runner.state === 'disabled' || runner.state === 'unsupported'
      ? trans.__('This server has no runner: the test waits until `jupyter workflows runner` is started.')
      : trans.__('The runner is not at work (%1): the test waits for it.', runner.message ?? runner.state),
    { autoClose: 8000 }
  );
}
