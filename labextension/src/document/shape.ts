/**
 * What a document holds, with every known field of the type that it ought to have.
 *
 * A canvas must not stumble over a document that is odd: a field that is of another type is left out, or empty
 * where it has to be there. The schema binds; a check of the document tells people what is wrong.
 */
import { isObject } from './json';
import { isStageType } from './types';
import type { Fields, Kind } from './types';

type Test = (value: unknown) => boolean;

const text: Test = value => typeof value === 'string';
const number: Test = value => typeof value === 'number' && Number.isFinite(value);
const flag: Test = value => typeof value === 'boolean';
const object: Test = isObject;
const point: Test = value => Array.isArray(value) && value.length === 2 && value.every(number);
const oneOf =
  (...values: string[]): Test =>
  value =>
    typeof value === 'string' && values.includes(value);
const listOf =
  (test: Test): Test =>
  value =>
    Array.isArray(value) && value.every(test);
const mapOf =
  (test: Test): Test =>
  value =>
    isObject(value) && Object.values(value).every(test);
/** An object in which some fields have to be there, and others may. */
const record =
  (required: Record<string, Test>, optional: Record<string, Test> = {}): Test =>
  value =>
    isObject(value) &&
    Object.entries(required).every(([name, test]) => test(value[name])) &&
    Object.entries(optional).every(([name, test]) => value[name] === undefined || test(value[name]));

interface IShape {
  /** What has to be there, and what stands for it where it is not. */
  readonly required: Readonly<Record<string, readonly [test: Test, instead: string]>>;
  readonly optional: Readonly<Record<string, Test>>;
}

const SHAPES: Readonly<Record<Kind | 'meta', IShape>> = {
  meta: {
    required: { title: [text, ''] },
    optional: { format: number, uid: text, description: text, board: record({}, { fields: listOf(text) }) }
  },
  stages: {
    required: {
      type: [isStageType, 'script'],
      path: [text, ''],
      title: [text, ''],
      notebook: [text, '']
    },
    optional: {
      position: point,
      start: value => flag(value) || oneOf('members', 'anyone-signed-in')(value),
      disabled: flag,
      retries: record({}, { max: number, delay: number, backoff: number }),
      timeout: number,
      kernel: text,
      executor: text,
      join: oneOf('any', 'all', 'settled'),
      per: text,
      collect: mapOf(text),
      after_crash: oneOf('retry', 'fail'),
      memory: text,
      pool: text,
      pinned: object,
      test: record(
        {},
        { data: object, answers: value => object(value) || listOf(object)(value), request: object }
      ),
      assignee: value => text(value) || record({ from: text })(value),
      due: text,
      remind: text,
      expires: text,
      methods: listOf(oneOf('GET', 'POST', 'PUT', 'PATCH', 'DELETE')),
      auth: record({}, { kind: oneOf('token', 'signature', 'none') }),
      route: text,
      response: oneOf('wait', 'accept'),
      response_timeout: number,
      match: mapOf(text),
      schedule: record(
        { cron: text },
        {
          timezone: text,
          missed: oneOf('latest', 'all', 'skip'),
          overlap: oneOf('skip', 'queue', 'allow')
        }
      )
    }
  },
  transitions: {
    required: { source: [text, ''], target: [text, ''] },
    optional: {
      on: oneOf('completed', 'failed'),
      condition: text,
      else: flag,
      each: text,
      as: text,
      order: number,
      label: text
    }
  },
  notes: { required: {}, optional: { text, position: point, size: point, color: text } },
  groups: {
    required: {},
    optional: {
      title: text,
      stages: listOf(text),
      position: point,
      size: point,
      color: text,
      collapsed: flag
    }
  }
};

/** Return what is drawn of something: the same object, if nothing is wrong with it. */
export function shaped(kind: Kind | 'meta', fields: Fields): Fields {
  const { required, optional } = SHAPES[kind];
  const changes: Record<string, string | undefined> = {};
  for (const [name, [test, instead]] of Object.entries(required)) {
    if (!Object.hasOwn(fields, name) || !test(fields[name])) {
      changes[name] = instead;
    }
  }
  for (const name of Object.keys(fields)) {
    if (Object.hasOwn(optional, name) && !optional[name](fields[name])) {
      changes[name] = undefined;
    }
  }
  if (Object.keys(changes).length === 0) {
    return fields;
  }
  const result = { ...fields, ...changes };
  return Object.fromEntries(Object.entries(result).filter(([, value]) => value !== undefined)) as Fields;
}
