/**
 * The shared document of a workflow.
 */
import { YDocument } from '@jupyter/ydoc';
import type { DocumentChange } from '@jupyter/ydoc';
import { UUID } from '@lumino/coreutils';
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import * as Y from 'yjs';

import { isObject, same, shared, wellFormed } from './json';
import { shaped } from './shape';
import { canonicalText, EMPTY, parse, unknownProblem } from './text';
import type { Content } from './text';
import { FORMAT, KINDS } from './types';
import type { Fields, IFileProblem, ISnapshot, IThings, Kind } from './types';

export type WorkflowChange = DocumentChange & {
  /** The snapshot is another one. */
  snapshotChange?: { readonly old: ISnapshot; readonly new: ISnapshot };
  /** The file can be shown now, or no longer, or another thing is wrong with it. */
  problemChange?: true;
};

/** What an edit does. Fields that are `undefined` are removed. */
export interface IDraft {
  /** Add something. If it is there, it has the given fields afterwards, and no others. */
  put<K extends Kind>(kind: K, key: string, fields: IThings[K]): void;
  /** Change some fields; those that are not given stay. Nothing happens if there is no such thing. */
  patch<K extends Kind>(kind: K, key: string, fields: Partial<IThings[K]>): void;
  remove(kind: Kind, key: string): void;
  /** Change what is beside the collections. */
  patchMeta(fields: Readonly<Record<string, ReadonlyJSONValue | undefined>>): void;
}

type YFields = Y.Map<ReadonlyJSONValue>;
type Removed = Partial<Record<Kind, Record<string, Fields>>>;

/** What a step of undo keeps of the things that it removed. */
const REMOVED = 'jupyter-workflows:removed';

/**
 * A workflow, shared between those who have it open.
 *
 * Everybody reads `snapshot`, and changes the document by `edit`, which is one step of undo.
 */
export class YWorkflow extends YDocument<WorkflowChange> {
  constructor() {
    super();
    this._meta = this.ydoc.getMap('workflow');
    this._file = this.ydoc.getMap('file');
    this._collections = Object.fromEntries(
      KINDS.map(kind => [kind, this.ydoc.getMap(kind)])
    ) as unknown as Record<Kind, Y.Map<YFields>>;
    this.undoManager.addToScope([this._meta, ...Object.values(this._collections)]);
    this.undoManager.on('stack-item-added', this._keepRemoved);
    this.undoManager.on('stack-item-updated', this._keepRemoved);
    this.undoManager.on('stack-item-popped', this._refill);
    this.ydoc.on('afterTransaction', this._afterTransaction);
  }

  readonly version = '1.0.0';

  /** The title that a new workflow is given with its first edit. */
  newTitle = '';

  /** The document at this moment. */
  get snapshot(): ISnapshot {
    return this._snapshot;
  }

  /** Why the file is not shown as a graph; `null` if it is. */
  get problem(): IFileProblem | null {
    return this._problem;
  }

  /**
   * Change the document; one step of undo.
   *
   * Nothing is changed if `change` throws, or gives something that is not JSON.
   */
  edit(change: (draft: IDraft) => void): void {
    if (this._problem !== null) {
      throw new Error('A file that cannot be read is not edited on the canvas.');
    }
    const draft = new Draft();
    change(draft);
    const before = this._content;
    this._atOnce(() => {
      this._identify();
      this.undoManager.stopCapturing();
      this.transact(() => draft.steps.forEach(step => step(this._meta, this._collections)));
      this.undoManager.stopCapturing();
    });
    if (this._content !== before) {
      this.dirty = true;
    }
  }

  canUndo(): boolean {
    return this._problem === null && super.canUndo();
  }

  canRedo(): boolean {
    return this._problem === null && super.canRedo();
  }

  /**
   * Do nothing: loading is no step of undo. JupyterLab calls this some time after the document is shown, and what
   * was edited by then shall not be lost.
   */
  clearUndoHistory(): void {}

