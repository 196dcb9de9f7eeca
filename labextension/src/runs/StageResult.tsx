import { useEffect, useMemo, useState } from 'react';
import type { ReactElement } from 'react';

import type { IAttemptLog, IRun, IStageRun, IStageRunDetail } from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { CommandIDs } from '../tokens';
import { useSignalValue } from '../workbench/hooks';
import { DataTree } from './DataTree';
import { foremost } from './aggregate';
import { runsOf, wordsOf } from './session';
import { duration, stateWord } from './words';

/** What came out of a stage in the run that is shown. */
export function StageResult({
  editor,
  stage
}: {
  readonly editor: WorkflowEditor;
  readonly stage: string;
}): ReactElement | null {
  const session = runsOf(editor);
  const { trans } = editor;
  const detail = useSignalValue(session.changed, () => session.shown?.detail ?? null);
  const stageRuns = useMemo(() => detail?.stages.filter(one => one.stage === stage) ?? [], [detail, stage]);
  const [chosen, setChosen] = useState<string | null>(null);
  if (detail === null) {
    return null;
  }
  if (stageRuns.length === 0) {
    return (
      <p className="jp-Workflows-hint">
        {detail.state === 'running'
          ? trans.__('The run has not come to this stage yet.')
          : trans.__('The shown run did not come to this stage.')}
      </p>
    );
  }
  const one = stageRuns.find(each => each.id === chosen) ?? foremost(stageRuns);
  return (
    <div className="jp-Workflows-result">
      {stageRuns.length > 1 && (
        <label className="jp-Workflows-chooser">
          {trans.__('%1 times in this run', stageRuns.length)}
          <select value={one.id} onChange={event => setChosen(event.target.value)}>
            {stageRuns.map((each, index) => (
              <option key={each.id} value={each.id}>
                {`${index + 1} · ${stateWord(each.state, trans)}`}
              </option>
            ))}
          </select>
        </label>
      )}
      <Result key={one.id} editor={editor} run={detail} stageRun={one} />
    </div>
  );
}

function Result({
  editor,
  run,
  stageRun
}: {
  readonly editor: WorkflowEditor;
  readonly run: IRun;
  readonly stageRun: IStageRun;
}): ReactElement {
  const { trans, commands } = editor;
  const session = runsOf(editor);
  const pinned = useSignalValue(
    editor.document.changed,
    () => editor.document.snapshot.stages[stageRun.stage]?.pinned !== undefined
  );
  const attempt = stageRun.attempts.at(-1);
  const origin =
    attempt?.stand_in?.kind === 'reused' && attempt.stand_in.run !== null
      ? attempt.stand_in
      : { run: run.id, stage_run: stageRun.id, attempt: attempt?.attempt ?? 0 };
  const open = (): void =>
    void commands.execute(CommandIDs.openExecuted, {
      run: origin.run,
      stageRun: origin.stage_run,
      attempt: origin.attempt,
      title: stageRun.title
    });
  const readable = attempt !== undefined && attempt.stand_in?.kind !== 'pinned';
  return (
    <>
      <p className="jp-Workflows-stateLine" data-state={stageRun.state} role="status">
        <span className="jp-Workflows-dot" aria-hidden="true" />
        <strong>{stateWord(stageRun.state, trans)}</strong>
        {stageRun.state === 'running' && stageRun.cell !== null && (
          <span>{trans.__('cell %1 of %2', stageRun.cell, stageRun.cells ?? stageRun.cell)}</span>
        )}
        {stageRun.started_at !== null && stageRun.ended_at !== null && (
          <span>{duration(Date.parse(stageRun.ended_at) - Date.parse(stageRun.started_at), trans)}</span>
        )}
        {stageRun.attempts.length > 1 && <span>{trans.__('attempt %1', stageRun.attempts.length)}</span>}
        {attempt?.stand_in?.kind === 'pinned' && <span>{trans.__('pinned data, not executed')}</span>}
        {attempt?.stand_in?.kind === 'reused' && <span>{trans.__('unchanged, not executed again')}</span>}
        {stageRun.state === 'waiting' && stageRun.assignee !== null && (
          <span>{trans.__('for %1', stageRun.assignee)}</span>
        )}
      </p>
      {stageRun.state === 'running' && stageRun.cells !== null && (
        <progress
          aria-label={trans.__('Cells')}
          max={stageRun.cells}
          value={Math.max(0, (stageRun.cell ?? 1) - 1)}
        />
      )}
      {stageRun.error !== null && (
        <div className="jp-Workflows-problem" role="alert">
          <strong>{stageRun.error.name}</strong>
          <pre>{stageRun.error.message}</pre>
          {stageRun.error.cell !== null && (
            <span>{trans.__('In cell %1 of the notebook.', stageRun.error.cell + 1)}</span>
          )}
        </div>
      )}
      <div className="jp-Workflows-buttons">
        {readable && (
          <button type="button" className="jp-mod-styled" onClick={open}>
            {stageRun.error === null ? trans.__('Open executed notebook') : trans.__('Show the failing cell')}
          </button>
        )}
        {stageRun.state === 'failed' && !stageRun.handled && (
          <button type="button" className="jp-mod-styled" onClick={() => void session.retry(stageRun.id)}>
            {trans.__('Retry')}
          </button>
        )}
        {stageRun.state === 'completed' && !editor.readOnly && (
          <button
            type="button"
            className="jp-mod-styled"
            title={trans.__('Keep this data in the document; tests use it instead of executing the stage')}
            onClick={() => void session.pin(stageRun.stage, stageRun.id)}
          >
            {pinned ? trans.__('Pin this data instead') : trans.__('Pin data')}
          </button>
        )}
      </div>
      <Details editor={editor} run={run.id} stageRun={stageRun} />
    </>
  );
}

