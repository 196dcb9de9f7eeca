/**
 * A run that is followed while it lasts. It has no DOM.
 */
import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { IRunEvent, WorkflowsEvents } from '../client/events';
import { ProblemError } from '../client/problems';
import type { IRunDetail, IStageRun } from '../client/types';
import type { ISnapshot } from '../document/types';
import type { IRunStates, IStageState, ITransitionState } from '../editor/states';
import { reuse, stageStates, transitionStates } from './aggregate';

/** Milliseconds within which changes are fetched together, and between two looks without any event. */
const TOGETHER = 120;
const LOOK = 4000;

/** What the model asks of the client. */
export interface IRunSource {
  get<T>(parts: readonly string[]): Promise<T>;
}

export namespace RunModel {
  export interface IOptions {
    readonly run: string;
    readonly client: IRunSource;
    readonly events: Pick<WorkflowsEvents, 'runs'>;
    /** The document's transitions, to count what came along them. */
    readonly transitions: () => ISnapshot['transitions'];
  }
}

/**
 * Follows a run by events; each is a reason to ask for the run, and so is a look from time to time, for events
 * get lost with a connection.
 */
export class RunModel implements IRunStates, IDisposable {
  constructor(options: RunModel.IOptions) {
    this.run = options.run;
    this._client = options.client;
    this._events = options.events;
    this._transitionsOf = options.transitions;
    this._events.runs.connect(this._onEvent, this);
    this._poll = new Poll({
      auto: false,
      factory: () => this.refresh(),
      frequency: { interval: LOOK, backoff: true, max: 30_000 },
      name: `jupyter-workflows:run-${options.run}`,
      standby: 'when-hidden'
    });
    this.ready = this.refresh().catch(() => undefined);
    void this.ready.then(() => {
      if (!this.isDisposed && this.isActive) {
        this._lookLater();
      }
    });
  }

  readonly run: string;
  /** Resolves when the server was asked for the first time. */
  readonly ready: Promise<void>;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The run as it was last heard of; `null` until then. */
  get detail(): IRunDetail | null {
    return this._detail;
  }

  /** It is not there any more. */
  get isGone(): boolean {
    return this._isGone;
  }

  /** Whether something may still happen. */
  get isActive(): boolean {
    const state = this._detail?.state;
    return !this._isGone && (state === undefined || state === 'running' || state === 'waiting');
  }

  stage(key: string): IStageState | undefined {
    return this._stages.get(key);
  }

  transition(key: string): ITransitionState | undefined {
    return this._transitions.get(key);
  }

  /** The stage runs of a stage, in branch order. */
  stageRuns(key: string): readonly IStageRun[] {
    return this._detail?.stages.filter(one => one.stage === key) ?? [];
  }

  /** Ask the server. */
  async refresh(): Promise<void> {
    if (this.isDisposed) {
      return;
    }
    const number = ++this._asked;
    let detail: IRunDetail;
    try {
      detail = await this._client.get<IRunDetail>(['runs', this.run]);
    } catch (error) {
      if (error instanceof ProblemError && error.status === 404) {
        this._leave();
        return;
      }
      throw error;
    }
    // Of two answers that cross each other the one to the later question counts.
    if (number > this._answered && !this.isDisposed) {
      this._answered = number;
      this._take(detail);
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearTimeout(this._timer);
    this._events.runs.disconnect(this._onEvent, this);
    this._poll.dispose();
    Signal.clearData(this);
  }

  private _onEvent(_: unknown, event: IRunEvent): void {
    if (event.run !== this.run) {
      return;
    }
    if (event.state === 'removed') {
      this._leave();
    } else if (event.cell !== undefined && event.stage_run !== undefined) {
      this._move(event.stage_run, event.cell, event.cells ?? event.cell);
    } else if (this._timer === undefined) {
      this._timer = window.setTimeout(() => {
        this._timer = undefined;
        this.refresh().catch(() => undefined);
      }, TOGETHER);
    }
  }

  /** Note which cell is being executed; that needs no question. */
  private _move(id: string, cell: number, cells: number): void {
    if (this._detail !== null) {
      const stages = this._detail.stages.map(one =>
        one.id === id && one.state === 'running' ? { ...one, cell, cells } : one
      );
      this._take({ ...this._detail, stages });
    }
  }

  private _take(detail: IRunDetail): void {
    const before = this._detail;
    this._detail = detail;
    this._stages = reuse(this._stages, stageStates(detail.stages));
    this._transitions = reuse(this._transitions, transitionStates(detail.stages, this._transitionsOf()));
    if (!this.isActive) {
      void this._poll.stop();
    } else if (before !== null && this._poll.state.phase === 'stopped') {
      this._lookLater();
    }
    if (before === null || JSON.stringify(before) !== JSON.stringify(detail)) {
      this._changed.emit();
    }
  }

  private _lookLater(): void {
    void this._poll.schedule({ phase: 'started', interval: LOOK });
  }

  private _leave(): void {
    if (!this._isGone && !this.isDisposed) {
      this._isGone = true;
      this._stages = new Map();
      this._transitions = new Map();
      void this._poll.stop();
      this._changed.emit();
    }
  }

  private readonly _client: IRunSource;
  private readonly _events: Pick<WorkflowsEvents, 'runs'>;
  private readonly _transitionsOf: () => ISnapshot['transitions'];
  private readonly _poll: Poll;
  private _detail: IRunDetail | null = null;
  private _stages: ReadonlyMap<string, IStageState> = new Map();
  private _transitions: ReadonlyMap<string, ITransitionState> = new Map();
  private _asked = 0;
  private _answered = 0;
  private _timer: number | undefined = undefined;
  private _isGone = false;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
