/**
 * What changes the graph, until the actions are there.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ISnapshot, Kind, Point, StageType } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';

export function newKey(taken: object): string {
  let key: string;
  do {
    key = 'a' + Math.random().toString(36).slice(2, 7).padEnd(5, '0');
  } while (key in taken);
  return key;
}

export interface INewStage {
  type: StageType;
  position?: Point;
  title?: string;
  notebook?: string;
  after?: { source: string; on?: 'completed' | 'failed' };
  before?: string;
}

export function addStage(editor: WorkflowEditor, options: INewStage): Promise<string> {
  const { snapshot } = editor.document;
  const key = newKey(snapshot.stages);
  const path = `${options.type}-${Object.keys(snapshot.stages).length + 1}`;
  editor.document.edit(draft => {
    draft.put('stages', key, {
      type: options.type,
      path,
      title: options.title ?? path,
      notebook: options.notebook ?? `stages/${path}.ipynb`,
      position: options.position ?? editor.view?.center() ?? [0, 0]
    });
    if (options.after !== undefined) {
      const { source, on } = options.after;
      draft.put('transitions', newKey(snapshot.transitions), { source, target: key, on });
    }
    if (options.before !== undefined) {
      const old = snapshot.transitions[options.before];
      draft.patch('transitions', options.before, { target: key });
      draft.put('transitions', newKey(snapshot.transitions), { source: key, target: old.target });
    }
  });
  editor.selection.set([{ kind: 'stages', key }]);
  return Promise.resolve(key);
}

export function canConnect(
  snapshot: ISnapshot,
  source: string,
  target: string,
  trans: TranslationBundle
): string | null {
  void source;
  return snapshot.stages[target]?.type === 'job' ? trans.__('A job is started by its schedule.') : null;
}

export function connect(
  editor: WorkflowEditor,
  source: string,
  target: string,
  options: { on?: 'completed' | 'failed' } = {}
): string | null {
  const key = newKey(editor.document.snapshot.transitions);
  const on = options.on === 'failed' ? 'failed' : undefined;
  editor.document.edit(draft => draft.put('transitions', key, { source, target, on }));
  return key;
}

export function reconnect(
  editor: WorkflowEditor,
  key: string,
  ends: { source?: string; target?: string }
): void {
  editor.document.edit(draft => draft.patch('transitions', key, ends));
}

export function moveItems(editor: WorkflowEditor, positions: ReadonlyMap<string, Point>): void {
  editor.document.edit(draft => {
    for (const [id, position] of positions) {
      const [kind, key] = id.split(':') as [Kind, string];
      draft.patch(kind, key, { position });
    }
  });
}
