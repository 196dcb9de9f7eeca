/**
 * Documents as text. The Python twin writes the same text, to the byte: rooms compare it.
 */
import type { ReadonlyJSONValue } from '@lumino/coreutils';

import { FORMAT, KINDS } from './types';
import type { Fields, IFileProblem, ISnapshot, Kind } from './types';

/** The collections, and what is beside them. */
export type Content = { readonly meta: Fields } & { readonly [K in Kind]: Readonly<Record<string, Fields>> };

export type Parsed = { readonly content: Content } | { readonly problem: IFileProblem };

/** Return the one text of a document: keys sorted by code point, two spaces, a line feed at the end. */
export function canonicalText(content: Content | ISnapshot): string {
  const value: Record<string, unknown> = { ...content.meta };
  for (const kind of KINDS) {
    const collection = content[kind];
    if (kind === 'stages' || kind === 'transitions' || Object.keys(collection).length > 0) {
      value[kind] = collection;
    }
  }
  return JSON.stringify(sorted(value), null, 2) + '\n';
}

/** Return what a text holds, or why it cannot be shown. */
export function parse(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { problem: { kind: 'invalid', ...placeOf(text, error as SyntaxError) } };
  }
  if (!isObject(value)) {
    return invalid('A workflow is a JSON object.');
  }
  const { format } = value;
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 0) {
    return invalid('`format` has to be the number of a format version.', 'format');
  }
  if (format > FORMAT) {
    return {
      problem: {
        kind: 'newer',
        field: 'format',
        message: `The file has format ${format}, which a newer version of Jupyter Workflows wrote. This one knows format ${FORMAT}.`
      }
    };
  }
  const collections: Record<string, Record<string, Fields>> = {};
  for (const kind of KINDS) {
    const collection = value[kind] ?? {};
    if (!isObject(collection)) {
      return invalid(`\`${kind}\` has to be an object.`, kind);
    }
    for (const [key, fields] of Object.entries(collection)) {
      if (!isObject(fields)) {
        return invalid('It has to be an object.', `${kind}.${key}`);
      }
    }
    collections[kind] = collection as Record<string, Fields>;
  }
  const meta = Object.fromEntries(
    Object.entries(value).filter(([name]) => !(KINDS as readonly string[]).includes(name))
  );
  return { content: { meta, ...collections } as Content };
}

function invalid(message: string, field?: string): Parsed {
  return { problem: { kind: 'invalid', message, field } };
}

function isObject(value: unknown): value is Record<string, ReadonlyJSONValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function placeOf(text: string, error: SyntaxError): Pick<IFileProblem, 'message' | 'line' | 'column'> {
  const position = /position (\d+)/.exec(error.message);
  if (position === null) {
    return { message: error.message };
  }
  const before = text.slice(0, Number(position[1])).split('\n');
  return { message: error.message, line: before.length, column: before[before.length - 1].length + 1 };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted);
  }
  if (isObject(value)) {
    const names = Object.keys(value).sort(byCodePoint);
    return Object.fromEntries(names.map(name => [name, sorted(value[name])]));
  }
  return value;
}

function byCodePoint(one: string, other: string): number {
  // The default order is that of UTF-16 units, Python's is that of code points.
  const a = Array.from(one);
  const b = Array.from(other);
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = a[i].codePointAt(0)! - b[i].codePointAt(0)!;
    if (difference !== 0) {
      return difference;
    }
  }
  return a.length - b.length;
}
