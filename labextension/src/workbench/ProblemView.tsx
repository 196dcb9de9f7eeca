import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from './hooks';

/** What is shown in place of a canvas where the file cannot be read. */
export function ProblemView({ editor }: { editor: WorkflowEditor }): ReactElement | null {
  const problem = useSignalValue(editor.document.changed, () => editor.document.problem);
  const { trans } = editor;
  if (problem === null) {
    return null;
  }
  return (
    <div className="jp-Workflows-problem" role="alert">
      <h2>
        {problem.kind === 'newer'
          ? trans.__('This workflow is from a newer version')
          : trans.__('This file is not a workflow that can be read')}
      </h2>
      <p>{problem.message}</p>
      {problem.line !== undefined && (
        <p>{trans.__('Line %1, column %2', problem.line, problem.column ?? 1)}</p>
      )}
      {problem.field !== undefined && (
        <p>
          {trans.__('Field')} <code>{problem.field}</code>
        </p>
      )}
      <p>{trans.__('The file is left as it is.')}</p>
    </div>
  );
}