  undo(): boolean {
    return this._problem === null && this._atOnce(() => super.undo());
  }

  redo(): boolean {
    return this._problem === null && this._atOnce(() => super.redo());
  }

  /** Change the document as a part of what was done before, without a step of undo. */
  amend(change: (draft: IDraft) => void): void {
    if (this._problem === null) {
      const draft = new Draft();
      change(draft);
      this.transact(() => draft.steps.forEach(step => step(this._meta, this._collections)), false);
      this.dirty = true;
    }
  }

  /** Return the file's text: its own bytes as long as they say what the graph says. */
  getSource(): string {
    const file = this._fileSource;
    if (file.problem !== undefined) {
      return file.text ?? '';
    }
    const source = this._source;
    if (source?.content === this._content && source.raw === file.text) {
      return source.text;
    }
    let text = canonicalText(this._content);
    if (file.text !== undefined && this._graphOf(file.text) === text) {
      text = file.text;
    }
    this._source = { content: this._content, raw: file.text, text };
    return text;
  }

  /** Take in a file's text: applies what differs. A text that is no graph is kept, and shown as a problem. */
  setSource(value: string): void {
    const text = wellFormed(value);
    const parsed = parse(text);
    this.transact(() => {
      if ('problem' in parsed) {
        update(this._file, { source: { text, problem: parsed.problem.kind } });
        return;
      }
      update(this._file, text === canonicalText(parsed.content) ? {} : { source: { text } });
      update(this._meta, parsed.content.meta);
      for (const kind of KINDS) {
        updateCollection(this._collections[kind], parsed.content[kind]);
      }
    }, false);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.ydoc.off('afterTransaction', this._afterTransaction);
    super.dispose();
  }

  /** Give a new workflow its identity: not before somebody edits it, so that opening a file never changes it. */
  private _identify(): void {
    if (this._meta.has('uid')) {
      return;
    }
    // Not undone. Of two who do it at once, one prevails.
    this.transact(() => {
      this._meta.set('uid', UUID.uuid4());
      if (!this._meta.has('format')) {
        this._meta.set('format', FORMAT);
      }
      if (!this._meta.has('title')) {
        this._meta.set('title', wellFormed(this.newTitle));
      }
    }, false);
  }

  /** The file's text where it is not that of the graph, and why it is not shown. */
  private get _fileSource(): { readonly text?: string; readonly problem?: string } {
    return (this._file.get('source') ?? {}) as { text?: string; problem?: string };
  }

  /** Return the text of the graph that a file's text says. */
  private _graphOf(raw: string): string | null {
    if (this._loaded?.raw !== raw) {
      const parsed = parse(raw);
      this._loaded = { raw, text: 'content' in parsed ? canonicalText(parsed.content) : null };
    }
    return this._loaded.text;
  }

  /** Tell of several transactions as of one. */
  private _atOnce<T>(change: () => T): T {
    if (this._pending !== null) {
      return change();
    }
    this._pending = { snapshot: this._snapshot, problem: this._problem };
    try {
      return change();
    } finally {
      const { snapshot, problem } = this._pending;
      this._pending = null;
      this._tell(snapshot, problem);
    }
  }

  private _tell(snapshot: ISnapshot, problem: IFileProblem | null): void {
    const change: WorkflowChange = {};
    if (snapshot !== this._snapshot) {
      change.snapshotChange = { old: snapshot, new: this._snapshot };
    }
    if (problem !== this._problem) {
      change.problemChange = true;
    }
    if (change.snapshotChange !== undefined || change.problemChange) {
      this._changed.emit(change);
    }
  }

