import type { ReadonlyJSONObject } from '@lumino/coreutils';
import { useEffect, useId, useState } from 'react';
import type { ReactElement } from 'react';

import type { IStageRun } from '../client/types';
import type { WorkflowEditor } from '../editor/editor';
import { StageResult } from '../runs/StageResult';
import { runsOf } from '../runs/session';
import { CommandIDs } from '../tokens';
import { useSignalValue, useSnapshot } from '../workbench/hooks';
import { AnswersField } from './AnswersField';
import { JsonField } from './JsonField';

/** What is kept for tests in a stage. */
interface ITest {
  readonly data?: ReadonlyJSONObject;
  readonly request?: ReadonlyJSONObject;
  readonly answers?: ReadonlyJSONObject | readonly ReadonlyJSONObject[];
  /** Begin with the data of the last run. */
  readonly recorded?: boolean;
  /** End after the stage; `true` unless it says otherwise. */
  readonly alone?: boolean;
}

/** Trying out a stage. */
export function TestTab({
  editor,
  stage
}: {
  readonly editor: WorkflowEditor;
  readonly stage: string;
}): ReactElement | null {
  const { trans, commands } = editor;
  const session = runsOf(editor);
  const fields = useSnapshot(editor).stages[stage];
  const isActive = useSignalValue(session.changed, () => session.shown?.isActive ?? false);
  const isStarting = useSignalValue(session.changed, () => session.isStarting);
  const shown = useSignalValue(session.changed, () => session.shown?.run ?? null);
  const stages = useSignalValue(session.changed, () => session.list);
  const [last, setLast] = useState<IStageRun | null>(null);
  const id = useId();
  useEffect(() => {
    let wanted = true;
    session.recorded(stage).then(
      found => wanted && setLast(found),
      () => undefined
    );
    return () => {
      wanted = false;
    };
    // Whether there is one changes with the runs, not with each look at them.
  }, [session, stage, shown, stages.length]);
  if (fields === undefined) {
    return null;
  }
  const test = (fields.test ?? {}) as ITest;
  const { readOnly } = editor;
  const set = (patch: Partial<Record<keyof ITest, unknown>>): void => {
    const next = Object.fromEntries(
      Object.entries({ ...test, ...patch }).filter(([, value]) => value !== undefined)
    ) as ReadonlyJSONObject;
    editor.document.edit(draft =>
      draft.patch('stages', stage, { test: Object.keys(next).length === 0 ? undefined : next })
    );
  };
  const busy = isActive || isStarting;
  const isPinned = fields.pinned !== undefined;
  return (
    <section className="jp-Workflows-test" aria-label={trans.__('Test')} data-stage={stage}>
      <fieldset disabled={readOnly}>
        <legend>{trans.__('Begins with')}</legend>
        <label>
          <input
            type="radio"
            name={`${id}-source`}
            checked={!test.recorded}
            onChange={() => set({ recorded: undefined })}
          />
          {trans.__('Data given here')}
        </label>
        <label>
          <input
            type="radio"
            name={`${id}-source`}
            checked={test.recorded === true}
            disabled={last === null && !test.recorded}
            onChange={() => set({ recorded: true })}
          />
          {trans.__('The data of the last run')}
          {last === null && (
            <span className="jp-Workflows-hint">{trans.__('(it was not executed yet)')}</span>
          )}
        </label>
      </fieldset>
      {!test.recorded && (
        <JsonField
          label={trans.__('Stage data')}
          value={test.data}
          placeholder={'{"amount": 12}'}
          disabled={readOnly}
          trans={trans}
          onChange={data => set({ data })}
        />
      )}
      {fields.type === 'hook' && (
        <JsonField
          label={trans.__('Request')}
          value={test.request}
          placeholder={'{"method": "POST", "body": {"amount": 12}}'}
          disabled={readOnly}
          trans={trans}
          onChange={request => set({ request })}
        />
      )}
      {fields.type === 'form' &&
        (Array.isArray(test.answers) ? (
          <p className="jp-Workflows-hint">
            {trans.__('The document has answers for several pages; they are used as they are.')}
          </p>
        ) : (
          <AnswersField
            value={(test.answers ?? {}) as ReadonlyJSONObject}
            disabled={readOnly}
            trans={trans}
            onChange={answers => set({ answers })}
          />
        ))}
      <fieldset disabled={readOnly}>
        <legend>{trans.__('Goes')}</legend>
        <label>
          <input
            type="radio"
            name={`${id}-end`}
            checked={test.alone !== false}
            onChange={() => set({ alone: undefined })}
          />
          {trans.__('This stage alone')}
        </label>
        <label>
          <input
            type="radio"
            name={`${id}-end`}
            checked={test.alone === false}
            onChange={() => set({ alone: false })}
          />
          {trans.__('On through the workflow')}
        </label>
      </fieldset>
      <div className="jp-Workflows-buttons">
        <button
          type="button"
          className="jp-mod-styled jp-mod-accept"
          disabled={busy}
          onClick={() =>
            void commands.execute(CommandIDs.testStage, {
              path: editor.context.path,
              stage,
              alone: test.alone !== false
            })
          }
        >
          {trans.__('Test this stage')}
        </button>
        <button
          type="button"
          className="jp-mod-styled"
          disabled={busy}
          title={trans.__(
            'Test the workflow up to this stage; unchanged stages before it are not executed again'
          )}
          onClick={() => void commands.execute(CommandIDs.runToHere, { path: editor.context.path, stage })}
        >
          {trans.__('Run to here')}
        </button>
        {isActive && (
          <button type="button" className="jp-mod-styled" onClick={() => void session.cancel()}>
            {trans.__('Stop')}
          </button>
        )}
      </div>
      {isPinned && (
        <p className="jp-Workflows-pinnedNote">
          {trans.__('The data of this stage is pinned: tests use it, and do not execute the stage.')}
          {!readOnly && (
            <button type="button" className="jp-Workflows-textButton" onClick={() => session.unpin(stage)}>
              {trans.__('Unpin')}
            </button>
          )}
        </p>
      )}
      <StageResult editor={editor} stage={stage} />
      <p className="jp-Workflows-hint">
        {trans.__('Tests run on this working copy, and are erased when the server starts again.')}
      </p>
    </section>
  );
}
