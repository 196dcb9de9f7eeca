/**
 * What runs, what waits, and how the runner stands.
 */
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WorkflowsClient } from '../client/client';
import type { IRunnerEvent, WorkflowsEvents } from '../client/events';
import type { IHealth, RunnerState, RunState } from '../client/types';

/** Milliseconds within which changes are looked at together. */
const TOGETHER = 400;
/** Runs that the panel lists. */
const MOST = 50;

/** A run that has not ended. */
export interface IActiveRun {
  readonly id: string;
  readonly title: string;
  readonly workflow: string;
  readonly mode: 'live' | 'test';
  readonly state: RunState;
  /** Path of its project's folder on the server's disk. */
  readonly project: string;
  readonly created_at: string;
}

export class Activity implements IDisposable {
  constructor(
    private readonly _client: WorkflowsClient,
    private readonly _events: WorkflowsEvents
  ) {
    this._debouncer = new Debouncer(() => this.refresh(), TOGETHER);
    _events.runs.connect(this._onRun, this);
    _events.runner.connect(this._onRunner, this);
    void this.refresh();
    void this._look();
  }

  /** Counts, the list, or the runner's state have changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** How many runs execute something, and how many only wait. */
  get running(): number {
    return this._running;
  }
  get waiting(): number {
    return this._waiting;
  }

  /** The newest of them. */
  get runs(): readonly IActiveRun[] {
    return this._runs;
  }

  /** How the runner stands; `null` as long as that is not known. */
  get runner(): RunnerState | null {
    return this._runner;
  }
  get runnerMessage(): string {
    return this._message;
  }

  /** Whether somebody should look after the runner. */
  get ailing(): boolean {
    return this._runner === 'restarting' || this._runner === 'stopped' || this._runner === 'unsupported';
  }

  async refresh(): Promise<void> {
    try {
      const [counts, list] = await Promise.all([
        this._client.get<Record<'running' | 'waiting', number>>(['runs', 'counts']),
        this._client.get<{ readonly runs: readonly IActiveRun[] }>(['runs'], {
          state: ['running', 'waiting'],
          limit: MOST
        })
      ]);
      if (this.isDisposed) {
        return;
      }
      this._running = counts.running;
      this._waiting = counts.waiting;
      this._runs = list.runs;
      this._changed.emit();
    } catch {
      // The next event asks again.
    }
  }

  async cancel(run: string): Promise<void> {
    await this._client.post(['runs', run, 'cancel']);
    await this.refresh();
  }

  get isDisposed(): boolean {
    return this._debouncer.isDisposed;
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._events.runs.disconnect(this._onRun, this);
    this._events.runner.disconnect(this._onRunner, this);
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  private _onRun(): void {
    if (!this.isDisposed) {
      void this._debouncer.invoke().catch(() => undefined);
    }
  }

  private _onRunner(_: WorkflowsEvents, event: IRunnerEvent): void {
    this._runner = event.state as RunnerState;
    this._message = event.message ?? '';
    this._changed.emit();
  }

  private async _look(): Promise<void> {
    try {
      const { runner } = await this._client.get<IHealth>(['health']);
      // What an event said meanwhile is newer.
      if (this._runner === null && !this.isDisposed) {
        this._runner = runner.state;
        this._message = runner.message ?? '';
        this._changed.emit();
      }
    } catch {
      // Nobody can say how it stands.
    }
  }

  private readonly _debouncer: Debouncer;
  private _running = 0;
  private _waiting = 0;
  private _runs: readonly IActiveRun[] = [];
  private _runner: RunnerState | null = null;
  private _message = '';
  private _changed = new Signal<this, void>(this);
}
