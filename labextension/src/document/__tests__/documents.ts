/**
 * Documents for tests, also such as nobody would write.
 */
import fc from 'fast-check';
import * as Y from 'yjs';

import type { IStage } from '../types';
import { YWorkflow } from '../ydoc';

/** Any JSON, of the kind that documents hold. `__proto__` does not survive the way between browsers. */
export const json = fc
  .jsonValue({ maxDepth: 3, stringUnit: 'grapheme' })
  .filter(value => !JSON.stringify(value).includes('__proto__'));

export function stage(path: string, fields: object = {}): IStage {
  return { type: 'script', path, title: path, notebook: `${path}.ipynb`, ...fields };
}

/** A document with some stages in a row. */
export function row(...keys: string[]): YWorkflow {
  const document = new YWorkflow();
  document.edit(draft => {
    draft.patchMeta({ title: 'Row' });
    keys.forEach((key, i) => draft.put('stages', key, stage(key, { position: [i * 280, 0] })));
    keys.slice(1).forEach((key, i) => draft.put('transitions', `t${i}`, { source: keys[i], target: key }));
  });
  document.undoManager.clear();
  document.dirty = false;
  return document;
}

/** Give two documents what each has of its own. */
export function sync(one: YWorkflow, other: YWorkflow): void {
  const updates = [
    Y.encodeStateAsUpdate(one.ydoc, Y.encodeStateVector(other.ydoc)),
    Y.encodeStateAsUpdate(other.ydoc, Y.encodeStateVector(one.ydoc))
  ];
  Y.applyUpdate(other.ydoc, updates[0]);
  Y.applyUpdate(one.ydoc, updates[1]);
}

/** Return another who has the same document open. */
export function companion(document: YWorkflow): YWorkflow {
  const other = new YWorkflow();
  sync(document, other);
  return other;
}
