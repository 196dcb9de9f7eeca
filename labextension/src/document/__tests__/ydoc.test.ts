import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import texts from '../../../../tests/collaboration/vectors/texts.json';
import { canonicalText, parse } from '../text';
import type { IStage } from '../types';
import { YWorkflow } from '../ydoc';
import type { WorkflowChange } from '../ydoc';
import { companion, json, row, stage, sync } from './documents';

/** What the Python twin shares of this text. */
const TEXT = '{"format": 1, "stages": {"a": {"type": "form", "position": [280, 0.5]}}}';
const PYTHON =
  '0105000028010466696c6506736f75726365017601047465787477487b22666f726d6174223a20312c2022737461676573223a207b2261223a207b2274797065223a2022666f726d222c2022706f736974696f6e223a205b3238302c20302e355d7d7d7d280108776f726b666c6f7706666f726d6174017c3f8000002701067374616765730161012800000208706f736974696f6e0175027c438c00007c3f000000280000020474797065017704666f726d00';

function changes(document: YWorkflow): WorkflowChange[] {
  const seen: WorkflowChange[] = [];
  document.changed.connect((_, change) => {
    if (change.stateChange === undefined) {
      seen.push(change);
    }
  });
  return seen;
}

describe('source', () => {
  it.each(texts)('is what was loaded until the graph differs: $about', ({ text, canonical }) => {
    const document = new YWorkflow();
    document.setSource(text);
    expect(document.problem).toBeNull();
    expect(document.getSource()).toBe(text);
    expect(document.dirty).toBe(false);

    document.edit(draft => draft.patchMeta({ more: 1 }));
    expect(document.dirty).toBe(true);
    expect(document.getSource()).not.toBe(text);
    document.edit(draft => draft.patchMeta({ more: undefined }));
    if (document.snapshot.meta.uid === JSON.parse(canonical || '{}').uid) {
      expect(document.getSource()).toBe(text);
    }
  });

  it('is the canonical text after an edit', () => {
    const document = new YWorkflow();
    document.setSource('{"format": 1, "uid": "a", "title": "A", "stages": {}, "transitions": {}}');
    document.edit(draft => draft.put('stages', 's1', stage('s1')));
    expect(document.getSource()).toBe(
      '{\n  "format": 1,\n  "stages": {\n    "s1": {\n      "notebook": "s1.ipynb",\n      "path": "s1",\n' +
        '      "title": "s1",\n      "type": "script"\n    }\n  },\n  "title": "A",\n  "transitions": {},\n  "uid": "a"\n}\n'
    );
  });

  it('gives a new workflow its identity with the first edit, which undo leaves', () => {
    const document = new YWorkflow();
    document.newTitle = 'Leave';
    document.setSource('');
    expect(document.getSource()).toBe('');
    expect(document.snapshot.meta).toEqual({ title: '' });
    document.edit(draft => draft.put('stages', 's1', stage('s1')));
    const { uid, format, title } = document.snapshot.meta;
    expect([typeof uid, format, title]).toEqual(['string', 1, 'Leave']);
    document.undo();
    expect(document.snapshot.stages).toEqual({});
    expect(document.snapshot.meta.uid).toBe(uid);
  });

  it('gives two who edit a new workflow at once one identity', () => {
    const one = new YWorkflow();
    const other = new YWorkflow();
    one.edit(draft => draft.put('stages', 's1', stage('s1')));
    other.edit(draft => draft.put('stages', 's2', stage('s2')));
    sync(one, other);
    expect(one.snapshot.meta.uid).toBe(other.snapshot.meta.uid);
    expect(one.getSource()).toBe(other.getSource());
  });

  it('applies only what differs', () => {
    const document = row('a', 'b', 'c');
    const { stages } = document.snapshot;
    const seen = changes(document);
    document.setSource(document.getSource());
    expect(seen).toEqual([]);
    document.setSource(document.getSource().replace('"title": "b"', '"title": "B"'));
    expect(seen).toHaveLength(1);
    expect(document.snapshot.stages.a).toBe(stages.a);
    expect(document.snapshot.stages.b.title).toBe('B');
    expect(document.snapshot.stages.b.position).toBe(stages.b.position);
    expect(document.canUndo()).toBe(false);
  });

  it('can go bad and be mended, without an undo of what others see', () => {
    const document = row('a', 'b');
    document.edit(draft => draft.patch('stages', 'a', { title: 'A' }));
    const good = document.getSource();
    const snapshot = document.snapshot;
    const seen = changes(document);
    document.setSource('<<<');
    expect(document.problem).toMatchObject({ kind: 'invalid', line: 1, column: 1 });
    expect(document.getSource()).toBe('<<<');
    expect([document.canUndo(), document.undo(), document.canRedo(), document.redo()]).toEqual([
      false,
      false,
      false,
      false
    ]);
    document.setSource('<<');
    document.setSource('{"format": 1,}');
    document.setSource(good);
    expect(document.problem).toBeNull();
    expect(document.getSource()).toBe(good);
    expect(document.snapshot).toBe(snapshot);
    expect(seen.map(change => change.problemChange)).toEqual([true, true, true]);
    expect(document.canUndo()).toBe(true);
  });

  it('says what a server could not read', () => {
    const document = new YWorkflow();
    document.ydoc.getMap('file').set('source', { text: '{"format": 1}', problem: 'newer' });
    expect(document.problem).toMatchObject({ kind: 'newer', code: 'unknown' });
    expect(document.getSource()).toBe('{"format": 1}');
  });
});

