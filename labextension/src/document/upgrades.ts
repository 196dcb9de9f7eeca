/**
 * Steps that bring documents of older formats up to the current one, as `model/upgrades.py` does.
 */
import { digest } from 'lib0/hash/sha256';

import { isObject, write } from './json';
import { FORMAT } from './types';

type Json = Record<string, unknown>;

/** A document of an older format is not well formed. */
export class UpgradeError extends Error {
  constructor(
    readonly path: readonly (string | number)[],
    readonly code: 'list-of-objects' | 'stage-id' | 'stage-id-twice'
  ) {
    super(code);
  }
}

/** Return a document's JSON in the current format. */
export function upgrade(value: Json, version: number): Json {
  return version === 0 ? { ...fromFormat0(value), format: FORMAT } : value;
}

function fromFormat0(value: Json): Json {
  const stages = new Map<string, Json>();
  objects(value, 'stages').forEach(({ id, ...stage }, index) => {
    if (typeof id !== 'string' || id === '') {
      throw new UpgradeError(['stages', index, 'id'], 'stage-id');
    }
    if (stages.has(id)) {
      throw new UpgradeError(['stages', index, 'id'], 'stage-id-twice');
    }
    stages.set(id, stage);
  });
  const transitions = objects(value, 'transitions').map((old, index): [string, Json] => {
    const { from, to, ...transition } = old;
    if ('from' in old) {
      transition.source = from;
    }
    if ('to' in old) {
      transition.target = to;
    }
    if (transition.condition === null || transition.condition === '') {
      delete transition.condition;
    }
    // The list's order was the branch order.
    return [`t${index + 1}`, 'order' in transition ? transition : { ...transition, order: index }];
  });
  const title = 'title' in value ? value.title : '';
  return {
    uid: uidOf(title, [...stages.keys()]),
    title,
    ...value,
    stages: Object.fromEntries(stages),
    transitions: Object.fromEntries(transitions)
  };
}

function objects(value: Json, field: string): Json[] {
  const items = field in value ? value[field] : [];
  if (!Array.isArray(items) || !items.every(isObject)) {
    throw new UpgradeError([field], 'list-of-objects');
  }
  return items;
}

/** Every reader must find the same identity, so it follows from the content. */
function uidOf(title: unknown, keys: string[]): string {
  const bytes = digest(new TextEncoder().encode(write([title, keys.sort()]) + '\n')).slice(0, 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x50;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
