/**
 * What the panel asks the server for.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { KernelSpecAPI, ServerConnection } from '@jupyterlab/services';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { useCallback, useEffect, useState } from 'react';

import { ProblemError } from '../client/problems';
import type { IComparedWorkflow, IHook, ISchedulePreview, ISecret } from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from '../workbench/hooks';
import { namesInNotebook } from './values/names';

/** An answer; before it has come, both are missing. */
export interface IAnswer<T> {
  readonly value?: T;
  readonly error?: Error;
}

const PENDING: IAnswer<never> = {};

/** Return what `load` promises, anew for each other `load`. The last answer stays until the next has come. */
export function useAnswer<T>(load: (() => Promise<T>) | null, wait = 0): IAnswer<T> {
  const [answer, setAnswer] = useState<IAnswer<T>>(PENDING);
  useEffect(() => {
    if (load === null) {
      return undefined;
    }
    let current = true;
    const timer = window.setTimeout(() => {
      load().then(
        value => current && setAnswer({ value }),
        (error: unknown) =>
          current && setAnswer({ error: error instanceof Error ? error : new Error(String(error)) })
      );
    }, wait);
    return () => {
      current = false;
      window.clearTimeout(timer);
    };
  }, [load, wait]);
  return answer;
}

/** What an error says to a person. */
export function wordsOf(error: Error): string {
  return error instanceof ProblemError && error.mend ? `${error.message} ${error.mend}` : error.message;
}

/** What is asked once for each editor. */
class Once<T> {
  constructor(private readonly _load: (editor: WorkflowEditor) => Promise<T>) {}

  get(editor: WorkflowEditor): Promise<T> {
    let promise = this._answers.get(editor);
    if (promise === undefined) {
      promise = this._load(editor);
      promise.catch(() => this._answers.delete(editor));
      this._answers.set(editor, promise);
    }
    return promise;
  }

  private readonly _answers = new WeakMap<WorkflowEditor, Promise<T>>();
}

export interface IKernel {
  readonly name: string;
  readonly title: string;
}

const kernels = new Once<readonly IKernel[]>(async editor => {
  const specs = await KernelSpecAPI.getSpecs(editor.client.serverSettings);
  return Object.values(specs.kernelspecs).flatMap(spec =>
    spec === undefined ? [] : [{ name: spec.name, title: spec.display_name }]
  );
});

const me = new Once<string>(async editor => {
  const { serverSettings } = editor.client;
  const url = URLExt.join(serverSettings.baseUrl, 'api/me');
  const response = await ServerConnection.makeRequest(url, {}, serverSettings);
  const { identity } = (await response.json()) as { identity?: { username?: string } };
  return identity?.username ?? '';
});

export function useKernels(editor: WorkflowEditor): readonly IKernel[] {
  const load = useCallback(() => kernels.get(editor), [editor]);
  return useAnswer(load).value ?? NONE;
}

/** The user name of who sits here. */
export function useMe(editor: WorkflowEditor): string {
  const load = useCallback(() => me.get(editor), [editor]);
  return useAnswer(load).value ?? '';
}

const NONE: readonly never[] = [];
const DEPTH = 4;
const MOST = 500;

/** The paths of the notebooks in the project, relative to the document. */
export async function findNotebooks(editor: WorkflowEditor): Promise<readonly string[]> {
  const found: string[] = [];
  let level = [''];
  for (let depth = 0; depth < DEPTH && level.length > 0 && found.length < MOST; depth++) {
    const below: string[] = [];
    for (const folder of level) {
      const model = await editor.contents.get(editor.notebookPath(folder || '.'), { content: true });
      for (const item of (model.content ?? []) as readonly { name: string; type: string }[]) {
        const path = folder === '' ? item.name : `${folder}/${item.name}`;
        if (item.type === 'notebook') {
          found.push(path);
        } else if (item.type === 'directory' && !/^[._]|^node_modules$/.test(item.name)) {
          below.push(path);
        }
      }
    }
    level = below.slice(0, 50);
  }
  return found.slice(0, MOST);
}