  /** Make the next snapshot; what a transaction did not touch stays the same object. */
  private _afterTransaction = (transaction: Y.Transaction): void => {
    const touched = transaction.changedParentTypes as ReadonlyMap<unknown, unknown>;
    const { _snapshot: snapshot, _problem: problem } = this;
    for (const kind of KINDS) {
      if (touched.has(this._collections[kind])) {
        this._take(kind, touched);
      }
    }
    if (touched.has(this._meta)) {
      const meta = fieldsOf(this._meta);
      if (!same(meta, this._content.meta)) {
        this._content = { ...this._content, meta };
        this._snapshot = { ...this._snapshot, meta: shaped('meta', meta) };
      }
    }
    if (touched.has(this._file)) {
      this._takeProblem();
    }
    if (this._pending === null) {
      this._tell(snapshot, problem);
    }
  };

  /** Take what was changed in a collection into the snapshot. */
  private _take(kind: Kind, touched: ReadonlyMap<unknown, unknown>): void {
    const before = this._content[kind];
    const drawnBefore = this._snapshot[kind] as Readonly<Record<string, Fields>>;
    const now = keyed<Fields>();
    const drawn = keyed<Fields>();
    let changed = false;
    this._collections[kind].forEach((thing: unknown, key) => {
      const old = before[key] as Fields | undefined;
      if (old !== undefined && this._known.get(thing as object) === old && !touched.has(thing)) {
        now[key] = old;
        drawn[key] = drawnBefore[key];
        return;
      }
      const fields = fieldsOf(thing);
      now[key] = old !== undefined && same(old, fields) ? old : fields;
      drawn[key] = now[key] === old ? drawnBefore[key] : shaped(kind, fields);
      changed ||= now[key] !== old;
      if (thing instanceof Y.Map) {
        this._known.set(thing, now[key]);
      }
    });
    if (changed || Object.keys(before).length !== Object.keys(now).length) {
      this._content = { ...this._content, [kind]: now };
      this._snapshot = { ...this._snapshot, [kind]: drawn };
    }
  }

  private _takeProblem(): void {
    const { text, problem: kind } = this._fileSource;
    let problem: IFileProblem | null = null;
    if (kind !== undefined) {
      // The place is found here, in the language of those who look at it.
      const parsed = parse(text ?? '');
      problem = 'problem' in parsed ? parsed.problem : unknownProblem(kind === 'newer' ? kind : 'invalid');
    }
    if (!same(problem, this._problem)) {
      this._problem = problem;
    }
  }

  /** Keep what a step removes: what others change in it meanwhile would be lost to an undo. */
  private _keepRemoved = ({ stackItem }: { stackItem: { meta: Map<unknown, unknown> } }): void => {
    const removed = (stackItem.meta.get(REMOVED) as Removed | undefined) ?? {};
    for (const kind of KINDS) {
      for (const [key, fields] of Object.entries(this._content[kind])) {
        if (!this._collections[kind].has(key)) {
          (removed[kind] ??= keyed())[key] = fields;
        }
      }
    }
    stackItem.meta.set(REMOVED, removed);
  };

  /** Give what an undo brought back the fields that it did not bring back. */
  private _refill = ({ stackItem }: { stackItem: { meta: Map<unknown, unknown> } }): void => {
    const removed = (stackItem.meta.get(REMOVED) as Removed | undefined) ?? {};
    this.transact(() => {
      for (const kind of KINDS) {
        for (const [key, fields] of Object.entries(removed[kind] ?? {})) {
          const thing: unknown = this._collections[kind].get(key);
          if (thing instanceof Y.Map) {
            const missing = Object.entries(fields).filter(([name]) => !thing.has(name));
            missing.forEach(([name, value]) => thing.set(name, value));
          }
        }
      }
    }, false);
  };

