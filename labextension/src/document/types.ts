/**
 * The words of a workflow document. `generated.ts` comes from the JSON schema, which binds.
 */
import type { ReadonlyJSONObject, ReadonlyJSONValue } from '@lumino/coreutils';

export type StageType = 'form' | 'hook' | 'job' | 'script';

/** The order in which the types are shown. */
export const STAGE_TYPES: readonly StageType[] = ['form', 'hook', 'job', 'script'];

/** The version of the document format that this program writes. */
export const FORMAT = 1;

/** What a document holds by key. */
export type Kind = 'stages' | 'transitions' | 'notes' | 'groups';
export const KINDS: readonly Kind[] = ['stages', 'transitions', 'notes', 'groups'];

export type Point = readonly [number, number];

/** Something in a document: its fields as JSON, also those that this program does not know. */
export type Fields = ReadonlyJSONObject;

export interface IStage {
  readonly type: StageType;
  /** The slug that people and code use. */
  readonly path: string;
  readonly title: string;
  /** Relative to the document's folder, with forward slashes. */
  readonly notebook: string;
  readonly position?: Point;
  readonly disabled?: boolean;
  readonly [field: string]: ReadonlyJSONValue | undefined;
}

export interface ITransition {
  readonly source: string;
  readonly target: string;
  readonly on?: 'completed' | 'failed';
  readonly condition?: string;
  readonly else?: boolean;
  readonly each?: string;
  readonly as?: string;
  readonly order?: number;
  readonly label?: string;
  readonly [field: string]: ReadonlyJSONValue | undefined;
}

export interface INote {
  readonly text?: string;
  readonly position?: Point;
  readonly size?: Point;
  readonly color?: string;
  readonly [field: string]: ReadonlyJSONValue | undefined;
}

export interface IGroup {
  readonly title?: string;
  readonly stages?: readonly string[];
  readonly position?: Point;
  readonly size?: Point;
  readonly color?: string;
  readonly collapsed?: boolean;
  readonly [field: string]: ReadonlyJSONValue | undefined;
}

/** What kind of thing holds which fields. */
export interface IThings {
  readonly stages: IStage;
  readonly transitions: ITransition;
  readonly notes: INote;
  readonly groups: IGroup;
}

export type Collection<K extends Kind> = Readonly<Record<string, IThings[K]>>;

/**
 * A document at one moment, as it is drawn.
 *
 * It is never changed: a later moment is another object, in which whatever is unchanged is the same object.
 * Every field that is known here has the type that it ought to have. Where a file has another value, the field
 * is left out, or empty if it has to be there; a check of the document finds it, and the file keeps it.
 */
export interface ISnapshot {
  /** What is beside the collections: `format`, `uid`, `title`, `description`, `board`, and unknown fields. */
  readonly meta: Fields;
  readonly stages: Collection<'stages'>;
  readonly transitions: Collection<'transitions'>;
  readonly notes: Collection<'notes'>;
  readonly groups: Collection<'groups'>;
}

/** What can be wrong with a file, in a word. `explain` has the sentences. */
export type FileProblemCode =
  | 'syntax'
  | 'duplicate-key'
  | 'too-deep'
  | 'too-large'
  | 'not-object'
  | 'missing-format'
  | 'bad-format'
  | 'newer-format'
  | 'stage-type'
  | 'transition-end'
  | 'list-of-objects'
  | 'stage-id'
  | 'stage-id-twice'
  | 'unknown';

/** Why a file is not shown as a graph. Its bytes are kept as they are. */
export interface IFileProblem {
  /** `invalid`: it cannot be read. `newer`: a newer version of the program wrote it. */
  readonly kind: 'invalid' | 'newer';
  readonly code: FileProblemCode;
  /** What the sentence is about, such as a key. */
  readonly values: readonly string[];
  /** The sentence in English. */
  readonly message: string;
  /** Where, counted from one, if it is known. */
  readonly line?: number;
  readonly column?: number;
  /** The part of the document that is at fault, such as `stages.s1.type`. */
  readonly field?: string;
}

export function isStageType(value: unknown): value is StageType {
  return typeof value === 'string' && (STAGE_TYPES as readonly string[]).includes(value);
}
