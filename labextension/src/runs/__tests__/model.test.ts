import { Signal } from '@lumino/signaling';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { IRunEvent, WorkflowsEvents } from '../../client/events';
import { ProblemError } from '../../client/problems';
import type { IRunDetail, IStageRun, StageRunState } from '../../client/types';
import { stageState, transitionStates } from '../aggregate';
import { RunModel } from '../model';

function stageRun(id: string, state: StageRunState, fields: Partial<IStageRun> = {}): IStageRun {
  return {
    id,
    stage: 's1',
    path: 'one',
    title: 'One',
    type: 'script',
    state,
    key: [],
    sequence: 0,
    transition: null,
    parents: [],
    handled: false,
    assignee: null,
    created_at: '2026-01-01T00:00:00Z',
    started_at: null,
    ended_at: null,
    error: null,
    cell: null,
    cells: null,
    attempts: [],
    ...fields
  };
}

function detail(stages: readonly IStageRun[], fields: Partial<IRunDetail> = {}): IRunDetail {
  return {
    id: 'r1',
    workflow: 'w1',
    title: 'W',
    mode: 'test',
    state: 'running',
    deployment: null,
    entry: 's1',
    started_by: null,
    created_at: '2026-01-01T00:00:00Z',
    ended_at: null,
    stage_runs: stages.length,
    until: null,
    temporary: true,
    stages,
    ...fields
  };
}

/** A server that says what the test lets it say. */
class Fake {
  answer: IRunDetail | Error = detail([stageRun('a', 'queued')]);
  asked = 0;
  readonly runs = new Signal<WorkflowsEvents, IRunEvent>({} as WorkflowsEvents);

  get<T>(): Promise<T> {
    this.asked++;
    return this.answer instanceof Error ? Promise.reject(this.answer) : Promise.resolve(this.answer as T);
  }

  model(): RunModel {
    return new RunModel({ run: 'r1', client: this, events: { runs: this.runs }, transitions: () => ({}) });
  }

  emit(fields: Partial<IRunEvent>): void {
    this.runs.emit({ run: 'r1', workflow: 'w1', state: 'running', ...fields });
  }
}

afterEach(() => {
  vi.useRealTimers();
});

describe('the state of a stage', () => {
  it('is that of what is most active, then of what is worst', () => {
    const of = (...states: StageRunState[]) => stageState(states.map((state, i) => stageRun(`${i}`, state)));
    expect(of('completed', 'running', 'failed')).toMatchObject({ state: 'running', total: 3, done: 2 });
    expect(of('completed', 'failed', 'queued')).toMatchObject({ state: 'failed', stageRun: '1' });
    expect(of('completed', 'waiting')).toMatchObject({ state: 'waiting', done: 1 });
    expect(of('completed', 'cancelled').state).toBe('cancelled');
    expect(of('completed', 'completed')).toMatchObject({ state: 'completed', stageRun: '1', done: 2 });
  });

  it('has times, the cell, and the error in a line', () => {
    const error = { name: 'ValueError', message: 'no good\nmore', cell: 3 };
    const ended = { started_at: '2026-01-01T00:00:01Z', ended_at: '2026-01-01T00:00:03Z' };
    expect(stageState([stageRun('a', 'failed', { error, ...ended })])).toMatchObject({
      error: 'ValueError: no good',
      startedAt: ended.started_at,
      endedAt: ended.ended_at
    });
    const running = stageState([
      stageRun('a', 'completed', ended),
      stageRun('b', 'running', { cell: 2, cells: 9 })
    ]);
    expect(running).toMatchObject({ cell: 2, cells: 9 });
    expect(running.endedAt).toBeUndefined();
  });
});

it('counts what came along transitions, also into joins', () => {
  const transitions = {
    t1: { source: 's1', target: 's2' },
    t2: { source: 's2', target: 's3' }
  };
  const counts = transitionStates(
    [
      stageRun('a', 'completed'),
      stageRun('b', 'completed', { stage: 's2', transition: 't1', parents: ['a'] }),
      stageRun('c', 'completed', { stage: 's2', transition: 't1', parents: ['a'] }),
      stageRun('d', 'completed', { stage: 's3', transition: 't2', parents: ['b', 'c'] })
    ],
    transitions
  );
  expect([...counts]).toEqual([
    ['t1', { items: 2 }],
    ['t2', { items: 2 }]
  ]);
});

describe('a run that is followed', () => {
  it('is asked for at first, and again after events, which are taken together', async () => {
    const fake = new Fake();
    const model = fake.model();
    await model.ready;
    expect(model.stage('s1')?.state).toBe('queued');
    fake.answer = detail([stageRun('a', 'completed')], { state: 'completed' });
    vi.useFakeTimers();
    fake.emit({ state: 'running', stage_run: 'a' });
    fake.emit({ state: 'completed', stage_run: 'a' });
    fake.emit({ run: 'other' });
    await vi.advanceTimersByTimeAsync(300);
    expect(fake.asked).toBe(2);
    expect(model.stage('s1')?.state).toBe('completed');
    expect(model.isActive).toBe(false);
    model.dispose();
  });

  it('moves from cell to cell without a question, and keeps the objects of what is as it was', async () => {
    const fake = new Fake();
    const second = stageRun('b', 'queued', { stage: 's2' });
    fake.answer = detail([stageRun('a', 'running'), second]);
    const model = fake.model();
    await model.ready;
    const before = model.stage('s2');
    let changes = 0;
    model.changed.connect(() => void changes++);
    fake.emit({ stage_run: 'a', cell: 2, cells: 5 });
    expect(model.stage('s1')).toMatchObject({ cell: 2, cells: 5 });
    expect(model.stage('s2')).toBe(before);
    fake.emit({ stage_run: 'a', cell: 2, cells: 5 });
    expect(changes).toBe(1);
    expect(fake.asked).toBe(1);
    model.dispose();
  });

  it('is looked at from time to time, for events get lost', async () => {
    vi.useFakeTimers();
    const fake = new Fake();
    const model = fake.model();
    await vi.advanceTimersByTimeAsync(10);
    fake.answer = detail([stageRun('a', 'failed')], { state: 'failed' });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(model.stage('s1')?.state).toBe('failed');
    const { asked } = fake;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fake.asked).toBe(asked);
    model.dispose();
  });

  it('is still followed after the server was away', async () => {
    vi.useFakeTimers();
    const fake = new Fake();
    const model = fake.model();
    await vi.advanceTimersByTimeAsync(10);
    const { answer } = fake;
    fake.answer = new TypeError('no connection');
    await vi.advanceTimersByTimeAsync(20_000);
    expect(model.stage('s1')?.state).toBe('queued');
    fake.answer = { ...(answer as IRunDetail), stages: [stageRun('a', 'running')] };
    await vi.advanceTimersByTimeAsync(60_000);
    expect(model.stage('s1')?.state).toBe('running');
    model.dispose();
  });

  it('shows nothing once it is erased', async () => {
    const fake = new Fake();
    const model = fake.model();
    await model.ready;
    fake.answer = new ProblemError(404, {});
    await model.refresh();
    expect(model.isGone).toBe(true);
    expect(model.stage('s1')).toBeUndefined();
    model.dispose();
    model.dispose();
  });
});
