/**
 * Files of notebooks: made and copied under names that are free. Nothing that exists is overwritten.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';

import type { WorkflowEditor } from '../editor/editor';

/** The folder beside the document in which new notebooks lie. */
export const FOLDER = 'stages';

const EXTENSION = '.ipynb';

/** The files beside a document, as far as they are known. */
class Folder {
  constructor(private readonly _editor: WorkflowEditor) {}

  /** Look which notebooks there are. */
  async look(): Promise<void> {
    try {
      const folder = await this._editor.contents.get(this._editor.notebookPath(FOLDER), { content: true });
      const files = (folder.content ?? []) as readonly { readonly name: string }[];
      this._names = new Set(files.map(file => file.name.toLowerCase()));
    } catch (error) {
      if (statusOf(error) === 404) {
        this._names = new Set();
      }
    }
  }

  /** Return a path in the folder that neither a file nor a stage has, nor one of `taken`. */
  free(name: string, taken: Iterable<string> = []): string {
    const stages = Object.values(this._editor.document.snapshot.stages).map(stage => stage.notebook);
    // File systems differ in whether case counts.
    const used = new Set([...stages, ...taken].map(path => path.toLowerCase()));
    for (let number = 1; ; number++) {
      const file = (number === 1 ? name : `${name}-${number}`) + EXTENSION;
      const path = `${FOLDER}/${file}`;
      if (!this._names.has(file.toLowerCase()) && !used.has(path.toLowerCase())) {
        return path;
      }
    }
  }

  /** Remember a name. */
  add(path: string): void {
    this._names.add(PathExt.basename(path).toLowerCase());
  }

  private _names = new Set<string>();
}

const folders = new WeakMap<WorkflowEditor, Folder>();

/** Return what is known of the folder with a document's notebooks. */
export function folderOf(editor: WorkflowEditor): Folder {
  let folder = folders.get(editor);
  if (folder === undefined) {
    folder = new Folder(editor);
    folders.set(editor, folder);
  }
  return folder;
}

/** Return the base name of a notebook, without its extension. */
export function nameOf(notebook: string): string {
  return PathExt.basename(notebook, EXTENSION);
}

/** Return the path of a notebook as stages name it: relative to the document, with forward slashes. */
export function relativeTo(editor: WorkflowEditor, path: string): string {
  return PathExt.relative(PathExt.dirname(editor.path), editor.contents.localPath(path));
}

/** Read a notebook, by its path in the contents. */
export async function readNotebook(editor: WorkflowEditor, path: string): Promise<INotebookContent> {
  const model = await editor.contents.get(path, { content: true, type: 'notebook', format: 'json' });
  return model.content as INotebookContent;
}

/**
 * Write a new notebook of a stage. If there is a file of the name meanwhile, the stage gets another one, as a part
 * of the step that made it.
 */
export async function writeNotebook(
  editor: WorkflowEditor,
  stage: string,
  content: INotebookContent
): Promise<void> {
  const wanted = editor.document.snapshot.stages[stage]?.notebook as string | undefined;
  if (wanted === undefined) {
    return;
  }
  const folder = folderOf(editor);
  folder.add(wanted);
  const made = await create(editor, wanted, content);
  if (made !== wanted && Object.hasOwn(editor.document.snapshot.stages, stage)) {
    folder.add(made);
    editor.document.amend(draft => draft.patch('stages', stage, { notebook: made }));
  }
  editor.findings.refresh();
}

/** Write a new file; returns its path relative to the document, which is another one if that was taken. */
async function create(editor: WorkflowEditor, wanted: string, content: INotebookContent): Promise<string> {
  const { contents } = editor;
  const directory = PathExt.dirname(wanted);
  await makeFolder(editor, directory);
  // A file of an unused name, which gets its own by renaming: that never replaces another one.
  const made = await contents.newUntitled({ path: editor.notebookPath(directory), type: 'notebook' });
  try {
    await contents.save(made.path, { type: 'notebook', format: 'json', content });
    for (let path = wanted; ;) {
      try {
        await contents.rename(made.path, editor.notebookPath(path));
        return path;
      } catch (error) {
        if (statusOf(error) !== 409) {
          throw error;
        }
        folderOf(editor).add(path);
        path = folderOf(editor).free(nameOf(wanted));
      }
    }
  } catch (error) {
    await contents.delete(made.path).catch(() => undefined);
    throw error;
  }
}

async function makeFolder(editor: WorkflowEditor, directory: string): Promise<void> {
  const path = editor.notebookPath(directory);
  try {
    await editor.contents.get(path, { content: false });
  } catch (error) {
    if (statusOf(error) !== 404) {
      throw error;
    }
    await editor.contents.save(path, { type: 'directory' });
  }
}

function statusOf(error: unknown): number | undefined {
  return error instanceof ServerConnection.ResponseError ? error.response.status : undefined;
}
