import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

import type { ITableRows } from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { wordsOf } from './session';
import type { IArtifactValue } from './values';

const PAGE = 50;

/** A data frame, a page at a time. */
export function DataTable({
  editor,
  run,
  artifact
}: {
  readonly editor: WorkflowEditor;
  readonly run: string;
  readonly artifact: IArtifactValue;
}): ReactElement {
  const { trans, client } = editor;
  const [offset, setOffset] = useState(0);
  const [page, setPage] = useState<ITableRows | null>(null);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    client
      .get<ITableRows>(
        ['runs', run, 'artifacts', artifact.hash, 'rows'],
        { offset, limit: PAGE },
        abort.signal
      )
      .then(
        rows => {
          setPage(rows);
          setProblem('');
        },
        error => {
          if (!abort.signal.aborted) {
            setProblem(wordsOf(error));
          }
        }
      );
    return () => abort.abort();
  }, [client, run, artifact.hash, offset]);

  if (problem !== '') {
    return (
      <p className="jp-Workflows-problem" role="alert">
        {problem}
      </p>
    );
  }
  if (page === null) {
    return <p className="jp-Workflows-hint">{trans.__('Loading …')}</p>;
  }
  const last = Math.min(page.offset + page.rows.length, page.total);
  return (
    <div className="jp-Workflows-table">
      <div
        className="jp-Workflows-tableScroll"
        tabIndex={0}
        role="region"
        aria-label={trans.__('Rows of the data frame')}
      >
        <table>
          <thead>
            <tr>
              {page.columns.map((column, index) => (
                <th key={index} scope="col" title={column.type}>
                  {column.name}
                  <small>{column.type}</small>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, index) => (
              <tr key={page.offset + index}>
                {row.map((value, place) => (
                  <td
                    key={place}
                    data-type={typeof value}
                    className={page.columns[place]?.index ? 'jp-mod-index' : ''}
                  >
                    {value === null ? <span className="jp-Workflows-null">None</span> : text(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="jp-Workflows-pager">
        <button type="button" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>
          {trans.__('Previous')}
        </button>
        <span aria-live="polite">
          {page.total === 0
            ? trans.__('No rows')
            : trans.__('Rows %1–%2 of %3', page.offset + 1, last, page.total)}
        </span>
        <button type="button" disabled={last >= page.total} onClick={() => setOffset(offset + PAGE)}>
          {trans.__('Next')}
        </button>
      </div>
      {page.column_count > page.columns.length && (
        <p className="jp-Workflows-hint">
          {trans.__('The first %1 of %2 columns', page.columns.length, page.column_count)}
        </p>
      )}
    </div>
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
