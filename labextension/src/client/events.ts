/**
 * Changes that the server announces.
 */
import type { Event } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

const BASE = 'https://events.jupyter.org/workflows';

/** A run, or a stage run in it, has changed its state. */
export interface IRunEvent {
  readonly run: string;
  /** Uid of the workflow. */
  readonly workflow: string;
  readonly stage_run?: string;
  readonly path?: string;
  readonly state: string;
  /** The cell that a running stage run executes, counted from one, and how many there are. */
  readonly cell?: number;
  readonly cells?: number;
}

/** A task has begun to wait, was given to somebody else, was opened, or is done. */
export interface ITaskEvent extends IRunEvent {
  readonly task: string;
}

/** A workflow was deployed, activated, paused or resumed. */
export interface IWorkflowEvent {
  readonly workflow: string;
  readonly state: string;
}

/** How the embedded runner stands. */
export interface IRunnerEvent {
  readonly state: string;
  readonly message?: string;
}

/** Jupyter's event stream, as far as it concerns workflows. */
export class WorkflowsEvents implements IDisposable {
  constructor(private readonly _source: Event.IManager) {
    _source.stream.connect(this._onEvent, this);
  }

  get runs(): ISignal<this, IRunEvent> {
    return this._runs;
  }
  get tasks(): ISignal<this, ITaskEvent> {
    return this._tasks;
  }
  get workflows(): ISignal<this, IWorkflowEvent> {
    return this._workflows;
  }
  get runner(): ISignal<this, IRunnerEvent> {
    return this._runner;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._source.stream.disconnect(this._onEvent, this);
    Signal.clearData(this);
  }

  private _onEvent(_: unknown, event: Event.Emission): void {
    switch (event.schema_id) {
      case `${BASE}/runs/v1`:
        this._runs.emit(event as unknown as IRunEvent);
        break;
      case `${BASE}/tasks/v1`:
        this._tasks.emit(event as unknown as ITaskEvent);
        break;
      case `${BASE}/workflows/v1`:
        this._workflows.emit(event as unknown as IWorkflowEvent);
        break;
      case `${BASE}/runner/v1`:
        this._runner.emit(event as unknown as IRunnerEvent);
        break;
    }
  }

  private _isDisposed = false;
  private _runs = new Signal<this, IRunEvent>(this);
  private _tasks = new Signal<this, ITaskEvent>(this);
  private _workflows = new Signal<this, IWorkflowEvent>(this);
  private _runner = new Signal<this, IRunnerEvent>(this);
}
