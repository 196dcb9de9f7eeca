/**
 * Notebooks that are renamed or moved while a workflow that names them is open.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import { IWorkflowTracker } from '../tokens';
import type { ISnapshot } from './types';

/**
 * Return the stages whose notebook has another path now, relative to the document's folder.
 *
 * A notebook that was moved out of the project is left: a check finds that it is missing.
 */
export function relocated(
  snapshot: ISnapshot,
  document: string,
  from: string,
  to: string
): ReadonlyMap<string, string> {
  // The document may lie in the folder that was moved, and may know that already, or not.
  const after = moved(document, from, to) ?? document;
  const before = moved(after, to, from) ?? after;
  const changes = new Map<string, string>();
  for (const [key, { notebook }] of Object.entries(snapshot.stages)) {
    const path = notebook === '' ? null : moved(PathExt.join(PathExt.dirname(before), notebook), from, to);
    const relative = path === null ? null : PathExt.relative(PathExt.dirname(after), path);
    if (relative !== null && relative !== notebook && !relative.startsWith('../')) {
      changes.set(key, relative);
    }
  }
  return changes;
}

/** Return the path of what was at `path` when `from` became `to`; `null` if it has nothing to do with it. */
function moved(path: string, from: string, to: string): string | null {
  if (path === from) {
    return to;
  }
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : null;
}

/** Stages follow their notebooks. */
export const movesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:moves',
  description: 'Updates the stages of open workflows when a notebook or folder is renamed or moved.',
  autoStart: true,
  requires: [IWorkflowTracker],
  activate: (app: JupyterFrontEnd, tracker: IWorkflowTracker): void => {
    const { contents } = app.serviceManager;
    contents.fileChanged.connect((_: unknown, { type, oldValue, newValue }: Contents.IChangedArgs) => {
      const [from, to] = [oldValue?.path, newValue?.path];
      if (type !== 'rename' || !from || !to) {
        return;
      }
      tracker.forEach(({ editor, context }) => {
        const drive = contents.driveName(context.path);
        if (editor.readOnly || !context.isReady || contents.driveName(from) !== drive) {
          return;
        }
        const { document, path } = editor;
        if (path === contents.localPath(from) || path === contents.localPath(to)) {
          // The document itself: its notebooks stay where they are.
          return;
        }
        const changes = relocated(document.snapshot, path, contents.localPath(from), contents.localPath(to));
        if (changes.size > 0) {
          document.edit(draft =>
            changes.forEach((notebook, key) => draft.patch('stages', key, { notebook }))
          );
        }
      });
    });
  }
};
