/**
 * From the stage runs of a run to what a canvas shows of its stages and transitions.
 */
import type { IStageRun, StageRunState } from '../client/types';
import type { ISnapshot } from '../document/types';
import type { IStageState, ITransitionState } from '../editor/states';

/** Of several stage runs of a stage the first state in this list counts. */
const WEIGHT: readonly StageRunState[] = [
  'running',
  'failed',
  'waiting',
  'queued',
  'joining',
  'cancelled',
  'completed'
];

const ENDED: ReadonlySet<StageRunState> = new Set(['completed', 'failed', 'cancelled']);

export function hasEnded(state: StageRunState): boolean {
  return ENDED.has(state);
}

/** Return the stage run to look at first. */
export function foremost(stageRuns: readonly IStageRun[]): IStageRun {
  return stageRuns.reduce((best, one) => {
    const difference = WEIGHT.indexOf(one.state) - WEIGHT.indexOf(best.state);
    // Of equal ones the last that ended says most; of running ones the first that began.
    return difference < 0 || (difference === 0 && hasEnded(one.state)) ? one : best;
  });
}

export function stageState(stageRuns: readonly IStageRun[]): IStageState {
  const first = foremost(stageRuns);
  const done = stageRuns.filter(one => hasEnded(one.state)).length;
  const started = stageRuns.flatMap(one => (one.started_at === null ? [] : [one.started_at])).sort();
  const ended = stageRuns.flatMap(one => (one.ended_at === null ? [] : [one.ended_at])).sort();
  return {
    state: first.state,
    total: stageRuns.length,
    done,
    stageRun: first.id,
    ...(first.cell === null || first.cells === null ? {} : { cell: first.cell, cells: first.cells }),
    ...(started.length === 0 ? {} : { startedAt: started[0] }),
    ...(done < stageRuns.length || ended.length === 0 ? {} : { endedAt: ended[ended.length - 1] }),
    ...(first.error === null ? {} : { error: line(first.error.name, first.error.message) })
  };
}

function line(name: string, message: string): string {
  const first = message.split('\n', 1)[0].trim();
  return first === '' ? name : `${name}: ${first}`;
}

export function stageStates(stageRuns: readonly IStageRun[]): ReadonlyMap<string, IStageState> {
  const groups = new Map<string, IStageRun[]>();
  for (const one of stageRuns) {
    const group = groups.get(one.stage);
    if (group === undefined) {
      groups.set(one.stage, [one]);
    } else {
      group.push(one);
    }
  }
  return new Map([...groups].map(([key, group]) => [key, stageState(group)]));
}

/** Count what came along each transition; a stage run that joined came along one for each branch. */
export function transitionStates(
  stageRuns: readonly IStageRun[],
  transitions: ISnapshot['transitions']
): ReadonlyMap<string, ITransitionState> {
  const stages = new Map(stageRuns.map(one => [one.id, one.stage]));
  const between = new Map(
    Object.entries(transitions).map(([key, { source, target }]) => [`${source} ${target}`, key])
  );
  const counts = new Map<string, number>();
  const count = (key: string | null | undefined): void => {
    if (key !== null && key !== undefined) {
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  };
  for (const one of stageRuns) {
    if (one.parents.length < 2) {
      count(one.transition);
    } else {
      one.parents.forEach(parent => count(between.get(`${stages.get(parent)} ${one.stage}`)));
    }
  }
  return new Map([...counts].map(([key, items]) => [key, { items }]));
}

/** Take over the old objects of what has not changed; return the old map if nothing has. */
export function reuse<T>(old: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  let same = old.size === now.size;
  const made = new Map<string, T>();
  for (const [key, value] of now) {
    const before = old.get(key);
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(value)) {
      made.set(key, before);
    } else {
      made.set(key, value);
      same = false;
    }
  }
  return same ? old : made;
}
