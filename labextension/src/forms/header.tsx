/**
 * What stands around a form's page: what it is about, and how it stands.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { ITask } from '../client/types';
import type { FormModel, INext } from './model';
import { assigneeName } from './names';
import { dueOf, exact, relative } from './times';

/** Title and context of a task. */
export class FormHeader extends ReactWidget {
  constructor(
    private readonly _model: FormModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-formHeader');
  }

  protected render(): ReactElement {
    return (
      <UseSignal signal={this._model.changed}>
        {() => <Context task={this._model.details} trans={this._trans} />}
      </UseSignal>
    );
  }
}

function Context({ task, trans }: { task: ITask | null; trans: TranslationBundle }): ReactElement | null {
  if (task === null) {
    return null;
  }
  const due = dueOf(task.deadline);
  return (
    <header>
      <h1>{task.title}</h1>
      <p className="jp-Workflows-formContext">
        <span>{task.workflow_title}</span>
        {task.mode === 'test' && <span className="jp-Workflows-formTest">{trans.__('Test')}</span>}
        {task.started_by !== null && <span>{trans.__('Started by %1', task.started_by)}</span>}
        {task.assignee !== null && <span>{trans.__('For %1', assigneeName(task.assignee, trans))}</span>}
        {task.deadline !== null && (
          <span className={`jp-mod-${due}`} title={exact(task.deadline)}>
            {due === 'overdue'
              ? trans.__('Overdue: it was due %1', relative(task.deadline, trans))
              : trans.__('Due %1', relative(task.deadline, trans))}
          </span>
        )}
      </p>
    </header>
  );
}

/** How a form stands, and what can be done about it. */
export class FormStatus extends ReactWidget {
  constructor(
    private readonly _model: FormModel,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-formStatus');
  }

  protected render(): ReactElement {
    return (
      <UseSignal signal={this._model.changed}>
        {() => (
          <div role="status" aria-live="polite">
            <Status model={this._model} trans={this._trans} />
          </div>
        )}
      </UseSignal>
    );
  }
}

function Status({ model, trans }: { model: FormModel; trans: TranslationBundle }): ReactElement | null {
  const again = (label: string): ReactElement => (
    <button className="jp-mod-styled jp-mod-accept" onClick={() => void model.open()}>
      {label}
    </button>
  );
  switch (model.state) {
    case 'opening':
      return <Busy text={trans.__('Opening the form…')} />;
    case 'open':
      return (
        <span className="jp-Workflows-formSaving">
          {model.saving === 'saving' && trans.__('Saving…')}
          {model.saving === 'saved' && trans.__('Saved. You can close this tab and go on later.')}
        </span>
      );
    case 'computing':
      return (
        <Busy
          text={model.progress?.text || trans.__('Working…')}
          fraction={model.progress?.fraction ?? undefined}
        />
      );
    case 'closed':
      return (
        <Note
          title={trans.__('This form was closed after a while without input')}
          text={trans.__('What you filled in is kept.')}
        >
          {again(trans.__('Continue'))}
        </Note>
      );
    case 'ended':
      return (
        <Note
          title={trans.__('The program behind this form ended unexpectedly')}
          text={trans.__('What you filled in is kept.')}
        >
          {again(trans.__('Try again'))}
        </Note>
      );
    case 'away':
      return (
        <Busy text={trans.__('The server does not answer. What you filled in is kept; trying again…')} />
      );
    case 'refused':
      return (
        <Note title={model.problem?.message ?? ''} text={model.problem?.mend ?? ''} kind="error">
          {again(trans.__('Try again'))}
        </Note>
      );
    case 'done':
      return <Done task={model.details} next={model.next} trans={trans} />;
  }
}

function Busy({ text, fraction }: { text: string; fraction?: number }): ReactElement {
  return (
    <div className="jp-Workflows-formBusy">
      <progress value={fraction} max={1} aria-label={text} />
      <span>{text}</span>
    </div>
  );
}

function Note({
  title,
  text,
  kind = 'info',
  children
}: {
  title: string;
  text: string;
  kind?: 'info' | 'error' | 'done';
  children?: ReactElement | ReactElement[] | null;
}): ReactElement {
  return (
    <div className={`jp-Workflows-formNote jp-mod-${kind}`}>
      <div>
        <strong>{title}</strong>
        {text !== '' && <p>{text}</p>}
      </div>
      {children}
    </div>
  );
}

function Done({
  task,
  next,
  trans
}: {
  task: ITask | null;
  next: readonly INext[];
  trans: TranslationBundle;
}): ReactElement {
  if (task?.state === 'cancelled') {
    return <Note title={trans.__('This run was cancelled')} text={trans.__('Nothing is needed any more.')} />;
  }
  if (task?.state === 'failed') {
    return (
      <Note
        title={trans.__('Something went wrong after your answers')}
        text={trans.__('They are kept. Who owns the workflow can see why, and try again.')}
        kind="error"
      />
    );
  }
  return (
    <Note title={trans.__('Done, thank you')} text="" kind="done">
      <ul className="jp-Workflows-formNext">
        {next.length === 0 && <li>{trans.__('This was the last step.')}</li>}
        {next.map((one, place) => (
          <li key={place}>{nextText(one, trans)}</li>
        ))}
      </ul>
    </Note>
  );
}

function nextText(next: INext, trans: TranslationBundle): string {
  if (next.state === 'waiting' && next.assignee !== null) {
    return trans.__('Next: %1 (waits for %2)', next.title, assigneeName(next.assignee, trans));
  }
  if (next.state === 'completed') {
    return trans.__('Next: %1 (done)', next.title);
  }
  if (next.state === 'failed') {
    return trans.__('Next: %1 (failed)', next.title);
  }
  return next.state === 'waiting'
    ? trans.__('Next: %1 (waiting)', next.title)
    : trans.__('Next: %1 (at work)', next.title);
}