describe('snapshots', () => {
  it('keep what is unchanged', () => {
    const document = row('a', 'b', 'c');
    const before = document.snapshot;
    document.edit(draft => draft.patch('stages', 'b', { title: 'B' }));
    const after = document.snapshot;
    expect(after).not.toBe(before);
    expect(after.stages).not.toBe(before.stages);
    expect(after.stages.a).toBe(before.stages.a);
    expect(after.stages.c).toBe(before.stages.c);
    expect(after.stages.b).not.toBe(before.stages.b);
    expect(after.stages.b.position).toBe(before.stages.b.position);
    expect(after.transitions).toBe(before.transitions);
    expect(after.meta).toBe(before.meta);
    expect(before.stages.b.title).toBe('b');
    document.undo();
    expect(document.snapshot.stages.a).toBe(before.stages.a);
  });

  it('stay the same where nothing changes', () => {
    const document = row('a');
    const before = document.snapshot;
    const seen = changes(document);
    document.edit(draft => {
      draft.patch('stages', 'a', { title: 'a', position: [0, 0] });
      draft.patch('stages', 'gone', { title: 'x' });
      draft.remove('notes', 'gone');
      draft.put('stages', 'a', document.snapshot.stages.a);
    });
    expect(document.snapshot).toBe(before);
    expect(seen).toEqual([]);
    expect(document.canUndo()).toBe(false);
    expect(document.dirty).toBe(false);
  });

  it('are not touched by what is done to the values of an edit', () => {
    const document = row('a');
    const position = [1, 2];
    document.edit(draft => draft.patch('stages', 'a', { position: position as never }));
    position[0] = 9;
    expect(document.snapshot.stages.a.position).toEqual([1, 2]);
  });

  it('hold nothing that is not in the document', () => {
    const { stages } = row('a').snapshot;
    expect(stages['constructor']).toBeUndefined();
    expect('toString' in stages).toBe(false);
  });

  it('have fields of the types that they ought to have, whatever the file says', () => {
    const document = new YWorkflow();
    const text = JSON.stringify({
      format: 1,
      uid: 5,
      title: null,
      board: [],
      stages: {
        a: {
          type: 'form',
          title: {},
          position: ['x', null],
          disabled: 'yes',
          retries: 3,
          assignee: {},
          x: {}
        },
        b: {
          type: 'job',
          path: 'b',
          title: 'B',
          notebook: 'b.ipynb',
          schedule: { cron: 5 },
          position: [1, 2]
        }
      },
      transitions: { t: { source: 'a', target: 'gone', label: { no: 1 }, order: 'first', condition: null } },
      notes: { n: { text: 5, size: [1] } },
      groups: { g: { stages: ['a', 1], collapsed: true } }
    });
    document.setSource(text);
    expect(document.problem).toBeNull();
    expect(document.snapshot).toEqual({
      meta: { format: 1, title: '' },
      stages: {
        a: { type: 'form', path: '', title: '', notebook: '', x: {} },
        b: { type: 'job', path: 'b', title: 'B', notebook: 'b.ipynb', position: [1, 2] }
      },
      transitions: { t: { source: 'a', target: 'gone' } },
      notes: { n: {} },
      groups: { g: { collapsed: true } }
    });
    expect(document.getSource()).toBe(text);
    document.edit(draft => draft.patch('stages', 'a', { title: 'A' }));
    expect(JSON.parse(document.getSource()).stages.a).toMatchObject({
      title: 'A',
      retries: 3,
      disabled: 'yes'
    });
  });
});

