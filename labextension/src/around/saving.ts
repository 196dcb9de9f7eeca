/**
 * Saving what is not saved, before the server reads it.
 */
import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { DocumentWidget } from '@jupyterlab/docregistry';

import type { WorkflowEditor } from '../editor/editor';

/** Save a workflow, and those of its notebooks that are open; returns the titles of what was saved. */
export async function saveAll(
  shell: JupyterFrontEnd.IShell | ILabShell,
  editor: WorkflowEditor
): Promise<readonly string[]> {
  const notebooks = new Set(
    Object.values(editor.document.snapshot.stages).map(stage => editor.notebookPath(stage.notebook))
  );
  const saved: string[] = [];
  if (editor.context.model.dirty) {
    await editor.context.save();
    saved.push(editor.path);
  }
  const seen = new Set<unknown>();
  for (const widget of shell.widgets('main')) {
    if (!(widget instanceof DocumentWidget)) {
      continue;
    }
    const { context } = widget as DocumentWidget;
    if (notebooks.has(context.path) && context.model.dirty && !seen.has(context)) {
      seen.add(context);
      await context.save();
      saved.push(context.path);
    }
  }
  return saved;
}
