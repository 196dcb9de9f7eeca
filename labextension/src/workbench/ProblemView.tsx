import { Button } from '@jupyterlab/ui-components';
import { useEffect, useRef } from 'react';
import type { ReactElement } from 'react';

import { explain } from '../document/problems';
import type { IFileProblem } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from './hooks';

/** How many lines are shown before and after the one at fault. */
const AROUND = 8;
/** Longer lines are cut. */
const MAX_LENGTH = 400;

/** What is shown in place of a canvas where the file cannot be read: what is wrong, where, and the text. */
export function ProblemView({ editor }: { editor: WorkflowEditor }): ReactElement | null {
  const problem = useSignalValue(editor.document.changed, () => editor.document.problem);
  if (problem === null) {
    return null;
  }
  const { context, commands, trans } = editor;
  const newer = problem.kind === 'newer';
  return (
    <div className="jp-Workflows-problem" role="alert">
      <h2>
        {newer
          ? trans.__('This workflow is from a newer version')
          : trans.__('This file is not a workflow that can be read')}
      </h2>
      <p>
        {problem.line !== undefined && (
          <strong>{trans.__('Line %1, column %2', problem.line, problem.column ?? 1)}: </strong>
        )}
        {explain(problem, trans)}
        {problem.field !== undefined && (
          <>
            {' '}
            (<code>{problem.field}</code>)
          </>
        )}
      </p>
      <p>
        {newer
          ? trans.__('It can be looked at here, but not changed. Upgrade Jupyter Workflows to open it.')
          : trans.__('The file is left as it is. The canvas is back as soon as it is mended.')}
      </p>
      <div className="jp-Workflows-problemButtons">
        <Button
          className={newer ? 'jp-mod-styled' : 'jp-mod-styled jp-mod-accept'}
          onClick={() => void commands.execute('docmanager:open', { path: context.path, factory: 'Editor' })}
        >
          {trans.__('Open with Editor')}
        </Button>
        <Button className="jp-mod-styled" onClick={() => void context.revert().catch(() => undefined)}>
          {trans.__('Reload')}
        </Button>
      </div>
      <Excerpt
        text={editor.document.getSource()}
        problem={problem}
        label={trans.__('Text of the file')}
        mark={trans.__('Here')}
      />
    </div>
  );
}

/** The lines of a file where something is wrong. */
function Excerpt(props: { text: string; problem: IFileProblem; label: string; mark: string }): ReactElement {
  const { line = 1, column, kind } = props.problem;
  const lines = props.text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  // Of a file that is only too new, all there is to see.
  const first = kind === 'newer' ? 0 : Math.max(0, line - 1 - AROUND);
  const last = kind === 'newer' ? lines.length : line + AROUND;
  const marked = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    marked.current?.scrollIntoView?.({ block: 'nearest' });
  }, [line, props.text]);
  return (
    <pre className="jp-Workflows-problemText" aria-label={props.label} tabIndex={0}>
      {lines.slice(first, last).map((text, index) => {
        const number = first + index + 1;
        const bad = kind === 'invalid' && number === props.problem.line;
        // A long line is shown where the fault is.
        const from = bad && (column ?? 1) > MAX_LENGTH ? (column ?? 1) - MAX_LENGTH / 2 : 0;
        const shown = `${from > 0 ? '…' : ''}${text.slice(from, from + MAX_LENGTH)}${
          text.length > from + MAX_LENGTH ? '…' : ''
        }`;
        return (
          <span
            key={number}
            ref={bad ? marked : undefined}
            className={bad ? 'jp-Workflows-problemLine jp-mod-marked' : 'jp-Workflows-problemLine'}
          >
            <span className="jp-Workflows-problemNumber" aria-hidden="true">
              {number}
            </span>
            {bad ? <mark aria-label={props.mark}>{shown || ' '}</mark> : shown}
            {'\n'}
          </span>
        );
      })}
    </pre>
  );
}
