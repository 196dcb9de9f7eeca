/**
 * What is done to whatever is selected: removing, moving, duplicating.
 */
import type { ISnapshot, IStage, Kind, Point } from '../document/types';
import { KINDS } from '../document/types';
import type { IDraft } from '../document/ydoc';
import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';
import { fragmentOf, insert } from './fragment';
import { groupRect, keyOf, placeOf, rectOf, snap } from './geometry';
import { transitionsOf } from './transitions';

/** Remove things, and the transitions of the stages among them. Notebooks stay, and a group's stages, too. */
export function removeItems(editor: WorkflowEditor, items: readonly IReference[]): void {
  const { snapshot } = editor.document;
  const there = items.filter(item => Object.hasOwn(snapshot[item.kind], item.key));
  if (editor.readOnly || there.length === 0) {
    return;
  }
  editor.document.edit(draft => {
    const stages = new Set(there.filter(item => item.kind === 'stages').map(item => item.key));
    const transitions = new Set(there.filter(item => item.kind === 'transitions').map(item => item.key));
    transitionsOf(snapshot.transitions, stages).forEach(key => transitions.add(key));
    transitions.forEach(key => draft.remove('transitions', key));
    stages.forEach(key => draft.remove('stages', key));
    const groups = new Set(there.filter(item => item.kind === 'groups').map(item => item.key));
    groups.forEach(key => draft.remove('groups', key));
    leaveGroups(draft, snapshot, stages, groups);
    there.filter(item => item.kind === 'notes').forEach(item => draft.remove('notes', item.key));
  });
}

/** Take stages out of their groups; a group without stages goes, too. */
export function leaveGroups(
  draft: IDraft,
  snapshot: ISnapshot,
  stages: ReadonlySet<string>,
  except: ReadonlySet<string> = new Set()
): void {
  for (const [key, group] of Object.entries(snapshot.groups)) {
    const members = group.stages ?? [];
    const left = members.filter(stage => !stages.has(stage));
    if (except.has(key) || left.length === members.length) {
      continue;
    }
    if (left.length === 0) {
      draft.remove('groups', key);
    } else {
      draft.patch('groups', key, { stages: left });
    }
  }
}

/**
 * Put things at places, by `kind:key` as `keyOf` makes it; one step, whatever moves. A group takes its stages along,
 * apart from those that have a place of their own.
 */
export function moveItems(editor: WorkflowEditor, places: ReadonlyMap<string, Point>): void {
  if (editor.readOnly) {
    return;
  }
  const { snapshot } = editor.document;
  const moves: [Kind, string, Point][] = [];
  for (const [name, point] of places) {
    const [kind, key] = split(name);
    if (kind === 'transitions' || !Object.hasOwn(snapshot[kind], key)) {
      continue;
    }
    if (kind === 'groups') {
      moves.push(...withGroup(snapshot, key, point).filter(move => !places.has(keyOf(move[0], move[1]))));
    } else {
      moves.push([kind, key, snap(point)]);
    }
  }
  const changed = moves.filter(([kind, key, [x, y]]) => {
    const thing = snapshot[kind][key] as { readonly position?: Point };
    const [oldX, oldY] = placeOf(thing);
    return thing.position === undefined || x !== oldX || y !== oldY;
  });
  if (changed.length > 0) {
    editor.document.edit(draft =>
      changed.forEach(([kind, key, position]) => draft.patch(kind, key, { position }))
    );
  }
}

/** Move what is selected by so much, as the arrow keys do. */
export function moveSelection(editor: WorkflowEditor, dx: number, dy: number): void {
  const { snapshot } = editor.document;
  const places = new Map<string, Point>();
  for (const item of editor.selection.items) {
    const rect = rectOf(snapshot, item);
    if (rect !== null) {
      places.set(keyOf(item.kind, item.key), [rect.x + dx, rect.y + dy]);
    }
  }
  moveItems(editor, places);
}

/** Duplicate what is selected, with the transitions between it, and copy the notebooks; selects the copies. */
export async function duplicate(editor: WorkflowEditor): Promise<void> {
  const fragment = fragmentOf(editor, editor.selection.items);
  if (fragment !== null) {
    await insert(editor, fragment);
  }
}

export function selectAll(editor: WorkflowEditor): void {
  const { snapshot } = editor.document;
  editor.selection.set(
    KINDS.flatMap(kind => Object.keys(snapshot[kind]).map(key => ({ kind, key }) satisfies IReference))
  );
}

/** What a screen reader or a menu calls something. */
export function titleOf(snapshot: ISnapshot, { kind, key }: IReference): string {
  switch (kind) {
    case 'stages':
      return (snapshot.stages[key] as IStage | undefined)?.title ?? key;
    case 'transitions': {
      const { source, target, label } = snapshot.transitions[key];
      const ends = [source, target].map(stage => snapshot.stages[stage]?.title ?? stage).join(' → ');
      return label ? `${ends} (${label})` : ends;
    }
    case 'notes':
      return (snapshot.notes[key].text ?? '').split('\n')[0];
    case 'groups':
      return snapshot.groups[key].title ?? '';
  }
}

function split(name: string): [Kind, string] {
  const colon = name.indexOf(':');
  return [name.slice(0, colon) as Kind, name.slice(colon + 1)];
}

function withGroup(snapshot: ISnapshot, key: string, point: Point): [Kind, string, Point][] {
  const group = snapshot.groups[key];
  const rect = groupRect(snapshot, group);
  const [x, y] = snap(point);
  const [dx, dy] = [x - rect.x, y - rect.y];
  const members = (group.stages ?? []).filter(stage => Object.hasOwn(snapshot.stages, stage));
  if (members.length === 0) {
    return [['groups', key, [x, y]]];
  }
  return members.map(stage => {
    const [left, top] = placeOf(snapshot.stages[stage]);
    return ['stages', stage, snap([left + dx, top + dy])];
  });
}
