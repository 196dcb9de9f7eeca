/**
 * Documents as text. The Python twin reads and writes the same, to the byte: rooms compare it.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { findNodeAtLocation, parseTree, printParseErrorCode, visit } from 'jsonc-parser';

import { isObject, MAX_DEPTH, shared, write, writeObject } from './json';
import { explain } from './problems';
import { FORMAT, isStageType, KINDS } from './types';
import type { Fields, FileProblemCode, IFileProblem, Kind } from './types';
import { upgrade, UpgradeError } from './upgrades';

/** The collections, and what is beside them. */
export type Content = { readonly meta: Fields } & { readonly [K in Kind]: Readonly<Record<string, Fields>> };

export type Parsed = { readonly content: Content } | { readonly problem: IFileProblem };

type Path = readonly (string | number)[];

/** Longer integers are taken for a mistake. */
const MAX_DIGITS = 40;

/** What is in a document of which there is nothing yet. */
export const EMPTY: Content = { meta: {}, stages: {}, transitions: {}, notes: {}, groups: {} };

/** Texts of stages, transitions, notes and groups, which are never changed. */
const texts = new WeakMap<Fields, string>();

/** Return the one text of a document; no text at all if it is a new one. */
export function canonicalText(content: Content): string {
  if (Object.keys(content.meta).length === 0 && KINDS.every(kind => isEmpty(content[kind]))) {
    return '';
  }
  const value: Record<string, unknown> = { ...content.meta };
  for (const kind of KINDS) {
    if (kind === 'stages' || kind === 'transitions' || !isEmpty(content[kind])) {
      value[kind] = content[kind];
    }
  }
  return (
    writeObject(value, 0, (part, name) =>
      (KINDS as readonly string[]).includes(name)
        ? writeObject(part as Record<string, Fields>, 1, textOf)
        : write(part, 1)
    ) + '\n'
  );
}

function textOf(thing: Fields): string {
  let text = texts.get(thing);
  if (text === undefined) {
    texts.set(thing, (text = write(thing, 2)));
  }
  return text;
}

/**
 * Return what a text holds, or why it cannot be shown.
 *
 * A graph need not be a valid document: what can be drawn and mended on a canvas is a finding of a check.
 */
export function parse(text: string): Parsed {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  if (json === '') {
    return { content: EMPTY };
  }
  const deep = placeOfDepth(json);
  if (deep !== null) {
    return problem('too-deep', [String(MAX_DEPTH)], placeAt(json, deep));
  }
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return syntaxProblem(json);
  }
  const doubtful = doubtfulPart(json);
  if (doubtful !== null) {
    return doubtful;
  }
  if (!isObject(value)) {
    return problem('not-object', [], { line: 1, column: 1 });
  }
  return graph(json, value);
}

/** Return the graph in a document's JSON. */
function graph(json: string, value: Record<string, unknown>): Parsed {
  const format = value.format ?? (Array.isArray(value.stages) ? 0 : null);
  if (format === null) {
    return problem('missing-format', [], { field: 'format' });
  }
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 0) {
    return problem('bad-format', [], place(json, ['format']));
  }
  if (format > FORMAT) {
    return problem('newer-format', [String(format)], place(json, ['format']));
  }
  try {
    value = upgrade(value, format);
  } catch (error) {
    if (error instanceof UpgradeError) {
      return problem(error.code, [], place(json, error.path));
    }
    throw error;
  }
  for (const kind of KINDS) {
    const collection = kind in value ? value[kind] : {};
    if (!isObject(collection)) {
      return problem('not-object', [], place(json, [kind]));
    }
    for (const [key, thing] of Object.entries(collection)) {
      if (!isObject(thing)) {
        return problem('not-object', [], place(json, [kind, key]));
      }
      if (kind === 'stages' && !isStageType(thing.type)) {
        const found = 'type' in thing ? write(thing.type).slice(0, 40) : '';
        return problem('stage-type', [found], place(json, [kind, key, 'type']));
      }
      if (kind === 'transitions') {
        const end = ['source', 'target'].find(name => typeof thing[name] !== 'string');
        if (end !== undefined) {
          return problem('transition-end', [], place(json, [kind, key, end]));
        }
      }
    }
  }
  const { stages = {}, transitions = {}, notes = {}, groups = {}, ...meta } = shared(value) as Fields;
  return { content: { meta, stages, transitions, notes, groups } as Content };
}

