/**
 * A task that a person has open: how it stands, without any of its looks.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WorkflowsClient } from '../client/client';
import type { ITaskEvent, WorkflowsEvents } from '../client/events';
import { ProblemError } from '../client/problems';
import type { IOpenedTask, IRunDetail, ITask } from '../client/types';
import { FormConnection } from './connection';
import type { IFormDescription } from './connection';

/**
 * How a form stands.
 *
 * `opening`: its notebook is executed up to where it needs input. `open`: it takes input. `computing`: the notebook
 * works. `closed`: nobody gave input for a while, or it was given back; it can be opened again. `ended`: its program
 * ended unexpectedly; it can be opened again. `away`: the server does not answer. `refused`: it cannot be opened.
 * `done`: it is over, for better or worse.
 */
export type FormState = 'opening' | 'open' | 'computing' | 'closed' | 'ended' | 'away' | 'refused' | 'done';

/** What comes after a form. */
export interface INext {
  readonly title: string;
  readonly type: string;
  readonly state: string;
  readonly assignee: string | null;
}

export type Saving = 'none' | 'saving' | 'saved';

const RETRY = 1000;

export class FormModel implements IDisposable {
  constructor(options: FormModel.IOptions) {
    this.task = options.task;
    this._client = options.client;
    this._events = options.events;
    this._rendermime = options.rendermime;
    this._events.tasks.connect(this._onEvent, this);
  }

  readonly task: string;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** There is a page to show, or an open page has other widgets. */
  get described(): ISignal<this, IFormDescription> {
    return this._described;
  }

  get state(): FormState {
    return this._state;
  }
  get details(): ITask | null {
    return this._details;
  }
  get description(): IFormDescription | null {
    return this._description;
  }
  get connection(): FormConnection | null {
    return this._connection;
  }
  /** Why it cannot be opened. */
  get problem(): { readonly message: string; readonly mend: string } | null {
    return this._problem;
  }
  /** What the notebook does between two pages. */
  get progress(): { readonly text: string; readonly fraction: number | null } | null {
    return this._progress;
  }
  get saving(): Saving {
    return this._saving;
  }
  get next(): readonly INext[] {
    return this._next;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._events.tasks.disconnect(this._onEvent, this);
    this._disconnect();
    window.clearTimeout(this._timer);
    Signal.clearData(this);
  }

  /** Open the form, or open it again. */
  async open(): Promise<void> {
    this._set('opening');
    try {
      const opened = await this._client.post<IOpenedTask>(['tasks', this.task, 'open']);
      if (this._isDisposed) {
        return;
      }
      this._details = opened.task;
      this._connect(opened.session);
      this._changed.emit();
    } catch (error) {
      if (!this._isDisposed) {
        await this._onRefusal(error);
      }
    }
  }

  /** Note that the person has changed something. */
  noteInput(): void {
    if (this._state === 'open' && this._saving !== 'saving') {
      this._saving = 'saving';
      this._changed.emit();
    }
  }

  private _connect(session: string): void {
    this._disconnect();
    const connection = new FormConnection({
      session,
      serverSettings: this._client.serverSettings,
      rendermime: this._rendermime.clone()
    });
    connection.described.connect(this._onDescription, this);
    connection.ended.connect(this._onLost, this);
    this._connection = connection;
  }

  private _disconnect(): void {
    this._connection?.dispose();
    this._connection = null;
    this._description = null;
  }

  private _onDescription(_: FormConnection, description: IFormDescription): void {
    switch (description.state) {
      case 'open':
        this._description = description;
        this._progress = null;
        this._set('open');
        this._described.emit(description);
        break;
      case 'saved':
        this._saving = 'saved';
        this._changed.emit();
        break;
      case 'progress':
        this._progress = { text: description.text ?? '', fraction: description.fraction ?? null };
        this._set('computing');
        break;
      case 'submitted':
        this._saving = 'none';
        this._set('computing');
        break;
      case 'closed':
        this._set('closed');
        break;
    }
  }

  /** The socket has closed: the server or the kernel has gone. */
  private _onLost(): void {
    const closed = this._state === 'closed';
    this._disconnect();
    if (!closed) {
      void this.refresh();
    }
  }

  private _onEvent(_: unknown, event: ITaskEvent): void {
    if (event.task === this.task && event.state !== 'running') {
      void this.refresh();
    }
  }

  /** Look how the task stands. */
  async refresh(): Promise<void> {
    window.clearTimeout(this._timer);
    let details: ITask;
    try {
      details = await this._client.get<ITask>(['tasks', this.task]);
    } catch (error) {
      await this._onRefusal(error);
      return;
    }
    if (this._isDisposed || this._state === 'refused') {
      return;
    }
    this._details = details;
    if (details.state === 'waiting' || details.state === 'queued') {
      if (this._state === 'away') {
        await this.open();
      } else if (this._state === 'open' || this._state === 'computing') {
        this._set(this._connection === null ? 'ended' : 'closed');
        this._disconnect();
      } else {
        this._changed.emit();
      }
    } else if (details.state === 'running') {
      if (this._connection === null && this._state !== 'closed') {
        await this.open();
      }
    } else {
      this._disconnect();
      this._set('done');
      await this._lookAhead();
    }
  }

  /** Find out what comes after the form. */
  private async _lookAhead(): Promise<void> {
    const run = this._details?.run;
    if (run === undefined || this._details?.state !== 'completed') {
      return;
    }
    try {
      const found = await this._client.get<IRunDetail>(['runs', run]);
      this._next = found.stages
        .filter(one => one.parents.includes(this.task))
        .map(one => ({ title: one.title, type: one.type, state: one.state, assignee: one.assignee }));
    } catch {
      this._next = [];
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private async _onRefusal(error: unknown): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    if (!(error instanceof ProblemError) || error.status === 502 || error.status === 504) {
      this._disconnect();
      this._set('away');
      this._timer = window.setTimeout(() => void this.refresh(), RETRY);
      return;
    }
    if (error.status === 409 && this._state === 'opening') {
      // Perhaps it is over, or being closed at this moment.
      const details = await this._client.get<ITask>(['tasks', this.task]).catch(() => null);
      if (details !== null && !this._isDisposed) {
        this._details = details;
        if (['completed', 'failed', 'cancelled'].includes(details.state)) {
          this._set('done');
          await this._lookAhead();
          return;
        }
      }
    }
    this._problem = { message: error.message, mend: error.mend };
    this._set('refused');
  }

  private _set(state: FormState): void {
    if (state !== 'refused') {
      this._problem = null;
    }
    if (state !== 'computing') {
      this._progress = null;
    }
    this._state = state;
    this._changed.emit();
  }

  private _client: WorkflowsClient;
  private _events: WorkflowsEvents;
  private _rendermime: IRenderMimeRegistry;
  private _state: FormState = 'opening';
  private _details: ITask | null = null;
  private _description: IFormDescription | null = null;
  private _connection: FormConnection | null = null;
  private _problem: { message: string; mend: string } | null = null;
  private _progress: { text: string; fraction: number | null } | null = null;
  private _saving: Saving = 'none';
  private _next: readonly INext[] = [];
  private _timer = 0;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
  private _described = new Signal<this, IFormDescription>(this);
}

export namespace FormModel {
  export interface IOptions {
    readonly task: string;
    readonly client: WorkflowsClient;
    readonly events: WorkflowsEvents;
    readonly rendermime: IRenderMimeRegistry;
  }
}
