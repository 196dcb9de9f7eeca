/**
 * The tasks that wait for people.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';
import { Debouncer } from '@lumino/polling';

import type { WorkflowsClient } from '../client/client';
import type { WorkflowsEvents } from '../client/events';
import type { ITask, ITaskList } from '../client/types';
import { dueOf } from '../forms/times';
import type { Due } from '../forms/times';

/** Tasks that are fetched at a time, and at most. */
const PAGE = 100;
const MOST = 1000;

/** Tasks under a heading, in the order in which they should be done. */
export interface IGroup {
  readonly due: Due;
  readonly tasks: readonly ITask[];
}

export class InboxModel implements IDisposable {
  constructor(
    private readonly _client: WorkflowsClient,
    private readonly _events: WorkflowsEvents
  ) {
    _events.tasks.connect(this._onEvent, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }
  get tasks(): readonly ITask[] {
    return this._tasks;
  }
  /** By what name the person is known to the server. */
  get me(): string | null {
    return this._me;
  }
  get isLoaded(): boolean {
    return this._isLoaded;
  }
  /** Why the tasks could not be fetched. */
  get problem(): string | null {
    return this._problem;
  }
  get filter(): string {
    return this._filter;
  }
  setFilter(text: string): void {
    if (text !== this._filter) {
      this._filter = text;
      this._changed.emit();
    }
  }

  /** The tasks that fit the filter: what is overdue first, then what is due soon. */
  get groups(): readonly IGroup[] {
    const found = filterTasks(this._tasks, this._filter);
    const order: readonly Due[] = ['overdue', 'soon', 'later', 'none'];
    return order
      .map(due => ({ due, tasks: found.filter(task => dueOf(task.deadline) === due).sort(byDeadline) }))
      .filter(group => group.tasks.length > 0);
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
    this._debouncer.dispose();
    Signal.clearData(this);
  }

  async refresh(): Promise<void> {
    const found: ITask[] = [];
    let cursor: string | null = null;
    try {
      do {
        const page: ITaskList = await this._client.get<ITaskList>(['tasks'], {
          type: ['form'],
          inbox: true,
          limit: PAGE,
          cursor
        });
        found.push(...page.tasks);
        cursor = page.cursor;
        this._me = page.me;
      } while (cursor !== null && found.length < MOST);
      this._problem = null;
      this._tasks = found;
      this._isLoaded = true;
    } catch (error) {
      this._problem = error instanceof Error ? error.message : String(error);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  /** Give a task to somebody; the inbox hears of it like everybody else. */
  async assign(task: string, assignee: string): Promise<void> {
    await this._client.post(['tasks', task, 'assign'], { assignee });
    await this.refresh();
  }

  /** Close a task, and give it back to the team that it was taken from. */
  async release(task: string): Promise<void> {
    await this._client.post(['tasks', task, 'release']);
    await this.refresh();
  }

  private _onEvent(): void {
    void this._debouncer.invoke().catch(() => undefined);
  }

  private _tasks: readonly ITask[] = [];
  private _me: string | null = null;
  private _isLoaded = false;
  private _problem: string | null = null;
  private _filter = '';
  private _isDisposed = false;
  private _debouncer = new Debouncer(() => this.refresh(), 100);
  private _changed = new Signal<this, void>(this);
}

/** Return the tasks all of whose words are found in what is shown of them. */
export function filterTasks(tasks: readonly ITask[], filter: string): readonly ITask[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  return tasks.filter(task => {
    const text = [task.title, task.workflow_title, task.assignee, task.started_by].join(' ').toLowerCase();
    return words.every(word => text.includes(word));
  });
}

function byDeadline(one: ITask, other: ITask): number {
  const time = (task: ITask): number => Date.parse(task.deadline ?? task.created_at);
  return time(one) - time(other);
}
