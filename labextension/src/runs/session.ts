/**
 * The runs of an open workflow: which one is shown, and what is done with it. It has no DOM.
 */
import { Notification } from '@jupyterlab/apputils';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { ProblemError } from '../client/problems';
import type { IPinned, IRun, IRunList, IStageRun } from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { RunModel } from './model';

/** How many runs are listed. */
const LISTED = 20;

const sessions = new WeakMap<WorkflowEditor, RunSession>();

/** Return the runs of a workflow; made when they are asked for first. */
export function runsOf(editor: WorkflowEditor): RunSession {
  let found = sessions.get(editor);
  if (found === undefined) {
    found = new RunSession(editor);
    sessions.set(editor, found);
  }
  return found;
}

export class RunSession {
  constructor(readonly editor: WorkflowEditor) {
    editor.events.runs.connect(this._onEvent, this);
    this.ready = editor.context.ready.then(() => this._findLast()).catch(() => undefined);
  }

  /** Resolves when the last test run was looked for. */
  readonly ready: Promise<void>;

  /** Another run is shown, the shown one has changed, or there are other runs. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The run that is shown. */
  get shown(): RunModel | null {
    return this._shown;
  }

  /** The newest runs. */
  get list(): readonly IRun[] {
    return this._list;
  }

  /** A test is being started. */
  get isStarting(): boolean {
    return this._isStarting;
  }
  set isStarting(value: boolean) {
    if (value !== this._isStarting) {
      this._isStarting = value;
      this._changed.emit();
    }
  }

  show(run: string | null): void {
    if (run === (this._shown?.run ?? null)) {
      return;
    }
    this._shown?.dispose();
    this._shown = null;
    if (run !== null) {
      const { client, events, document } = this.editor;
      this._shown = new RunModel({ run, client, events, transitions: () => document.snapshot.transitions });
      this._shown.changed.connect(this._onShown, this);
    }
    this.editor.states = this._shown;
    this._changed.emit();
  }

  /** Ask for the newest runs. */
  async refresh(): Promise<void> {
    const { uid } = this.editor.document.snapshot.meta;
    if (typeof uid !== 'string' || this.editor.isDisposed) {
      return;
    }
    const answer = await this.editor.client.get<IRunList>(['runs'], { workflow: uid, limit: LISTED });
    this._list = answer.runs;
    this._changed.emit();
  }

  /** Return a stage run of a stage in the shown run, or in the newest run that has one. */
  async recorded(stage: string): Promise<IStageRun | null> {
    const here = this._shown?.stageRuns(stage)[0];
    if (here !== undefined) {
      return here;
    }
    await this.refresh();
    for (const run of this._list.slice(0, 8)) {
      const detail = await this.editor.client.get<{ stages: readonly IStageRun[] }>(['runs', run.id]);
      const found = detail.stages.find(one => one.stage === stage);
      if (found !== undefined) {
        return found;
      }
    }
    return null;
  }

  async cancel(run = this._shown?.run): Promise<void> {
    if (run !== undefined) {
      await this._do(() => this.editor.client.post(['runs', run, 'cancel']));
    }
  }

  /** Try failed stage runs again: all, or one. */
  async retry(stageRun?: string): Promise<void> {
    const run = this._shown?.run;
    if (run !== undefined) {
      const body = stageRun === undefined ? {} : { stage_runs: [stageRun] };
      await this._do(() => this.editor.client.post(['runs', run, 'retry'], body));
    }
  }

  /** Start a new run with what this one, or one of its stage runs, began with. */
  async again(stageRun?: string): Promise<void> {
    const run = this._shown?.run;
    if (run !== undefined) {
      const body = stageRun === undefined ? {} : { stage_run: stageRun };
      await this._do(async () => {
        const made = await this.editor.client.post<IRun>(['runs', run, 'rerun'], body);
        this.show(made.id);
      });
    }
  }

  /** Keep the data after a stage run in the document, for tests. */
  async pin(stage: string, stageRun: string): Promise<void> {
    const { client, document, path, trans } = this.editor;
    const run = this._shown?.run;
    if (run === undefined) {
      return;
    }
    await this._do(async () => {
      const kept = await client.post<IPinned>(['runs', run, 'stages', stageRun, 'pin'], { path });
      document.edit(draft =>
        draft.patch('stages', stage, { pinned: kept.pinned as unknown as ReadonlyJSONObject })
      );
      Notification.success(
        kept.files === 0
          ? trans.__('The data is pinned: tests use it instead of executing the stage.')
          : trans._n(
              'The data is pinned: %1 large value lies in the folder .pinned beside the workflow.',
              'The data is pinned: %1 large values lie in the folder .pinned beside the workflow.',
              kept.files
            ),
        { autoClose: 4000 }
      );
    });
  }

  unpin(stage: string): void {
    this.editor.document.edit(draft => draft.patch('stages', stage, { pinned: undefined }));
  }

  dispose(): void {
    this.editor.events.runs.disconnect(this._onEvent, this);
    this._shown?.dispose();
    this._shown = null;
    Signal.clearData(this);
  }

  private async _do(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
      await Promise.all([this._shown?.refresh(), this.refresh()]);
    } catch (error) {
      tell(error);
    }
  }

  /** Show the last test of this editor again, which may be going on: a page is reloaded, a test is not. */
  private async _findLast(): Promise<void> {
    await this.refresh();
    const last = this._list.find(run => run.temporary);
    if (this._shown === null && last !== undefined) {
      this.show(last.id);
    }
  }

  private _onShown(): void {
    if (this._shown?.isGone) {
      this.show(null);
    } else {
      this._changed.emit();
    }
  }

  private _onEvent(_: unknown, event: { workflow: string; stage_run?: string }): void {
    if (event.stage_run === undefined && event.workflow === this.editor.document.snapshot.meta.uid) {
      if (this.editor.isDisposed) {
        this.dispose();
      } else {
        this.refresh().catch(() => undefined);
      }
    }
  }

  private _shown: RunModel | null = null;
  private _list: readonly IRun[] = [];
  private _isStarting = false;
  private _changed = new Signal<this, void>(this);
}

/** Say what went wrong, and what to do about it. */
export function tell(error: unknown): void {
  Notification.error(wordsOf(error), { autoClose: false });
}

export function wordsOf(error: unknown): string {
  if (!(error instanceof ProblemError)) {
    return error instanceof Error ? error.message : String(error);
  }
  const findings = (error.details.findings ?? [])
    .filter(finding => finding.severity === 'error')
    .slice(0, 3)
    .map(finding => `${finding.message} ${finding.mend}`);
  const sentences = [error.message, ...(findings.length > 0 ? findings : [error.mend])];
  return sentences
    .filter(sentence => sentence !== '')
    .map(sentence => (/[.!?…]$/.test(sentence) ? sentence : `${sentence}.`))
    .join(' ');
}
