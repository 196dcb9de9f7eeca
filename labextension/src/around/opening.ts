/**
 * Opening workflows, and telling people what went wrong.
 */
import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { ProblemError } from '../client/problems';
import type { WorkflowDocument } from '../document/widget';
import type { WorkflowEditor } from '../editor/editor';
import { FACTORY } from '../document/plugin';

/** Open a workflow file, and wait until its canvas is there. */
export async function openWorkflow(commands: CommandRegistry, path: string): Promise<WorkflowDocument> {
  const widget = (await commands.execute('docmanager:open', { path, factory: FACTORY })) as WorkflowDocument;
  await widget.context.ready;
  await widget.content.ready;
  return widget;
}

/** Return what went wrong, and what can be done about it, in words. */
export function wordsOf(error: unknown): string {
  if (error instanceof ProblemError) {
    const fields = error.details.errors?.map(one => `${one.field}: ${one.message}`) ?? [];
    return [error.message, ...fields, error.mend].filter(Boolean).join(' ');
  }
  return error instanceof Error ? error.message : String(error);
}

/** Tell people that something could not be done. */
export function tell(message: string, error: unknown): void {
  Notification.error(`${message} ${wordsOf(error)}`, { autoClose: false });
}

/** Return the title of an open workflow. */
export function titleOf(editor: WorkflowEditor): string {
  const { title } = editor.document.snapshot.meta;
  return typeof title === 'string' && title !== '' ? title : editor.path;
}