function Details({
  editor,
  run,
  stageRun
}: {
  readonly editor: WorkflowEditor;
  readonly run: string;
  readonly stageRun: IStageRun;
}): ReactElement {
  const { trans, client } = editor;
  const [detail, setDetail] = useState<IStageRunDetail | null>(null);
  const [log, setLog] = useState<IAttemptLog | null>(null);
  const [problem, setProblem] = useState('');
  const attempt = stageRun.attempts.at(-1)?.attempt;
  const { id, state, cell } = stageRun;
  useEffect(() => {
    const abort = new AbortController();
    const failed = (error: unknown): void => {
      if (!abort.signal.aborted) {
        setProblem(wordsOf(error));
      }
    };
    client.get<IStageRunDetail>(['runs', run, 'stages', id], undefined, abort.signal).then(setDetail, failed);
    return () => abort.abort();
  }, [client, run, id, state]);
  useEffect(() => {
    if (attempt === undefined) {
      return;
    }
    const abort = new AbortController();
    const parts = ['runs', run, 'stages', id, 'attempts', String(attempt), 'log'];
    client.get<IAttemptLog>(parts, undefined, abort.signal).then(setLog, () => undefined);
    return () => abort.abort();
  }, [client, run, id, attempt, state, cell]);
  return (
    <>
      {problem !== '' && (
        <p className="jp-Workflows-problem" role="alert">
          {problem}
        </p>
      )}
      {detail?.result && (
        <section aria-label={trans.__('Data after the stage')}>
          <h4>{trans.__('Data after the stage')}</h4>
          <DataTree editor={editor} run={run} data={detail.result} label={trans.__('Data after the stage')} />
        </section>
      )}
      {detail !== null && detail.result === null && (
        <section aria-label={trans.__('Data that it began with')}>
          <h4>{trans.__('Data that it began with')}</h4>
          <DataTree
            editor={editor}
            run={run}
            data={detail.data}
            label={trans.__('Data that it began with')}
          />
        </section>
      )}
      {log !== null && log.cells.length > 0 && (
        <section aria-label={trans.__('Printed')}>
          <h4>{trans.__('Printed')}</h4>
          {log.cells.map(({ cell, text }) => (
            <div key={cell} className="jp-Workflows-log">
              <pre tabIndex={0}>{text.length > 20_000 ? `${text.slice(0, 20_000)}…` : text}</pre>
            </div>
          ))}
        </section>
      )}
    </>
  );
}