describe('edits', () => {
  it('are one step of undo each, and tell once', () => {
    const document = row('a', 'b');
    const seen = changes(document);
    document.edit(draft => {
      draft.remove('stages', 'b');
      draft.remove('transitions', 't0');
      draft.patchMeta({ description: 'x' });
    });
    document.edit(draft => draft.patch('stages', 'a', { title: 'A' }));
    expect(seen).toHaveLength(2);
    document.undo();
    expect(document.snapshot.stages.a.title).toBe('a');
    expect(document.snapshot.stages.b).toBeUndefined();
    document.undo();
    expect(Object.keys(document.snapshot.stages)).toEqual(['a', 'b']);
    expect(document.snapshot.transitions.t0).toEqual({ source: 'a', target: 'b' });
    expect(document.snapshot.meta.description).toBeUndefined();
    expect(document.canUndo()).toBe(false);
    document.redo();
    document.redo();
    expect(document.snapshot.stages.a.title).toBe('A');
    expect(document.canRedo()).toBe(false);
    expect(seen).toHaveLength(6);
  });

  it('change nothing if they go wrong', () => {
    const document = row('a');
    const before = document.snapshot;
    for (const value of [NaN, Infinity, [[NaN]], () => 1, Symbol('a')]) {
      expect(() =>
        document.edit(draft => {
          draft.patch('stages', 'a', { title: 'A' });
          draft.patch('stages', 'a', { value: value as never });
        })
      ).toThrow(TypeError);
    }
    expect(document.snapshot).toBe(before);
    expect(document.canUndo()).toBe(false);
  });

  it('of others are not undone here', () => {
    const one = row('a', 'b');
    const other = companion(one);
    other.edit(draft => draft.patch('stages', 'b', { title: 'theirs' }));
    sync(one, other);
    expect(one.canUndo()).toBe(false);
    one.edit(draft => draft.patch('stages', 'a', { title: 'mine' }));
    one.undo();
    expect(one.snapshot.stages.b.title).toBe('theirs');
  });
});

