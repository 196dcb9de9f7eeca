/**
 * What fields show and change: one thing of the document, or several of a kind together.
 */
import { JSONExt } from '@lumino/coreutils';
import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';

import type { IFinding } from '../client/types';
import type { ISnapshot, Kind } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';

/** The things have different values. */
export const MIXED = Symbol('mixed');
export type Shared = ReadonlyJSONValue | undefined | typeof MIXED;
export type Patch = Readonly<Record<string, ReadonlyJSONValue | undefined>>;

/** What is said below a field. */
export interface IMessage {
  readonly severity: IFinding['severity'];
  readonly text: string;
}

const NONE: readonly IMessage[] = [];

/** Some things at one moment; each change of them is one step of undo. */
export class Subject {
  constructor(
    readonly editor: WorkflowEditor,
    readonly kind: Kind | 'meta',
    readonly keys: readonly string[],
    snapshot: ISnapshot,
    findings: readonly IFinding[] = []
  ) {
    this.things =
      kind === 'meta'
        ? [snapshot.meta]
        : keys.map(key => (snapshot[kind][key] as unknown as ReadonlyJSONObject | undefined) ?? {});
    this._findings = findings;
  }

  /** What they are, at this moment. */
  readonly things: readonly ReadonlyJSONObject[];

  /** Says which things they are. */
  get id(): string {
    return `${this.kind}:${this.keys.join()}`;
  }

  get single(): boolean {
    return this.things.length === 1;
  }

  get readOnly(): boolean {
    return this.editor.readOnly;
  }

  /** Return the value of a field, or of a field within a field, such as `retries.max`. */
  get(path: string): Shared {
    const [first, ...others] = this.things.map(thing => at(thing, path));
    return others.every(other => same(first, other)) ? first : MIXED;
  }

  /** Change a field; `undefined` removes it, and what becomes empty by that. */
  set(path: string, value: ReadonlyJSONValue | undefined): void {
    this.change(thing => patchOf(thing, path, value));
  }

  /** Change fields, of each thing by itself. */
  change(patch: (thing: ReadonlyJSONObject, key: string) => Patch): void {
    const { document } = this.editor;
    if (this.readOnly || this.editor.isDisposed) {
      return;
    }
    // As they are now: somebody else may have changed them since.
    const { snapshot } = document;
    const { kind } = this;
    const patches = this.keys
      .map(key => {
        const thing = (kind === 'meta' ? snapshot.meta : snapshot[kind][key]) as
          ReadonlyJSONObject | undefined;
        return { key, thing, fields: thing === undefined ? {} : patch(thing, key) };
      })
      .filter(({ thing, fields }) =>
        Object.entries(fields).some(([name, value]) => !same(thing?.[name], value))
      );
    if (patches.length > 0) {
      document.edit(draft => {
        for (const { key, fields } of patches) {
          if (kind === 'meta') {
            draft.patchMeta(fields);
          } else {
            draft.patch(kind, key, fields);
          }
        }
      });
    }
  }

  /** What a check found about a field. */
  messages(path: string): readonly IMessage[] {
    const found = this._findings.filter(({ field }) => field !== null && isWithin(field, path));
    return found.length === 0 ? NONE : texts(found);
  }

  /** What it found that belongs to none of the fields. */
  otherMessages(shown: readonly string[]): readonly IMessage[] {
    return texts(
      this._findings.filter(({ field }) => field === null || !shown.some(path => isWithin(field, path)))
    );
  }

  private readonly _findings: readonly IFinding[];
}

/** Return the value of a subject, or `undefined` where the things differ. */
export function plain(value: Shared): ReadonlyJSONValue | undefined {
  return value === MIXED ? undefined : value;
}

export function text(value: Shared): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

export function object(value: Shared): ReadonlyJSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as ReadonlyJSONObject)
    : {};
}

function at(thing: ReadonlyJSONObject, path: string): ReadonlyJSONValue | undefined {
  return path.split('.').reduce<ReadonlyJSONValue | undefined>((value, name) => object(value)[name], thing);
}

/** Return the patch that puts a value in its place. */
export function patchOf(
  thing: ReadonlyJSONObject,
  path: string,
  value: ReadonlyJSONValue | undefined
): Patch {
  const [name, ...rest] = path.split('.');
  if (rest.length === 0) {
    return { [name]: value };
  }
  const inner = Object.entries({
    ...object(thing[name]),
    ...patchOf(object(thing[name]), rest.join('.'), value)
  });
  const kept = Object.fromEntries(inner.filter(([, one]) => one !== undefined)) as ReadonlyJSONObject;
  return { [name]: Object.keys(kept).length === 0 ? undefined : kept };
}

function same(a: ReadonlyJSONValue | undefined, b: ReadonlyJSONValue | undefined): boolean {
  return a === undefined || b === undefined ? a === b : JSONExt.deepEqual(a, b);
}

function isWithin(field: string, path: string): boolean {
  return field === path || field.startsWith(`${path}.`) || field.startsWith(`${path}[`);
}

function texts(findings: readonly IFinding[]): readonly IMessage[] {
  const all = new Map<string, IMessage>();
  for (const { severity, message, mend } of findings) {
    const words = mend ? `${message} ${mend}` : message;
    all.set(words, { severity, text: words });
  }
  return [...all.values()];
}
