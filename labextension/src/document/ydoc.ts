/**
 * The shared document of a workflow.
 */
import { YDocument } from '@jupyter/ydoc';
import type { DocumentChange } from '@jupyter/ydoc';
import { JSONExt, UUID } from '@lumino/coreutils';
import type { ReadonlyJSONValue } from '@lumino/coreutils';
import * as Y from 'yjs';

import { canonicalText, parse } from './text';
import type { Content } from './text';
import { FORMAT, KINDS } from './types';
import type { Fields, IFileProblem, ISnapshot, IThings, Kind } from './types';

export type WorkflowChange = DocumentChange & {
  /** The snapshot is another one. */
  snapshotChange?: { readonly old: ISnapshot; readonly new: ISnapshot };
  /** The file can be shown now, or no longer. */
  problemChange?: true;
};

/** What an edit does. Fields that are `undefined` are removed. */
export interface IDraft {
  /** Add something, or put something in its place. */
  put<K extends Kind>(kind: K, key: string, fields: IThings[K]): void;
  /** Change some fields; those that are not given stay. Nothing happens if there is no such thing. */
  patch<K extends Kind>(kind: K, key: string, fields: Partial<IThings[K]>): void;
  remove(kind: Kind, key: string): void;
  /** Change what is beside the collections. */
  patchMeta(fields: Readonly<Record<string, ReadonlyJSONValue | undefined>>): void;
}

type YFields = Y.Map<ReadonlyJSONValue>;

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
    this.ydoc.on('afterTransaction', this._afterTransaction);
  }

  readonly version = '1.0.0';

  /** The document at this moment. */
  get snapshot(): ISnapshot {
    return this._snapshot;
  }

  /** Why the file is not shown as a graph; `null` if it is. */
  get problem(): IFileProblem | null {
    return this._problem;
  }

  /** Change the document; one step of undo. */
  edit(change: (draft: IDraft) => void): void {
    if (this._problem !== null) {
      throw new Error('A file that cannot be read is not edited on the canvas.');
    }
    this.undoManager.stopCapturing();
    this.transact(() => change(this._draft));
    this.undoManager.stopCapturing();
  }

  /** Return the file's text: its own bytes as long as they say what the graph says. */
  getSource(): string {
    const raw = this._file.get('raw') as string | undefined;
    if (this._problem !== null) {
      return raw ?? '';
    }
    const text = canonicalText(this._snapshot);
    if (raw !== undefined) {
      const loaded = parse(raw);
      if ('content' in loaded && canonicalText(loaded.content) === text) {
        return raw;
      }
    }
    return text;
  }

  /** Take in a file's text: applies what differs. An unreadable text is kept, and shown as a problem. */
  setSource(value: string): void {
    const text = value.trim() === '' ? canonicalText(emptyContent()) : value;
    const parsed = parse(text);
    this.transact(() => {
      this._file.set('raw', text);
      if ('problem' in parsed) {
        this._file.set('problem', parsed.problem as unknown as ReadonlyJSONValue);
        return;
      }
      this._file.delete('problem');
      updateMap(this._meta, parsed.content.meta);
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

  private readonly _draft: IDraft = {
    put: (kind, key, fields) => {
      this._collections[kind].set(key, new Y.Map<ReadonlyJSONValue>(Object.entries(defined(fields))));
    },
    patch: (kind, key, fields) => {
      const thing = this._collections[kind].get(key);
      if (thing !== undefined) {
        patchMap(thing, fields);
      }
    },
    remove: (kind, key) => {
      this._collections[kind].delete(key);
    },
    patchMeta: fields => patchMap(this._meta, fields)
  };

  /** Make the next snapshot; what a transaction did not touch stays the same object. */
  private _afterTransaction = (transaction: Y.Transaction): void => {
    const touched = transaction.changedParentTypes as ReadonlyMap<unknown, unknown>;
    const old = this._snapshot;
    const next: Record<string, unknown> = { ...old };
    let changed = false;
    if (touched.has(this._meta)) {
      next.meta = this._meta.toJSON();
      changed = true;
    }
    for (const kind of KINDS) {
      const collection = this._collections[kind];
      if (touched.has(collection)) {
        const things: Record<string, Fields> = {};
        for (const [key, fields] of collection.entries()) {
          const before = old[kind][key] as Fields | undefined;
          things[key] =
            before !== undefined && !touched.has(fields) && !isNew(transaction, collection, key)
              ? before
              : reuse(before, fields.toJSON());
        }
        next[kind] = things;
        changed = true;
      }
    }
    const change: WorkflowChange = {};
    if (changed) {
      this._snapshot = next as unknown as ISnapshot;
      change.snapshotChange = { old, new: this._snapshot };
    }
    if (touched.has(this._file)) {
      const problem = (this._file.get('problem') as unknown as IFileProblem | undefined) ?? null;
      if (!JSONExt.deepEqual(problem as never, this._problem as never)) {
        this._problem = problem;
        change.problemChange = true;
      }
    }
    if (change.snapshotChange !== undefined || change.problemChange) {
      this._changed.emit(change);
    }
  };

  private readonly _meta: YFields;
  private readonly _file: YFields;
  private readonly _collections: Record<Kind, Y.Map<YFields>>;
  private _snapshot: ISnapshot = { meta: {}, stages: {}, transitions: {}, notes: {}, groups: {} };
  private _problem: IFileProblem | null = null;
}

/** Return a new workflow without stages. */
export function emptyContent(title = ''): Content {
  return {
    meta: { format: FORMAT, uid: UUID.uuid4(), title },
    stages: {},
    transitions: {},
    notes: {},
    groups: {}
  };
}

function isNew(transaction: Y.Transaction, collection: Y.Map<YFields>, key: string): boolean {
  return transaction.changed.get(collection as never)?.has(key) ?? false;
}

function reuse(before: Fields | undefined, now: Fields): Fields {
  return before !== undefined && JSONExt.deepEqual(before, now) ? before : now;
}

function defined(fields: object): Record<string, ReadonlyJSONValue> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function patchMap(map: YFields, fields: object): void {
  for (const [name, value] of Object.entries(fields) as [string, ReadonlyJSONValue | undefined][]) {
    if (value === undefined) {
      if (map.has(name)) {
        map.delete(name);
      }
    } else if (!map.has(name) || !JSONExt.deepEqual(map.get(name)!, value)) {
      map.set(name, value);
    }
  }
}

function updateMap(map: YFields, fields: Fields): void {
  for (const name of [...map.keys()]) {
    if (!(name in fields)) {
      map.delete(name);
    }
  }
  patchMap(map, fields);
}

function updateCollection(collection: Y.Map<YFields>, things: Readonly<Record<string, Fields>>): void {
  for (const key of [...collection.keys()]) {
    if (!(key in things)) {
      collection.delete(key);
    }
  }
  for (const [key, fields] of Object.entries(things)) {
    const thing = collection.get(key);
    if (thing === undefined) {
      collection.set(key, new Y.Map<ReadonlyJSONValue>(Object.entries(fields)));
    } else {
      updateMap(thing, fields);
    }
  }
}
