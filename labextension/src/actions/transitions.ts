/**
 * Transitions: drawing them, moving their ends, and what they say.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Collection, ISnapshot, ITransition } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { newKey } from './keys';

export type Outcome = 'completed' | 'failed';

/** Return why a transition cannot be drawn; `null` if it can. */
export function canConnect(
  snapshot: ISnapshot,
  source: string,
  target: string,
  trans: TranslationBundle,
  options: { readonly on?: Outcome; readonly except?: string } = {}
): string | null {
  if (!Object.hasOwn(snapshot.stages, source) || !Object.hasOwn(snapshot.stages, target)) {
    return trans.__('A transition runs between two stages.');
  }
  const stage = snapshot.stages[target];
  if (stage.type === 'job') {
    return trans.__('Nothing leads into “%1”: its schedule starts a job.', stage.title);
  }
  const on = options.on ?? 'completed';
  const same = Object.entries(snapshot.transitions).some(
    ([key, other]) => key !== options.except && isBetween(other, source, target, on)
  );
  if (same) {
    return trans.__('There is such a transition already.');
  }
  return null;
}

/** Draw a transition and select it; returns its key, or `null` if it cannot be drawn. */
export function connect(
  editor: WorkflowEditor,
  source: string,
  target: string,
  options: { readonly on?: Outcome } = {}
): string | null {
  const { document, trans } = editor;
  if (editor.readOnly || canConnect(document.snapshot, source, target, trans, options) !== null) {
    return null;
  }
  const key = newKey(document.snapshot.transitions);
  document.edit(draft => draft.put('transitions', key, newTransition(source, target, options.on)));
  editor.selection.set([{ kind: 'transitions', key }]);
  return key;
}

/** Move the ends of a transition; its condition and what else it says stay. Returns whether it was moved. */
export function reconnect(
  editor: WorkflowEditor,
  key: string,
  ends: { readonly source?: string; readonly target?: string }
): boolean {
  const { document, trans } = editor;
  const { snapshot } = document;
  if (editor.readOnly || !Object.hasOwn(snapshot.transitions, key)) {
    return false;
  }
  const transition = snapshot.transitions[key];
  const { source = transition.source, target = transition.target } = ends;
  if (source === transition.source && target === transition.target) {
    return false;
  }
  if (canConnect(snapshot, source, target, trans, { on: transition.on, except: key }) !== null) {
    return false;
  }
  document.edit(draft => draft.patch('transitions', key, { source, target }));
  return true;
}

/** Change fields of a transition; those that are `undefined` are removed. */
export function setTransition(editor: WorkflowEditor, key: string, patch: Partial<ITransition>): void {
  const transition = editor.document.snapshot.transitions[key] as ITransition | undefined;
  if (!editor.readOnly && transition !== undefined && differs(transition, patch)) {
    editor.document.edit(draft => draft.patch('transitions', key, patch));
  }
}

export function newTransition(source: string, target: string, on: Outcome = 'completed'): ITransition {
  return on === 'failed' ? { source, target, on } : { source, target };
}

/** Return the keys of the transitions that begin or end at one of the stages. */
export function transitionsOf(
  transitions: Collection<'transitions'>,
  stages: ReadonlySet<string>
): readonly string[] {
  return Object.entries(transitions)
    .filter(([, { source, target }]) => stages.has(source) || stages.has(target))
    .map(([key]) => key);
}

/** Whether some field would be another one. */
export function differs<T extends object>(thing: T, patch: Partial<T>): boolean {
  return Object.entries(patch).some(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify((thing as Record<string, unknown>)[name])
  );
}

function isBetween(transition: ITransition, source: string, target: string, on: Outcome): boolean {
  return (
    transition.source === source && transition.target === target && (transition.on ?? 'completed') === on
  );
}
