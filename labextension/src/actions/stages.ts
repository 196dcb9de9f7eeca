/**
 * Stages: adding, naming and changing them.
 */
import { Notification } from '@jupyterlab/apputils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyJSONValue } from '@lumino/coreutils';

import { STAGE_TYPES } from '../document/types';
import type { IStage, ITransition, Point, StageType } from '../document/types';
import type { IDraft } from '../document/ydoc';
import type { WorkflowEditor } from '../editor/editor';
import { CARD, GAP, freePlace, placeOf, snap } from './geometry';
import { newKey } from './keys';
import { folderOf, nameOf, readNotebook, writeNotebook } from './notebooks';
import { pathsOf, slug, unique } from './slugs';
import { notebookOf, settingsOf, templates } from './templates';
import { differs, newTransition } from './transitions';
import type { Outcome } from './transitions';

export interface INewStage {
  readonly type: StageType;
  /** Where its top left corner should be; it is moved aside if something is there. */
  readonly position?: Point;
  readonly title?: string;
  /** A notebook that exists, relative to the document; nothing is written then. */
  readonly notebook?: string;
  /** A stage that leads to it. */
  readonly after?: { readonly source: string; readonly on?: Outcome };
  /** Key of a transition into which it is put. */
  readonly before?: string;
  /** Key of a stage whose settings and notebook it takes over. */
  readonly copyOf?: string;
  /** Called as soon as it is in the document, before its notebook is written. */
  readonly added?: (key: string) => void;
}

/** Return what a type is called. */
export function typeName(type: StageType, trans: TranslationBundle): string {
  return { form: trans.__('Form'), hook: trans.__('Hook'), job: trans.__('Job'), script: trans.__('Script') }[
    type
  ];
}

/** Return, in a line, what starts a stage of a type. */
export function typeCaption(type: StageType, trans: TranslationBundle): string {
  return {
    form: trans.__('Asks a person, and waits'),
    hook: trans.__('Started by a request'),
    job: trans.__('Started by a schedule'),
    script: trans.__('Runs when its turn comes')
  }[type];
}

/** Whether transitions can lead into stages of a type. */
export function takesTransitions(type: StageType): boolean {
  return type !== 'job';
}

/** The types that a stage in the middle can have. */
export const INNER_TYPES: readonly StageType[] = STAGE_TYPES.filter(takesTransitions);

/**
 * Add a stage, and select it; returns its key.
 *
 * The document is changed at once, the notebook is written then. If it cannot be, a notification says so, and the
 * stage stays without.
 */
export async function addStage(editor: WorkflowEditor, options: INewStage): Promise<string> {
  const { document, selection, trans } = editor;
  if (editor.readOnly) {
    throw new Error(trans.__('This workflow cannot be changed.'));
  }
  const template = await templates(editor.client).then(
    all => all.get(options.type),
    () => undefined
  );
  const { snapshot } = document;
  const original = options.copyOf === undefined ? undefined : snapshot.stages[options.copyOf];
  const titles = new Set(Object.values(snapshot.stages).map(stage => stage.title));
  const title =
    options.title?.trim() ||
    (options.notebook !== undefined && titleOf(nameOf(options.notebook))) ||
    unique(original?.title ?? typeName(options.type, trans), name => titles.has(name), ' ');
  const paths = pathsOf(snapshot.stages);
  const path = unique(slug(title), candidate => paths.has(candidate));
  const key = newKey(snapshot.stages);
  const stage: IStage = {
    ...(original ?? (options.notebook === undefined ? settingsOf(template) : {})),
    type: options.type,
    path,
    title,
    notebook: options.notebook ?? folderOf(editor).free(path),
    position: placeFor(editor, options)
  };
  document.edit(draft => {
    draft.put('stages', key, stage);
    join(draft, editor, key, stage, options);
  });
  selection.set([{ kind: 'stages', key }]);
  options.added?.(key);

  if (options.notebook === undefined) {
    const content = async (): Promise<INotebookContent> => {
      if (original !== undefined) {
        return readNotebook(editor, editor.notebookPath(original.notebook));
      }
      return notebookOf(template ?? (await templates(editor.client)).get(options.type)!, title);
    };
    await write(editor, key, content);
  }
  return key;
}

/** Notebooks that are being written, by stage. */
const writing = new WeakMap<WorkflowEditor, Map<string, Promise<boolean>>>();

/** Resolves when the notebook of a stage is not being written. */
export async function written(editor: WorkflowEditor, key: string): Promise<void> {
  await writing.get(editor)?.get(key);
}

/** Write the notebook of a new stage; tell people if that fails. */
export function write(
  editor: WorkflowEditor,
  key: string,
  content: () => Promise<INotebookContent>
): Promise<boolean> {
  const all = writing.get(editor) ?? new Map<string, Promise<boolean>>();
  writing.set(editor, all);
  const promise = tryToWrite(editor, key, content).finally(() => all.delete(key));
  all.set(key, promise);
  return promise;
}

async function tryToWrite(
  editor: WorkflowEditor,
  key: string,
  content: () => Promise<INotebookContent>
): Promise<boolean> {
  const { trans } = editor;
  const stage = editor.document.snapshot.stages[key] as IStage | undefined;
  try {
    await writeNotebook(editor, key, await content());
    return true;
  } catch (error) {
    Notification.error(
      trans.__(
        'The notebook of “%1” could not be written: %2',
        stage?.title ?? '',
        error instanceof Error ? error.message : String(error)
      ),
      { autoClose: false }
    );
    editor.findings.refresh();
    return false;
  }
}

