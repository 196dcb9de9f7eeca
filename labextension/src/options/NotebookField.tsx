import { addIcon, notebookIcon } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { write } from '../actions/stages';
import { notebookOf, templates } from '../actions/templates';
import type { WorkflowEditor } from '../editor/editor';
import { CommandIDs } from '../tokens';
import { usePanel } from './context';
import { TextField } from './fields/TextField';
import { useNotebooks } from './server';

/** The notebook of a stage. */
export function NotebookField(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const stage = subject.keys[0];
  const notebooks = useNotebooks(editor);
  const missing = editor.findings.ofStage(stage).some(one => one.code === 'missing-notebook');
  const path = subject.get('notebook');
  return (
    <TextField
      path="notebook"
      label={trans.__('Notebook')}
      options={notebooks.map(value => ({ value }))}
      read={typed => {
        const notebook = typed.trim();
        if (!notebook.endsWith('.ipynb')) {
          return { error: trans.__('The name of a notebook ends in .ipynb.') };
        }
        return /^\/|\\|^[A-Za-z]:|(?:^|\/)\.\.(?:\/|$)/.test(notebook)
          ? { error: trans.__('Write the path from the workflow’s folder, with forward slashes.') }
          : { value: notebook };
      }}
      buttons={
        missing && typeof path === 'string' && path !== '' ? (
          <button
            type="button"
            className="jp-Workflows-optionButton"
            disabled={editor.readOnly}
            onClick={() => void create(editor, stage)}
          >
            <addIcon.react tag="span" width="16px" height="16px" />
            {trans.__('Create')}
          </button>
        ) : (
          <button
            type="button"
            className="jp-Workflows-optionButton"
            onClick={() => void editor.commands.execute(CommandIDs.openNotebook, { stage })}
          >
            <notebookIcon.react tag="span" width="16px" height="16px" />
            {trans.__('Open notebook')}
          </button>
        )
      }
    />
  );
}

/** Write the notebook that a stage names, as its type's template has it. */
async function create(editor: WorkflowEditor, key: string): Promise<void> {
  const { type, title } = editor.document.snapshot.stages[key];
  await write(editor, key, async () => notebookOf((await templates(editor.client)).get(type)!, title));
}
