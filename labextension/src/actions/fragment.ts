/**
 * Parts of workflows: what is copied, pasted and duplicated.
 */
import { PathExt } from '@jupyterlab/coreutils';

import { KINDS } from '../document/types';
import type { Collection, ISnapshot, IStage, Kind, Point } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';
import { GRID, bounds, freePlace, groupRect, noteRect, placeOf, rectOf, snap } from './geometry';
import type { IRect } from './geometry';
import { newKey } from './keys';
import { folderOf, readNotebook } from './notebooks';
import { pathsOf, slug, unique } from './slugs';
import { write } from './stages';

/** A part of a workflow, and where it is from. */
export interface IFragment {
  /** Folder of its document in the contents, with the drive; notebooks are relative to it. */
  readonly folder: string;
  /** Uid of its workflow. */
  readonly workflow: string;
  readonly stages: Collection<'stages'>;
  readonly transitions: Collection<'transitions'>;
  readonly notes: Collection<'notes'>;
  readonly groups: Collection<'groups'>;
}

/** Return things with the transitions between them; `null` if that is nothing that could be copied. */
export function fragmentOf(editor: WorkflowEditor, items: readonly IReference[]): IFragment | null {
  const { snapshot } = editor.document;
  const keys = Object.fromEntries(KINDS.map(kind => [kind, new Set<string>()])) as Record<Kind, Set<string>>;
  for (const { kind, key } of items) {
    if (Object.hasOwn(snapshot[kind], key)) {
      keys[kind].add(key);
    }
  }
  for (const key of keys.groups) {
    for (const stage of snapshot.groups[key].stages ?? []) {
      if (Object.hasOwn(snapshot.stages, stage)) {
        keys.stages.add(stage);
      }
    }
  }
  if (keys.stages.size + keys.notes.size + keys.groups.size === 0) {
    return null;
  }
  keys.transitions = new Set(
    Object.entries(snapshot.transitions)
      .filter(([, { source, target }]) => keys.stages.has(source) && keys.stages.has(target))
      .map(([key]) => key)
  );
  const pick = <K extends Kind>(kind: K): Collection<K> =>
    Object.fromEntries([...keys[kind]].map(key => [key, snapshot[kind][key]])) as Collection<K>;
  const { uid } = snapshot.meta;
  return {
    folder: PathExt.dirname(editor.notebookPath('document')),
    workflow: typeof uid === 'string' ? uid : '',
    stages: pick('stages'),
    transitions: pick('transitions'),
    notes: pick('notes'),
    groups: pick('groups')
  };
}

/**
 * Put a part into a workflow, with keys and paths of its own and copies of the notebooks, and select it.
 *
 * Parameters: `center`, where its middle should be; else it lies beside where it is from.
 */
export async function insert(editor: WorkflowEditor, fragment: IFragment, center?: Point): Promise<void> {
  const { document } = editor;
  const { snapshot } = document;
  if (editor.readOnly) {
    return;
  }
  const folder = PathExt.dirname(editor.notebookPath('document'));
  const [dx, dy] = shift(snapshot, fragment, center);
  const moved = (thing: { readonly position?: Point }): Point => {
    const [x, y] = placeOf(thing);
    return snap([x + dx, y + dy]);
  };

  const keys = new Map<string, string>();
  const taken = new Set(Object.keys(snapshot.stages));
  const paths = pathsOf(snapshot.stages);
  const titles = new Set(Object.values(snapshot.stages).map(stage => stage.title));
  const files = new Set<string>();
  const copies: [key: string, from: string][] = [];
  const stages: [string, IStage][] = [];
  for (const [old, stage] of Object.entries(fragment.stages)) {
    const key = newKey(taken);
    taken.add(key);
    keys.set(old, key);
    const title = unique(stage.title, candidate => titles.has(candidate), ' ');
    titles.add(title);
    const path = unique(paths.has(stage.path) ? slug(title) : stage.path, candidate => paths.has(candidate));
    paths.add(path);
    let { notebook } = stage;
    const from = folder === fragment.folder ? notebook : null;
    const inUse = Object.values(snapshot.stages).some(other => other.notebook === notebook);
    // What was cut out here comes back with its own notebook.
    if (from === null || inUse || files.has(notebook)) {
      notebook = folderOf(editor).free(path, files);
      copies.push([key, join(fragment.folder, stage.notebook)]);
    }
    files.add(notebook);
    stages.push([key, { ...stage, title, path, notebook, position: moved(stage) }]);
  }

  const selected: IReference[] = stages.map(([key]) => ({ kind: 'stages', key }));
  document.edit(draft => {
    stages.forEach(([key, stage]) => draft.put('stages', key, stage));
    const others = new Set(Object.keys(snapshot.transitions));
    for (const transition of Object.values(fragment.transitions)) {
      const [source, target] = [keys.get(transition.source), keys.get(transition.target)];
      if (source !== undefined && target !== undefined) {
        const key = newKey(others);
        others.add(key);
        draft.put('transitions', key, { ...transition, source, target });
      }
    }
    for (const note of Object.values(fragment.notes)) {
      const key = newKey(snapshot.notes);
      draft.put('notes', key, { ...note, position: moved(note) });
      selected.push({ kind: 'notes', key });
    }
    for (const group of Object.values(fragment.groups)) {
      const key = newKey(snapshot.groups);
      const members = (group.stages ?? []).flatMap(stage => keys.get(stage) ?? []);
      draft.put('groups', key, {
        ...group,
        stages: members,
        ...(group.position === undefined ? {} : { position: moved(group) })
      });
      selected.push({ kind: 'groups', key });
    }
  });
  editor.selection.set(selected);
  await Promise.all(copies.map(([key, from]) => write(editor, key, () => readNotebook(editor, from))));
}

/** Whether something is a fragment, so far that it can be inserted. */
export function isFragment(value: unknown): value is IFragment {
  const isObject = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one);
  return (
    isObject(value) &&
    typeof value.folder === 'string' &&
    KINDS.every(kind => isObject(value[kind]) && Object.values(value[kind]).every(isObject)) &&
    Object.values(value.stages as Record<string, Record<string, unknown>>).every(stage =>
      ['type', 'path', 'title', 'notebook'].every(field => typeof stage[field] === 'string')
    )
  );
}

/** Return how far a part is moved, so that nothing of it lies on what is there. */
function shift(snapshot: ISnapshot, fragment: IFragment, center: Point | undefined): Point {
  const rects: IRect[] = [
    ...Object.keys(fragment.stages).map(key =>
      rectOf({ ...snapshot, ...fragment }, { kind: 'stages', key })!
    ),
    ...Object.values(fragment.notes).map(noteRect),
    ...Object.values(fragment.groups).map(group => groupRect({ ...snapshot, ...fragment }, group))
  ];
  const frame = bounds(rects);
  if (frame === null) {
    return [0, 0];
  }
  const size: Point = [frame.width, frame.height];
  const wanted: Point =
    center === undefined
      ? [frame.x + 4 * GRID, frame.y + 4 * GRID]
      : [center[0] - frame.width / 2, center[1] - frame.height / 2];
  const [x, y] = freePlace(snapshot, wanted, size);
  return [x - frame.x, y - frame.y];
}

/** Join a folder, which may have a drive, and a path. */
function join(folder: string, path: string): string {
  const colon = folder.indexOf(':');
  const drive = folder.slice(0, colon + 1);
  return drive + PathExt.join(folder.slice(colon + 1), path);
}
