import { describe, expect, it } from 'vitest';

import type { ISnapshot } from '../../../document/types';
import { joined, namesInDocument, namesInNotebook, upstream } from '../names';

const stage = { type: 'script', path: 'x', title: 'X', notebook: 'x.ipynb' } as const;
const snapshot: ISnapshot = {
  meta: {},
  stages: {
    a: { ...stage, test: { data: { amount: 3, 'not a name': 1 } } },
    b: { ...stage, pinned: { amount: 4, total: 12 }, collect: { votes: 'vote' } },
    c: { ...stage, test: { data: { later: 1 } } }
  },
  transitions: {
    t: { source: 'a', target: 'b', each: 'lines', as: 'line' },
    u: { source: 'b', target: 'c' },
    v: { source: 'b', target: 'a' }
  },
  notes: {},
  groups: {}
};

describe('names', () => {
  it('come from what is before a stage', () => {
    expect([...upstream(snapshot, 'b')].sort()).toEqual(['a', 'b']);
    expect(namesInDocument(snapshot, 'b')).toEqual([
      { name: 'amount', example: 4 },
      { name: 'line', example: undefined },
      { name: 'lines', example: undefined },
      { name: 'total', example: 12 },
      { name: 'votes', example: undefined }
    ]);
    expect(namesInDocument(snapshot, 'gone')).toEqual([]);
  });

  it('come from notebooks', () => {
    const notebook = {
      cells: [
        { cell_type: 'code', source: ['stage["amount"] = 3\n', "print(stage['total'])"] },
        { cell_type: 'code', source: 'stage["two words"] = stage[key]' },
        { cell_type: 'markdown', source: 'stage["text"]' }
      ]
    };
    expect(namesInNotebook(notebook)).toEqual(['amount', 'total']);
    expect(namesInNotebook('no notebook')).toEqual([]);
  });

  it('keep an example', () => {
    expect(joined([{ name: 'b' }], [{ name: 'b', example: 1 }, { name: 'a' }])).toEqual([
      { name: 'a' },
      { name: 'b', example: 1 }
    ]);
  });
});
