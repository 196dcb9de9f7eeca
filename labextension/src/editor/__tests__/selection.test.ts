import { describe, expect, it } from 'vitest';

import { Selection } from '../selection';
import type { ISnapshot } from '../../document/types';

const STAGE = { kind: 'stages', key: 'a' } as const;
const NOTE = { kind: 'notes', key: 'n' } as const;

describe('Selection', () => {
  it('tells when it is another one, and only then', () => {
    const selection = new Selection();
    let changes = 0;
    selection.changed.connect(() => changes++);
    selection.set([STAGE, NOTE]);
    selection.set([{ ...STAGE }, { ...NOTE }]);
    expect(changes).toBe(1);
    expect(selection.keys('stages')).toEqual(['a']);
    expect(selection.only).toBeNull();
    selection.set([NOTE]);
    expect(changes).toBe(2);
    expect(selection.only).toEqual(NOTE);
  });

  it('drops what is no longer there', () => {
    const selection = new Selection();
    selection.set([STAGE, NOTE]);
    const snapshot: ISnapshot = { meta: {}, stages: {}, transitions: {}, notes: { n: {} }, groups: {} };
    selection.prune(snapshot);
    expect(selection.items).toEqual([NOTE]);
  });
});
