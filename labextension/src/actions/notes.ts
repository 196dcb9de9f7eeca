/**
 * Sticky notes.
 */
import type { INote, Point } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { NOTE, freePlace } from './geometry';
import { newKey } from './keys';
import { differs } from './transitions';

/** Add a note and select it; returns its key, or `null` if nothing can be changed. */
export function addNote(
  editor: WorkflowEditor,
  options: { readonly position?: Point; readonly text?: string } = {}
): string | null {
  const { document } = editor;
  if (editor.readOnly) {
    return null;
  }
  const key = newKey(document.snapshot.notes);
  const [x, y] = editor.view?.center() ?? [NOTE[0] / 2, NOTE[1] / 2];
  const wanted = options.position ?? [x - NOTE[0] / 2, y - NOTE[1] / 2];
  const position = freePlace(document.snapshot, wanted, NOTE);
  document.edit(draft => draft.put('notes', key, { text: options.text ?? '', position, size: NOTE }));
  editor.selection.set([{ kind: 'notes', key }]);
  return key;
}

/** Change fields of a note; those that are `undefined` are removed. */
export function setNote(editor: WorkflowEditor, key: string, patch: Partial<INote>): void {
  const note = editor.document.snapshot.notes[key] as INote | undefined;
  if (!editor.readOnly && note !== undefined && differs(note, patch)) {
    editor.document.edit(draft => draft.patch('notes', key, patch));
  }
}
