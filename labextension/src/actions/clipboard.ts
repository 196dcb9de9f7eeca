/**
 * Copying and pasting parts of workflows, by the system's clipboard.
 */
import type { Point } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { fragmentOf, insert, isFragment } from './fragment';
import { removeItems } from './selection';

/** What our text on the clipboard says of itself. */
export const FRAGMENT_TYPE = 'application/x-jupyter-workflows';

/** Return what is selected as text for the clipboard; `null` if that is nothing that can be copied. */
export function copyText(editor: WorkflowEditor): string | null {
  const fragment = fragmentOf(editor, editor.selection.items);
  return fragment === null ? null : JSON.stringify({ type: FRAGMENT_TYPE, format: 1, ...fragment }, null, 2);
}

/** Return what is selected as text for the clipboard, and remove it. */
export function cutText(editor: WorkflowEditor): string | null {
  const text = copyText(editor);
  if (text !== null) {
    removeItems(editor, editor.selection.items);
  }
  return text;
}

/** Insert the text of a clipboard; returns whether it was one of ours. */
export async function pasteText(editor: WorkflowEditor, text: string, center?: Point): Promise<boolean> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return false;
  }
  if ((value as { type?: unknown } | null)?.type !== FRAGMENT_TYPE || !isFragment(value)) {
    return false;
  }
  await insert(editor, value, center);
  return true;
}