export function useNotebooks(editor: WorkflowEditor): readonly string[] {
  const load = useCallback(() => findNotebooks(editor), [editor]);
  return useAnswer(load).value ?? NONE;
}

/** The names that some notebooks use of the stage data; those that cannot be read have none. */
export function useNotebookNames(editor: WorkflowEditor, notebooks: readonly string[]): readonly string[] {
  const paths = notebooks.join('\n');
  const load = useCallback(async () => {
    const all = await Promise.all(
      paths
        .split('\n')
        .filter(path => path !== '')
        .map(path =>
          editor.contents.get(editor.notebookPath(path), { content: true }).then(
            model => namesInNotebook(model.content as INotebookContent),
            () => []
          )
        )
    );
    return [...new Set(all.flat())];
  }, [editor, paths]);
  return useAnswer(load).value ?? NONE;
}

/** What stages ended with in the run that is shown; nothing if none is, or if that cannot be had. */
export function useRunData(editor: WorkflowEditor, stage: string | null): ReadonlyJSONObject {
  const run = useSignalValue(editor.statesChanged, () => editor.states?.run ?? null);
  const load = useCallback(async (): Promise<ReadonlyJSONObject> => {
    const shown = stage === null ? undefined : editor.states?.stage(stage);
    if (run === null || shown === undefined) {
      return {};
    }
    const detail = await editor.client.get<{ data: ReadonlyJSONObject; result: ReadonlyJSONObject | null }>([
      'runs',
      run,
      'stages',
      shown.stageRun
    ]);
    return detail.result ?? detail.data;
  }, [editor, run, stage]);
  return useAnswer(load).value ?? NOTHING;
}

const NOTHING: ReadonlyJSONObject = {};

/** When a schedule is due. It is asked for when nothing has changed for a moment. */
export function useSchedulePreview(
  editor: WorkflowEditor,
  cron: string | null,
  timezone: string
): IAnswer<ISchedulePreview> {
  const load = useCallback(
    () => editor.client.post<ISchedulePreview>(['schedules', 'preview'], { cron, timezone }),
    [editor, cron, timezone]
  );
  return useAnswer(cron === null ? null : load, 200);
}

export interface IDeployedHook {
  /** Uid of the workflow. */
  readonly workflow: string;
  readonly hook: IHook;
  readonly secrets: readonly ISecret[];
}

/** The hook of a stage in the live deployment; `null` if there is none. `asked` counts how often it is asked for. */
export function useDeployedHook(
  editor: WorkflowEditor,
  stage: string,
  asked: number
): IAnswer<IDeployedHook | null> {
  const load = useCallback(async (): Promise<IDeployedHook | null> => {
    void asked;
    const { client } = editor;
    const compared = await client.post<IComparedWorkflow>(['projects', 'compare'], {
      path: editor.path,
      document: editor.document.getSource()
    });
    const hook = compared.workflow?.hooks.find(one => one.stage === stage);
    if (compared.workflow === null || hook === undefined) {
      return null;
    }
    const { secrets } = await client.get<{ secrets: readonly ISecret[] }>([
      'workflows',
      compared.workflow.uid,
      'secrets'
    ]);
    return {
      workflow: compared.workflow.uid,
      hook,
      secrets: secrets.filter(secret => secret.stage === stage)
    };
  }, [editor, stage, asked]);
  return useAnswer(load);
}

/** What the server says of a condition; `null` if nothing is wrong with it. */
export async function checkCondition(
  editor: WorkflowEditor,
  condition: string,
  signal?: AbortSignal
): Promise<string | null> {
  const stage = { type: 'script', path: 'a', title: 'A', notebook: 'a.ipynb' };
  const document = {
    format: 1,
    uid: 'condition',
    title: '',
    stages: { a: stage, b: { ...stage, path: 'b' } },
    transitions: { t: { source: 'a', target: 'b', condition } }
  };
  const { findings } = await editor.client.check(JSON.stringify(document), null, signal);
  return findings.find(one => one.transition === 't' && one.field === 'condition')?.message ?? null;
}