/** Make the notebook of a stage that has none, from the template of its type; returns whether that was done. */
export function makeNotebook(editor: WorkflowEditor, key: string): Promise<boolean> {
  const stage = editor.document.snapshot.stages[key] as IStage | undefined;
  return write(editor, key, async () => {
    const template = (await templates(editor.client)).get(stage!.type);
    return notebookOf(template!, stage!.title);
  });
}

/** Give a stage another title. Its path follows, until the workflow is deployed. */
export function renameStage(editor: WorkflowEditor, key: string, title: string): void {
  const { document } = editor;
  const stage = document.snapshot.stages[key] as IStage | undefined;
  const wanted = title.trim();
  if (editor.readOnly || stage === undefined || wanted === '' || wanted === stage.title) {
    return;
  }
  const patch: { title: string; path?: string } = { title: wanted };
  if (editor.deployed === null && follows(stage)) {
    const paths = pathsOf(document.snapshot.stages, key);
    patch.path = unique(slug(wanted), candidate => paths.has(candidate));
  }
  document.edit(draft => draft.patch('stages', key, patch));
}

/** Change fields of a stage; those that are `undefined` are removed. */
export function setStage(
  editor: WorkflowEditor,
  key: string,
  patch: Readonly<Record<string, ReadonlyJSONValue | undefined>>
): void {
  const stage = editor.document.snapshot.stages[key] as IStage | undefined;
  if (!editor.readOnly && stage !== undefined && differs(stage, patch)) {
    editor.document.edit(draft => draft.patch('stages', key, patch));
  }
}

/** Enable or disable stages: all of them, as the first one is not. */
export function toggleDisabled(editor: WorkflowEditor, keys: readonly string[]): void {
  const { stages } = editor.document.snapshot;
  const there = keys.filter(key => Object.hasOwn(stages, key));
  if (editor.readOnly || there.length === 0) {
    return;
  }
  const disabled = stages[there[0]].disabled ? undefined : true;
  editor.document.edit(draft => there.forEach(key => draft.patch('stages', key, { disabled })));
}

/** Whether a path was made of its title, and not by hand. */
function follows({ path, title }: IStage): boolean {
  const made = slug(title);
  return path === made || new RegExp(`^${made}-\\d+$`).test(path);
}

function titleOf(name: string): string {
  const words = name.replace(/[-_\s]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function placeFor(editor: WorkflowEditor, { position, after, before, copyOf }: INewStage): Point {
  const { snapshot } = editor.document;
  if (position !== undefined) {
    return freePlace(snapshot, position);
  }
  const transition = before === undefined ? undefined : snapshot.transitions[before];
  const source = snapshot.stages[after?.source ?? transition?.source ?? ''] as IStage | undefined;
  if (source !== undefined) {
    const [x, y] = placeOf(source);
    const place: Point = [x + CARD[0] + GAP[0], y];
    // What is in the way of a stage on an arrow moves on.
    return transition === undefined ? freePlace(snapshot, place) : snap(place);
  }
  const original = copyOf === undefined ? undefined : snapshot.stages[copyOf];
  if (original !== undefined) {
    const [x, y] = placeOf(original);
    return freePlace(snapshot, [x, y + CARD[1] + GAP[1]]);
  }
  const [x, y] = editor.view?.center() ?? [CARD[0] / 2, CARD[1] / 2];
  return freePlace(snapshot, [x - CARD[0] / 2, y - CARD[1] / 2]);
}

/** Draw the transitions of a new stage. */
function join(
  draft: IDraft,
  editor: WorkflowEditor,
  key: string,
  stage: IStage,
  { after, before }: INewStage
): void {
  const { snapshot } = editor.document;
  if (!takesTransitions(stage.type)) {
    return;
  }
  if (after !== undefined && Object.hasOwn(snapshot.stages, after.source)) {
    draft.put('transitions', newKey(snapshot.transitions), newTransition(after.source, key, after.on));
  }
  const split = before === undefined ? undefined : (snapshot.transitions[before] as ITransition | undefined);
  if (split !== undefined) {
    draft.patch('transitions', before!, { target: key });
    draft.put('transitions', newKey(snapshot.transitions), newTransition(key, split.target));
    makeRoom(draft, editor, placeOf(stage)[0], split);
  }
}

/** Move what follows a stage on an arrow to the right, as far as it is needed. */
function makeRoom(
  draft: IDraft,
  editor: WorkflowEditor,
  begin: number,
  { source, target }: ITransition
): void {
  const { snapshot } = editor.document;
  const step = CARD[0] + GAP[0];
  if (!Object.hasOwn(snapshot.stages, target) || placeOf(snapshot.stages[target])[0] < begin) {
    return; // back to the left
  }
  const missing = begin + step - placeOf(snapshot.stages[target])[0];
  if (missing <= 0) {
    return;
  }
  for (const one of reachable(snapshot.transitions, target)) {
    const stage = snapshot.stages[one] as IStage | undefined;
    if (one !== source && stage !== undefined && placeOf(stage)[0] >= begin) {
      const [x, y] = placeOf(stage);
      draft.patch('stages', one, { position: snap([x + missing, y]) });
    }
  }
}

function reachable(transitions: Readonly<Record<string, ITransition>>, from: string): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const { source, target } of Object.values(transitions)) {
    next.set(source, [...(next.get(source) ?? []), target]);
  }
  const found = new Set([from]);
  for (const one of found) {
    next.get(one)?.forEach(target => found.add(target));
  }
  return found;
}
