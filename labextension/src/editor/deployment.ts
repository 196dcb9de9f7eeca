/**
 * How an open document stands beside what is live.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { IWorkflowEvent, WorkflowsEvents } from '../client/events';
import type { DeploymentStatus, IComparison } from '../client/types';
import type { WorkflowEditor } from './editor';

/** Milliseconds of quiet before the document is compared. */
const QUIET = 700;

/** The live version of a workflow, and what of the document on the screen is not in it. */
export class Deployment implements IDisposable {
  constructor(private readonly _editor: WorkflowEditor) {
    this._debouncer = new Debouncer(() => this._compare(), QUIET);
    _editor.document.changed.connect(this.refresh, this);
    _editor.contents.fileChanged.connect(this._onFileChanged, this);
    _editor.events.workflows.connect(this._onEvent, this);
    void _editor.context.ready.then(() => this.refresh());
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** What the server says; `null` until it has said something. */
  get comparison(): IComparison | null {
    return this._comparison;
  }

  /** How the whole document stands; `null` as long as that is not known. */
  get status(): DeploymentStatus | null {
    return this._comparison?.status ?? null;
  }

  /** The live version. */
  get version(): number | null {
    return this._comparison?.live?.version ?? null;
  }

  /** Whether the live version rests. */
  get paused(): boolean {
    return this._comparison?.workflow?.paused ?? false;
  }

  /** How a stage stands; `null` as long as that is not known. */
  ofStage(key: string): DeploymentStatus | null {
    return this._comparison?.stages[key] ?? null;
  }

  /** When a stage's live job is due next; a draft has no such time, nor has a workflow that rests. */
  nextDue(key: string): string | null {
    return this._comparison?.jobs.find(job => job.stage === key)?.next_due ?? null;
  }

  /** Path of the address of a stage's live hook. */
  hookAddress(key: string): string | null {
    return this._comparison?.workflow?.hooks.find(hook => hook.stage === key)?.address ?? null;
  }

  /** Compare again soon. */
  refresh(): void {
    if (!this.isDisposed) {
      void this._debouncer.invoke().catch(() => undefined);
    }
  }

  get isDisposed(): boolean {
    return this._debouncer.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._editor.document.changed.disconnect(this.refresh, this);
    this._editor.contents.fileChanged.disconnect(this._onFileChanged, this);
    this._editor.events.workflows.disconnect(this._onEvent, this);
    this._abort?.abort();
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private _onEvent(_: WorkflowsEvents, event: IWorkflowEvent): void {
    if (event.workflow === this._editor.document.snapshot.meta.uid) {
      this.refresh();
    }
  }

  /** Compare when something in the project's folder was saved, made, moved or removed. */
  private _onFileChanged(_: unknown, { oldValue, newValue }: Contents.IChangedArgs): void {
    const folder = PathExt.dirname(this._editor.path);
    const inside = [oldValue?.path, newValue?.path].some(
      path => path !== undefined && (folder === '' || path.startsWith(`${folder}/`))
    );
    if (inside) {
      this.refresh();
    }
  }

  private async _compare(): Promise<void> {
    const { client, contents, context, document, path } = this._editor;
    if (document.problem !== null || this._editor.isDisposed || contents.driveName(context.path) !== '') {
      return;
    }
    this._abort?.abort();
    const abort = (this._abort = new AbortController());
    try {
      const answer = await client.post<IComparison>(
        ['projects', 'compare'],
        { path, document: document.getSource() },
        undefined,
        abort.signal
      );
      if (abort.signal.aborted || this.isDisposed) {
        return;
      }
      if (JSON.stringify(answer) !== JSON.stringify(this._comparison)) {
        this._comparison = answer;
        this._editor.deployed = answer.workflow?.last_version ?? null;
        this._changed.emit();
      }
    } catch {
      // What was known stays; the findings say what is wrong with the document.
    }
  }

  private readonly _debouncer: Debouncer;
  private _abort: AbortController | null = null;
  private _comparison: IComparison | null = null;
  private _changed = new Signal<this, void>(this);
}

/** Say in a few words how something stands, as cards and the toolbar do. */
export function statusText(
  deployment: Deployment,
  status: DeploymentStatus | null,
  trans: { __(text: string, ...values: unknown[]): string }
): string {
  switch (status) {
    case 'draft':
      return trans.__('Draft');
    case 'live':
      return trans.__('Live v%1', deployment.version);
    case 'changed':
      return trans.__('Live, changed');
    default:
      return '';
  }
}
