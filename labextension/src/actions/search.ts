/**
 * Finding stages, notes and conditions by what they say.
 */
import type { ISnapshot } from '../document/types';
import type { IReference } from '../editor/selection';
import { placeOf, rectOf } from './geometry';

export interface IMatch extends IReference {
  /** The text in which it was found. */
  readonly text: string;
}

/** Return what matches, in reading order. */
export function search(snapshot: ISnapshot, query: RegExp): readonly IMatch[] {
  const test = new RegExp(query.source, query.flags.replace(/[gy]/g, ''));
  const found: (IMatch & { readonly x: number; readonly y: number })[] = [];
  const look = (item: IReference, x: number, y: number, texts: readonly unknown[]): void => {
    const text = texts.find((one): one is string => typeof one === 'string' && test.test(one));
    if (text !== undefined) {
      found.push({ ...item, text, x, y });
    }
  };
  for (const [key, stage] of Object.entries(snapshot.stages)) {
    const { title, path, notebook, assignee, type } = stage;
    look({ kind: 'stages', key }, ...placeOf(stage), [title, path, notebook, assignee, type]);
  }
  for (const [key, transition] of Object.entries(snapshot.transitions)) {
    const source = rectOf(snapshot, { kind: 'stages', key: transition.source });
    const { label, condition, each } = transition;
    look({ kind: 'transitions', key }, (source?.x ?? 0) + 1, source?.y ?? 0, [label, condition, each]);
  }
  for (const [key, note] of Object.entries(snapshot.notes)) {
    look({ kind: 'notes', key }, ...placeOf(note), [note.text]);
  }
  for (const [key, group] of Object.entries(snapshot.groups)) {
    const rect = rectOf(snapshot, { kind: 'groups', key })!;
    look({ kind: 'groups', key }, rect.x, rect.y, [group.title]);
  }
  return found.sort((one, other) => one.y - other.y || one.x - other.x);
}