  private readonly _meta: YFields;
  private readonly _file: YFields;
  private readonly _collections: Record<Kind, Y.Map<YFields>>;
  /** The document as it is written, which need not be well formed. */
  private _content: Content = EMPTY;
  private _snapshot: ISnapshot = {
    meta: shaped('meta', {}),
    stages: keyed(),
    transitions: keyed(),
    notes: keyed(),
    groups: keyed()
  };
  /** What of the content each part of the shared document is. */
  private readonly _known = new WeakMap<object, Fields>();
  private _problem: IFileProblem | null = null;
  /** What was known when several transactions began of which is told as of one. */
  private _pending: { snapshot: ISnapshot; problem: IFileProblem | null } | null = null;
  private _source: { content: Content; raw: string | undefined; text: string } | null = null;
  private _loaded: { raw: string; text: string | null } | null = null;
}

/** Return a new workflow without stages. */
export function emptyContent(title = ''): Content {
  return { ...EMPTY, meta: { format: FORMAT, uid: UUID.uuid4(), title } };
}

type Step = (meta: YFields, collections: Record<Kind, Y.Map<YFields>>) => void;

/** The steps of an edit, which are taken when all are known. */
class Draft implements IDraft {
  readonly steps: Step[] = [];

  put<K extends Kind>(kind: K, key: string, fields: IThings[K]): void {
    const values = shared(fields) as Fields;
    this.steps.push((_, collections) => updateThing(collections[kind], wellFormed(key), values));
  }

  patch<K extends Kind>(kind: K, key: string, fields: Partial<IThings[K]>): void {
    const values = patchOf(fields);
    this.steps.push((_, collections) => {
      const thing: unknown = collections[kind].get(key);
      if (thing instanceof Y.Map) {
        patch(thing as YFields, values);
      }
    });
  }

  remove(kind: Kind, key: string): void {
    this.steps.push((_, collections) => collections[kind].delete(key));
  }

  patchMeta(fields: Readonly<Record<string, ReadonlyJSONValue | undefined>>): void {
    const values = patchOf(fields);
    this.steps.push(meta => patch(meta, values));
  }
}

type Patch = readonly (readonly [name: string, value: ReadonlyJSONValue | undefined])[];

function patchOf(fields: object): Patch {
  return Object.entries(fields).map(([name, value]: [string, unknown]) => [
    wellFormed(name),
    value === undefined ? undefined : shared(value)
  ]);
}

function patch(map: YFields, fields: Patch): void {
  for (const [name, value] of fields) {
    if (value === undefined) {
      if (map.has(name)) {
        map.delete(name);
      }
    } else if (!map.has(name) || !same(map.get(name), value)) {
      map.set(name, value);
    }
  }
}

/** Make a map say what it ought to, with as few changes as that takes. */
function update(map: YFields, fields: Fields): void {
  for (const name of [...map.keys()]) {
    if (!Object.hasOwn(fields, name)) {
      map.delete(name);
    }
  }
  patch(map, Object.entries(fields));
}

function updateThing(collection: Y.Map<YFields>, key: string, fields: Fields): void {
  const thing: unknown = collection.get(key);
  if (thing instanceof Y.Map) {
    update(thing as YFields, fields);
  } else {
    collection.set(key, new Y.Map<ReadonlyJSONValue>(Object.entries(fields)));
  }
}

function updateCollection(collection: Y.Map<YFields>, things: Readonly<Record<string, Fields>>): void {
  for (const key of [...collection.keys()]) {
    if (!Object.hasOwn(things, key)) {
      collection.delete(key);
    }
  }
  for (const [key, fields] of Object.entries(things)) {
    updateThing(collection, key, fields);
  }
}

/** Return an object without a prototype, of which nothing but its keys is found. */
function keyed<T>(): Record<string, T> {
  return Object.create(null) as Record<string, T>;
}

function fieldsOf(thing: unknown): Fields {
  if (thing instanceof Y.Map) {
    const fields: [string, unknown][] = [];
    thing.forEach((value: unknown, name) => {
      fields.push([name, value instanceof Y.AbstractType ? (value.toJSON() as unknown) : value]);
    });
    return Object.fromEntries(fields) as Fields;
  }
  return isObject(thing) ? thing : {};
}
