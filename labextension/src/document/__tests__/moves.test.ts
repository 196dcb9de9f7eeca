import { describe, expect, it } from 'vitest';

import { relocated } from '../moves';
import { row, stage } from './documents';

function moves(document: string, from: string, to: string): Record<string, string> {
  const workflow = row();
  workflow.edit(draft => {
    draft.put('stages', 'a', stage('a', { notebook: 'stages/a.ipynb' }));
    draft.put('stages', 'b', stage('b', { notebook: 'b.ipynb' }));
    draft.put('stages', 'c', stage('c', { notebook: '' }));
  });
  return Object.fromEntries(relocated(workflow.snapshot, document, from, to));
}

describe('notebooks that are moved', () => {
  it.each([
    [
      'a notebook is renamed',
      'p/x.workflow',
      'p/stages/a.ipynb',
      'p/stages/z.ipynb',
      { a: 'stages/z.ipynb' }
    ],
    ['a notebook is moved', 'p/x.workflow', 'p/b.ipynb', 'p/stages/b.ipynb', { b: 'stages/b.ipynb' }],
    ['a folder is renamed', 'p/x.workflow', 'p/stages', 'p/steps', { a: 'steps/a.ipynb' }],
    ['at the top', 'x.workflow', 'stages', 'steps/all', { a: 'steps/all/a.ipynb' }],
    ['a name begins alike', 'x.workflow', 'stage', 'steps', {}],
    ['a notebook leaves the project', 'p/x.workflow', 'p/b.ipynb', 'b.ipynb', {}],
    ['another project', 'p/x.workflow', 'q/b.ipynb', 'q/c.ipynb', {}],
    ['the project is renamed, not known yet', 'p/x.workflow', 'p', 'q', {}],
    ['the project is renamed, known already', 'q/x.workflow', 'p', 'q', {}],
    ['the project becomes part of another', 'q/p/x.workflow', 'p', 'q/p', {}]
  ])('%s', (_, document, from, to, expected) => {
    expect(moves(document, from, to)).toEqual(expected);
  });
});