function problem(
  code: FileProblemCode,
  values: readonly string[],
  where: Pick<IFileProblem, 'line' | 'column' | 'field'>
): { problem: IFileProblem } {
  const kind = code === 'newer-format' ? 'newer' : 'invalid';
  const message = explain({ code, values }, nullTranslator.load('jupyter_workflows'));
  return { problem: { kind, code, values, message, ...where } };
}

/** Return what a file is said to be that can be read here. */
export function unknownProblem(kind: 'invalid' | 'newer'): IFileProblem {
  return { ...problem('unknown', [], {}).problem, kind };
}

function syntaxProblem(json: string): Parsed {
  let found: { name: string; line: number; column: number } | null = null;
  visit(
    json,
    {
      onError: (code, _offset, _length, line, character) => {
        found ??= { name: printParseErrorCode(code), line: line + 1, column: character + 1 };
      }
    },
    { disallowComments: true }
  );
  const { name, ...where } = found ?? { name: '', line: 1, column: 1 };
  return problem('syntax', [name], where);
}

/** Return the first part of a text of which readers would make different things. */
function doubtfulPart(json: string): Parsed | null {
  let found: Parsed | null = null;
  const names: Set<string>[] = [];
  visit(json, {
    onObjectBegin: () => {
      names.push(new Set());
    },
    onObjectEnd: () => {
      names.pop();
    },
    onObjectProperty: (name, _offset, _length, line, character, path) => {
      const known = names[names.length - 1];
      if (known.has(name)) {
        found ??= problem('duplicate-key', [name], {
          line: line + 1,
          column: character + 1,
          field: dotted([...path(), name])
        });
      }
      known.add(name);
    },
    onLiteralValue: (value, offset, length, line, character, path) => {
      if (typeof value === 'number' && (length > MAX_DIGITS || !Number.isFinite(value))) {
        const digits = json.slice(offset, offset + length);
        if (!Number.isFinite(value) || !/[.eE]/.test(digits)) {
          const short = length > 20 ? `${digits.slice(0, 20)}…` : digits;
          found ??= problem('too-large', [short], {
            line: line + 1,
            column: character + 1,
            field: dotted(path())
          });
        }
      }
    }
  });
  return found;
}

/** Return where a text is nested too deeply, as an offset. */
function placeOfDepth(json: string): number | null {
  let depth = 0;
  for (let i = 0; i < json.length; i++) {
    switch (json.charCodeAt(i)) {
      case 0x22 /* " */:
        for (i++; i < json.length && json.charCodeAt(i) !== 0x22; i++) {
          if (json.charCodeAt(i) === 0x5c /* \ */) {
            i++;
          }
        }
        break;
      case 0x5b /* [ */:
      case 0x7b /* { */:
        if (++depth > MAX_DEPTH) {
          return i;
        }
        break;
      case 0x5d /* ] */:
      case 0x7d /* } */:
        depth--;
        break;
    }
  }
  return null;
}

/** Return where a part of a document is in its text: if it is not there, where what it is part of begins. */
function place(json: string, path: Path): Pick<IFileProblem, 'line' | 'column' | 'field'> {
  const tree = parseTree(json);
  for (let length = path.length; tree !== undefined && length > 0; length--) {
    const node = findNodeAtLocation(tree, path.slice(0, length));
    if (node !== undefined) {
      // Of something in an object, its name.
      const offset = node.parent?.type === 'property' ? node.parent.offset : node.offset;
      return { ...placeAt(json, offset), field: dotted(path) };
    }
  }
  return { field: dotted(path) };
}

function placeAt(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: lines.length, column: lines[lines.length - 1].length + 1 };
}

function dotted(path: Path): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
    .join('');
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
