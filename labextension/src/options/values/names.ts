/**
 * The names of stage data that are known without running anything.
 */
import type { ISnapshot, IStage } from '../../document/types';

/** A name, and a value that it had, if one is known. */
export interface IKnownName {
  readonly name: string;
  readonly example?: unknown;
}

const NAME = /^[\p{L}_][\p{L}\p{N}_]*$/u;
/** How notebooks put something into the stage data. */
const WRITTEN = /\bstage\s*\[\s*(?:"([^"\\\n]+)"|'([^'\\\n]+)')\s*\]/g;

/** The stages from which a stage can be reached, itself included. */
export function upstream(snapshot: ISnapshot, stage: string): ReadonlySet<string> {
  const found = new Set([stage]);
  const pending = [stage];
  while (pending.length > 0) {
    const target = pending.pop()!;
    for (const transition of Object.values(snapshot.transitions)) {
      if (transition.target === target && !found.has(transition.source)) {
        found.add(transition.source);
        pending.push(transition.source);
      }
    }
  }
  return found;
}

/** What the document says of the data with which a stage ends: examples for tests, pins, joins, fan-outs. */
export function namesInDocument(snapshot: ISnapshot, stage: string): readonly IKnownName[] {
  const names = new Map<string, IKnownName>();
  const add = (name: string, example?: unknown): void => {
    if (NAME.test(name) && (!names.has(name) || names.get(name)!.example === undefined)) {
      names.set(name, { name, example });
    }
  };
  const stages = upstream(snapshot, stage);
  for (const key of stages) {
    const one: IStage | undefined = snapshot.stages[key];
    for (const data of [one?.pinned, object(one?.test).data]) {
      Object.entries(object(data)).forEach(([name, example]) => add(name, example));
    }
    Object.keys(object(one?.collect)).forEach(name => add(name));
  }
  for (const { source, each, as } of Object.values(snapshot.transitions)) {
    if (each !== undefined && stages.has(source)) {
      add(each);
      add(as ?? 'item');
    }
  }
  return sorted(names.values());
}

/** The names that the cells of a notebook put into the stage data, or read from it. */
export function namesInNotebook(notebook: unknown): readonly string[] {
  const cells = object(notebook).cells;
  const found = new Set<string>();
  for (const cell of Array.isArray(cells) ? cells : []) {
    const { cell_type: type, source } = object(cell);
    if (type === 'code') {
      const code = Array.isArray(source) ? source.join('') : typeof source === 'string' ? source : '';
      for (const match of code.matchAll(WRITTEN)) {
        const name = match[1] ?? match[2];
        if (NAME.test(name)) {
          found.add(name);
        }
      }
    }
  }
  return [...found];
}

/** Join lists of names; the first example of each counts. */
export function joined(...lists: readonly (readonly IKnownName[])[]): readonly IKnownName[] {
  const names = new Map<string, IKnownName>();
  for (const known of lists.flat()) {
    if (names.get(known.name)?.example === undefined) {
      names.set(known.name, known);
    }
  }
  return sorted(names.values());
}

function sorted(names: Iterable<IKnownName>): readonly IKnownName[] {
  return [...names].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
