import { useEffect } from 'react';
import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { useSignalValue } from '../workbench/hooks';
import { StageResult } from './StageResult';
import { runsOf, tell } from './session';
import { duration, moment, stateWord } from './words';

/** The runs of the workflow, and how the stage stands in the one that is shown. */
export function RunTab({
  editor,
  stage
}: {
  readonly editor: WorkflowEditor;
  readonly stage?: string;
}): ReactElement {
  const { trans } = editor;
  const session = runsOf(editor);
  const runs = useSignalValue(session.changed, () => session.list);
  const shown = useSignalValue(session.changed, () => session.shown?.detail ?? null);
  const isActive = useSignalValue(session.changed, () => session.shown?.isActive ?? false);
  useEffect(() => {
    session.refresh().catch(tell);
  }, [session]);
  const stageRun =
    stage === undefined ? undefined : shown?.stages.filter(one => one.stage === stage).at(-1)?.id;
  return (
    <section className="jp-Workflows-runTab" aria-label={trans.__('Run')} data-stage={stage}>
      {shown !== null && (
        <>
          <p className="jp-Workflows-stateLine" data-state={shown.state}>
            <span className="jp-Workflows-dot" aria-hidden="true" />
            <strong>{stateWord(shown.state, trans)}</strong>
            <span>
              {shown.mode === 'test' ? trans.__('Test run') : trans.__('Live run')},{' '}
              {moment(shown.created_at)}
            </span>
            {shown.ended_at !== null && (
              <span>{duration(Date.parse(shown.ended_at) - Date.parse(shown.created_at), trans)}</span>
            )}
          </p>
          <div className="jp-Workflows-buttons">
            {isActive && (
              <button type="button" className="jp-mod-styled" onClick={() => void session.cancel()}>
                {trans.__('Cancel')}
              </button>
            )}
            {shown.stages.some(one => one.state === 'failed' && !one.handled) && (
              <button type="button" className="jp-mod-styled" onClick={() => void session.retry()}>
                {trans.__('Retry failed stages')}
              </button>
            )}
            {!isActive && (
              <button type="button" className="jp-mod-styled" onClick={() => void session.again()}>
                {trans.__('Run again')}
              </button>
            )}
            {!isActive && stageRun !== undefined && (
              <button type="button" className="jp-mod-styled" onClick={() => void session.again(stageRun)}>
                {trans.__('Run again from here')}
              </button>
            )}
            <button type="button" className="jp-mod-styled" onClick={() => session.show(null)}>
              {trans.__('Clear')}
            </button>
          </div>
          {stage !== undefined && <StageResult editor={editor} stage={stage} />}
        </>
      )}
      <h4>{trans.__('Recent runs')}</h4>
      {runs.length === 0 ? (
        <p className="jp-Workflows-hint">
          {trans.__('There is no run yet. Test the workflow from the toolbar, or a stage from its Test tab.')}
        </p>
      ) : (
        <ul className="jp-Workflows-runList" aria-label={trans.__('Recent runs')}>
          {runs.map(run => (
            <li key={run.id}>
              <button
                type="button"
                aria-pressed={run.id === shown?.id}
                data-state={run.state}
                onClick={() => session.show(run.id)}
              >
                <span className="jp-Workflows-dot" aria-hidden="true" />
                <span>{moment(run.created_at)}</span>
                <span>{run.mode === 'test' ? trans.__('Test') : trans.__('Live')}</span>
                <span>{stateWord(run.state, trans)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      <p className="jp-Workflows-hint">
        {trans.__('Tests that are started here are erased when the server starts again.')}
      </p>
    </section>
  );
}