describe('two at once', () => {
  it('change different fields of a stage', () => {
    const one = row('a');
    const other = companion(one);
    one.edit(draft => draft.patch('stages', 'a', { title: 'A' }));
    other.edit(draft => draft.patch('stages', 'a', { timeout: 5 }));
    sync(one, other);
    expect(one.snapshot.stages.a).toMatchObject({ title: 'A', timeout: 5 });
    expect(one.getSource()).toBe(other.getSource());
  });

  it('delete and edit: the undo brings the whole stage back', () => {
    const one = row('a', 'b');
    const other = companion(one);
    const before = one.snapshot.stages.b;
    one.edit(draft => {
      draft.remove('stages', 'b');
      draft.remove('transitions', 't0');
    });
    other.edit(draft => {
      draft.patch('stages', 'b', { title: 'theirs', type: 'form' });
      draft.put('transitions', 't9', { source: 'b', target: 'a' });
    });
    sync(one, other);
    for (const document of [one, other]) {
      expect(document.snapshot.stages.b).toBeUndefined();
      expect(document.snapshot.transitions).toEqual({ t9: { source: 'b', target: 'a' } });
    }
    const seen = changes(one);
    one.undo();
    expect(seen).toHaveLength(1);
    expect(one.snapshot.stages.b).toEqual(before);
    sync(one, other);
    expect(other.snapshot.stages.b).toEqual(before);
    one.redo();
    expect(one.snapshot.stages.b).toBeUndefined();
    one.undo();
    expect(one.snapshot.stages.b).toEqual(before);
    expect(other.getSource()).not.toBe('');
  });

  it('add and edit: a redo after an undo brings the whole stage back', () => {
    const one = row('a');
    const other = companion(one);
    one.edit(draft => draft.put('stages', 'b', stage('b')));
    sync(one, other);
    other.edit(draft => draft.patch('stages', 'b', { title: 'theirs' }));
    sync(one, other);
    one.undo();
    other.edit(draft => draft.patch('stages', 'b', { title: 'later' }));
    sync(one, other);
    one.redo();
    expect(one.snapshot.stages.b).toEqual({ ...stage('b'), title: 'theirs' });
  });

  const key = fc.constantFrom('a', 'b', 'c', 'd');
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), key }),
    fc.record({
      do: fc.constant('patch' as const),
      key,
      field: fc.constantFrom('title', 'notebook', 'position', 'timeout', 'x'),
      value: fc.option(json, { nil: undefined })
    }),
    fc.record({ do: fc.constant('remove' as const), key }),
    fc.record({ do: fc.constant('link' as const), key, target: key }),
    fc.record({ do: fc.constantFrom('undo' as const, 'redo' as const, 'sync' as const) }),
    fc.record({ do: fc.constant('load' as const) })
  );
  const FIELDS: Record<string, unknown> = { title: 'T', notebook: 'n.ipynb', position: [1, 2], timeout: 5 };

  function take(document: YWorkflow, other: YWorkflow, one: fc.TypeOf<typeof step>): void {
    switch (one.do) {
      case 'put':
        return document.edit(draft => draft.put('stages', one.key, stage(one.key)));
      case 'patch':
        return document.edit(draft =>
          draft.patch('stages', one.key, { [one.field]: FIELDS[one.field] ?? one.value } as Partial<IStage>)
        );
      case 'remove':
        return document.edit(draft => draft.remove('stages', one.key));
      case 'link':
        return document.edit(draft =>
          draft.put('transitions', one.key + one.target, { source: one.key, target: one.target })
        );
      case 'load':
        return document.setSource(other.getSource());
      case 'sync':
        return sync(document, other);
      default:
        document[one.do]();
    }
  }

  it('whatever they do, have the same valid document in the end', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), step), { maxLength: 30 }), steps => {
        const one = row('a', 'b');
        const other = companion(one);
        for (const [first, what] of steps) {
          take(first ? one : other, first ? other : one, what);
          for (const document of [one, other]) {
            const parsed = parse(document.getSource());
            expect('content' in parsed && canonicalText(parsed.content)).toBe(document.getSource());
          }
        }
        sync(one, other);
        expect(other.getSource()).toBe(one.getSource());
        // What is drawn is what a third who opens it now would draw, and nothing had to be mended.
        const third = companion(one);
        expect(third.snapshot).toEqual(one.snapshot);
        expect(other.snapshot).toEqual(one.snapshot);
        for (const drawn of Object.values(one.snapshot.stages)) {
          expect([drawn.path, drawn.notebook, drawn.title]).not.toContain('');
        }
      }),
      { numRuns: 100 }
    );
  }, 60_000);
});

it('reads what the Python twin writes', () => {
  const document = new YWorkflow();
  Y.applyUpdate(document.ydoc, Uint8Array.from(Buffer.from(PYTHON, 'hex')));
  expect(document.snapshot.stages.a).toMatchObject({ type: 'form', position: [280, 0.5] });
  expect(document.getSource()).toBe(TEXT);
  document.edit(draft => draft.patch('stages', 'a', { title: 'A' }));
  expect(document.getSource()).toContain('"position": [\n        280,\n        0.5\n      ]');
});
