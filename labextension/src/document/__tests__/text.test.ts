import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import problems from '../../../../tests/collaboration/vectors/problems.json';
import texts from '../../../../tests/collaboration/vectors/texts.json';
import canonical from '../../../../tests/model/test_document_vectors.json';
import { write } from '../json';
import { canonicalText, parse } from '../text';
import type { Content } from '../text';
import { YWorkflow } from '../ydoc';
import { json } from './documents';

function contentOf(text: string): Content {
  const parsed = parse(text);
  if ('problem' in parsed) {
    throw new Error(parsed.problem.message);
  }
  return parsed.content;
}

describe('canonical text', () => {
  it.each(canonical)('of JSON: $about', ({ json, text }) => {
    expect(write(JSON.parse(json)) + '\n').toBe(text);
  });

  it.each(texts)('of a document: $about', ({ text, canonical }) => {
    expect(canonicalText(contentOf(text))).toBe(canonical);
    expect(canonicalText(contentOf(canonical))).toBe(canonical);
  });

  it('reads back the same', () => {
    fc.assert(
      fc.property(json, value => {
        const text = canonicalText({ ...contentOf(''), meta: { format: 1, value: value as never } });
        expect(canonicalText(contentOf(text))).toBe(text);
      })
    );
  });
});

describe('problems', () => {
  it.each(problems)('$about', ({ text, problem, code, line, column, field }) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ problem: { kind: problem, code } });
    const found = 'problem' in parsed ? parsed.problem : null;
    expect([found?.line, found?.column, found?.field]).toEqual([line, column, field]);
    expect(found?.message).toMatch(/^[^%]+[.}]$/);
  });

  it.each(problems)('are kept as they are: $about', ({ text }) => {
    const document = new YWorkflow();
    document.setSource(text);
    expect(document.problem).not.toBeNull();
    expect(document.getSource()).toBe(text);
    expect(() => document.edit(draft => draft.patchMeta({ title: 'A' }))).toThrow();
    expect(document.getSource()).toBe(text);
  });

  it('of any text are told', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), text => {
        const document = new YWorkflow();
        document.setSource(text);
        expect(document.getSource()).toBe(text.toWellFormed());
      })
    );
    const document = new YWorkflow();
    document.setSource('['.repeat(1_000_000));
    expect(document.problem?.code).toBe('too-deep');
  }, 60_000);
});
