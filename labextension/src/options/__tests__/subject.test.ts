import { describe, expect, it } from 'vitest';

import { YWorkflow } from '../../document/ydoc';
import type { WorkflowEditor } from '../../editor/editor';
import { MIXED, Subject, patchOf } from '../subject';

function open(): { document: YWorkflow; subject: (...keys: string[]) => Subject } {
  const document = new YWorkflow();
  document.setSource(
    JSON.stringify({
      format: 1,
      uid: 'u',
      title: 'T',
      stages: {
        a: { type: 'script', path: 'a', title: 'A', notebook: 'a.ipynb', retries: { max: 2, delay: 5 } },
        b: { type: 'script', path: 'b', title: 'B', notebook: 'b.ipynb', retries: { max: 2 } }
      },
      transitions: {}
    })
  );
  const editor = { document, readOnly: false, isDisposed: false } as unknown as WorkflowEditor;
  return { document, subject: (...keys) => new Subject(editor, 'stages', keys, document.snapshot) };
}

describe('a subject', () => {
  it('has what its things share', () => {
    const both = open().subject('a', 'b');
    expect(both.get('type')).toBe('script');
    expect(both.get('retries.max')).toBe(2);
    expect(both.get('retries.delay')).toBe(MIXED);
    expect(both.get('timeout')).toBeUndefined();
  });

  it('changes each thing by itself, in one step', () => {
    const { document, subject } = open();
    subject('a', 'b').set('retries.max', 3);
    expect(document.snapshot.stages.a.retries).toEqual({ max: 3, delay: 5 });
    expect(document.snapshot.stages.b.retries).toEqual({ max: 3 });
    document.undo();
    expect(document.snapshot.stages.b.retries).toEqual({ max: 2 });
    subject('a', 'b').set('retries.max', undefined);
    expect(document.snapshot.stages.a.retries).toEqual({ delay: 5 });
    expect(document.snapshot.stages.b.retries).toBeUndefined();
  });

  it('makes no step where nothing changes', () => {
    const { document, subject } = open();
    const before = document.snapshot;
    subject('a', 'b').set('type', 'script');
    subject('gone').set('title', 'X');
    expect(document.snapshot).toBe(before);
    expect(document.canUndo()).toBe(false);
  });

  it('keeps what others did meanwhile', () => {
    const { document, subject } = open();
    const stale = subject('a');
    document.edit(draft => draft.patch('stages', 'a', { retries: { max: 2, delay: 9 } }));
    stale.set('retries.max', 4);
    expect(document.snapshot.stages.a.retries).toEqual({ max: 4, delay: 9 });
  });

  it('finds its messages', () => {
    const { document } = open();
    const finding = (field: string | null, message: string) =>
      ({
        code: 'x',
        severity: 'error',
        message,
        mend: 'Mend it.',
        stage: 'a',
        transition: null,
        field,
        cell: null
      }) as const;
    const findings = [finding('schedule.cron', 'Bad.'), finding(null, 'Lost.'), finding('scheduled', 'Odd.')];
    const editor = { document } as unknown as WorkflowEditor;
    const one = new Subject(editor, 'stages', ['a'], document.snapshot, findings);
    expect(one.messages('schedule')).toEqual([{ severity: 'error', text: 'Bad. Mend it.' }]);
    expect(one.otherMessages(['schedule']).map(message => message.text)).toEqual([
      'Lost. Mend it.',
      'Odd. Mend it.'
    ]);
  });
});

describe('patchOf', () => {
  it('removes what becomes empty', () => {
    expect(patchOf({ a: { b: { c: 1 } } }, 'a.b.c', undefined)).toEqual({ a: undefined });
    expect(patchOf({}, 'a.b', 1)).toEqual({ a: { b: 1 } });
    expect(patchOf({ a: 'text' }, 'a.b', 1)).toEqual({ a: { b: 1 } });
  });
});
