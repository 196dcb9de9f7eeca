import { nullTranslator } from '@jupyterlab/translation';
import { expect, it } from 'vitest';

import { ProblemError } from '../../client/problems';
import { wordsOf } from '../session';
import { describe as words, isArtifact, isTagged, pathOf, sizeOf } from '../values';

const trans = nullTranslator.load('jupyter_workflows');

it('writes paths as Python reads them', () => {
  expect(pathOf(['order', 'lines', 2, 'a "b"'])).toBe('stage["order"]["lines"][2]["a \\"b\\""]');
});

it('tells values apart', () => {
  const frame = { kind: 'artifact', type: 'dataframe', hash: 'x', size: 1, library: 'pandas', shape: [3, 2] };
  expect(isArtifact(frame)).toBe(true);
  expect(isArtifact({ kind: 'artifact' })).toBe(false);
  expect(words(frame as never, trans)).toBe('pandas DataFrame, 3 × 2');
  expect(isTagged({ kind: 'date', value: '2026-01-01' })).toBe(true);
  expect(isTagged({ kind: 'date', value: 1, other: 2 })).toBe(false);
  expect([0, 999, 1500, 2_000_000].map(sizeOf)).toEqual(['0 B', '999 B', '1.5 kB', '2.0 MB']);
});

it('says what is wrong and what to do', () => {
  const finding = { severity: 'error', message: 'There is no notebook.', mend: 'Make one.' };
  const error = new ProblemError(422, {
    detail: 'It has errors',
    mend: 'Mend it',
    findings: [finding as never]
  });
  expect(wordsOf(error)).toBe('It has errors. There is no notebook. Make one.');
  expect(wordsOf(new ProblemError(409, { detail: 'No', mend: 'Wait' }))).toBe('No. Wait.');
});
