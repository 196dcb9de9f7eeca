/**
 * JSON as all who share a document write it: keys sorted by UTF-16 code units, two spaces, whole numbers
 * without a point. `jupyter_workflows/model/canonical.py` writes the same, to the byte.
 */
import type { ReadonlyJSONValue } from '@lumino/coreutils';

/** Deeper nesting is refused. */
export const MAX_DEPTH = 100;

/** Return the text of a value, as it stands `depth` levels deep in another. */
export function write(value: unknown, depth = 0): string {
  switch (typeof value) {
    case 'object':
      if (value === null) {
        return 'null';
      }
      return Array.isArray(value)
        ? writeParts(
            '[',
            value.map(item => write(item, depth + 1)),
            ']',
            depth
          )
        : writeObject(value as Record<string, unknown>, depth, item => write(item, depth + 1));
    case 'number':
      // Not a number, and more than the greatest one, cannot be written.
      return Number.isFinite(value) ? JSON.stringify(value) : 'null';
    case 'bigint':
      return String(Number(value));
    default:
      return JSON.stringify(value) ?? 'null';
  }
}

/** Return the text of an object of which others write the values. */
export function writeObject<T>(
  value: Readonly<Record<string, T>>,
  depth: number,
  writeValue: (value: T, key: string) => string
): string {
  const parts: string[] = [];
  for (const key of Object.keys(value).sort()) {
    if (value[key] !== undefined) {
      parts.push(`${JSON.stringify(key)}: ${writeValue(value[key], key)}`);
    }
  }
  return writeParts('{', parts, '}', depth);
}

function writeParts(open: string, parts: readonly string[], close: string, depth: number): string {
  if (parts.length === 0) {
    return open + close;
  }
  const inner = '\n' + '  '.repeat(depth + 1);
  return open + inner + parts.join(',' + inner) + '\n' + '  '.repeat(depth) + close;
}

export function isObject(value: unknown): value is Record<string, ReadonlyJSONValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Return whether two values are the same; `undefined` is one. */
export function same(one: unknown, other: unknown): boolean {
  if (one === other) {
    return true;
  }
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) && one.length === other.length && one.every((item, i) => same(item, other[i]))
    );
  }
  if (!isObject(one) || !isObject(other)) {
    return false;
  }
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every(name => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}

/**
 * Return a copy of a value as it can be shared: text without lone surrogates, fields without `undefined`.
 *
 * @throws TypeError if there is something in it that is not JSON.
 */
export function shared(value: unknown, depth = 0): ReadonlyJSONValue {
  if (depth > MAX_DEPTH) {
    throw new TypeError(`It is nested more than ${MAX_DEPTH} levels deep.`);
  }
  if (typeof value === 'string') {
    return wellFormed(value);
  }
  if (value === null || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))) {
    return value;
  }
  if (Array.isArray(value)) {
    return value.map(item => shared(item, depth + 1));
  }
  if (isObject(value)) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([name, item]) => [wellFormed(name), shared(item, depth + 1)])
    );
  }
  throw new TypeError(`A value of type ${typeof value} cannot be in a document.`);
}

const LONE_SURROGATE = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/** Return a text without lone surrogates. */
export function wellFormed(text: string): string {
  return text.replace(LONE_SURROGATE, '\uFFFD');
}
