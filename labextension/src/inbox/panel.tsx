/**
 * The inbox: a list of tasks in the left sidebar.
 */
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { ReactWidget, UseSignal, refreshIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { ReactElement } from 'react';

import { ProblemError } from '../client/problems';
import type { ITask } from '../client/types';
import { assigneeName } from '../forms/names';
import { dueOf, exact, relative } from '../forms/times';
import { CommandIDs } from '../tokens';
import { inboxIcon } from './icon';
import type { IGroup, InboxModel } from './model';

export class InboxPanel extends ReactWidget {
  constructor(private readonly _options: InboxPanel.IOptions) {
    super();
    const { trans, model } = _options;
    this.id = 'jp-workflows-inbox';
    this.addClass('jp-Workflows-inbox');
    this.title.icon = inboxIcon;
    this.title.caption = trans.__('Inbox');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Inbox'));
    model.changed.connect(this._onChanged, this);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._options.model.changed.disconnect(this._onChanged, this);
    super.dispose();
  }

  protected render(): ReactElement {
    return <UseSignal signal={this._options.model.changed}>{() => <Inbox {...this._options} />}</UseSignal>;
  }

  /** Show on the sidebar's tab how many tasks there are. */
  private _onChanged(): void {
    const { trans, model } = this._options;
    const count = model.tasks.length;
    const overdue = model.tasks.some(task => dueOf(task.deadline) === 'overdue');
    this.title.caption =
      count === 0 ? trans.__('Inbox') : trans._n('Inbox: %1 task', 'Inbox: %1 tasks', count);
    this.title.dataset = {
      'workflows-tasks': count > 99 ? '99+' : count > 0 ? String(count) : '',
      'workflows-overdue': String(overdue)
    };
  }
}

export namespace InboxPanel {
  export interface IOptions {
    readonly model: InboxModel;
    readonly commands: CommandRegistry;
    readonly trans: TranslationBundle;
  }
}

function Inbox(options: InboxPanel.IOptions): ReactElement {
  const { model, trans } = options;
  const groups = model.groups;
  return (
    <>
      <div className="jp-Workflows-inboxHead">
        <h2>{trans.__('Inbox')}</h2>
        <button
          className="jp-Workflows-inboxButton"
          title={trans.__('Look for tasks')}
          aria-label={trans.__('Look for tasks')}
          onClick={() => void model.refresh()}
        >
          <refreshIcon.react tag="span" />
        </button>
      </div>
      <input
        className="jp-Workflows-inboxFilter"
        type="search"
        placeholder={trans.__('Filter tasks')}
        aria-label={trans.__('Filter tasks')}
        value={model.filter}
        onChange={event => model.setFilter(event.target.value)}
      />
      {model.problem !== null && (
        <p className="jp-Workflows-inboxProblem" role="alert">
          {model.problem}
        </p>
      )}
      <div className="jp-Workflows-inboxList">
        {groups.map(group => (
          <Group key={group.due} group={group} options={options} />
        ))}
        {model.isLoaded && groups.length === 0 && (
          <p className="jp-Workflows-inboxEmpty">
            <inboxIcon.react tag="span" />
            {model.filter === '' ? trans.__('Nothing waits for you.') : trans.__('No task fits the filter.')}
          </p>
        )}
      </div>
    </>
  );
}

function Group({ group, options }: { group: IGroup; options: InboxPanel.IOptions }): ReactElement {
  const { trans } = options;
  const headings = {
    overdue: trans.__('Overdue'),
    soon: trans.__('Due within a day'),
    later: trans.__('Due later'),
    none: trans.__('Without a date')
  };
  const heading = headings[group.due];
  return (
    <section aria-label={heading} className={`jp-mod-${group.due}`}>
      <h3>
        {heading} <span className="jp-Workflows-inboxCount">{group.tasks.length}</span>
      </h3>
      <ul>
        {group.tasks.map(task => (
          <Task key={task.id} task={task} options={options} />
        ))}
      </ul>
    </section>
  );
}

function Task({ task, options }: { task: ITask; options: InboxPanel.IOptions }): ReactElement {
  const { model, commands, trans } = options;
  const team = task.assignee?.startsWith('team:') ?? false;
  const me = model.me;
  const act = (done: Promise<void>): void => {
    done.catch((error: unknown) => {
      const mend = error instanceof ProblemError ? ` ${error.mend}` : '';
      Notification.error(`${error instanceof Error ? error.message : String(error)}${mend}`);
    });
  };
  return (
    <li className="jp-Workflows-inboxTask" data-task={task.id}>
      <button
        className="jp-Workflows-inboxOpen"
        onClick={() => void commands.execute(CommandIDs.openTask, { task: task.id })}
      >
        <span className="jp-Workflows-inboxTitle">{task.title}</span>
        <span className="jp-Workflows-inboxDetail">
          {task.workflow_title}
          {task.mode === 'test' && <em>{trans.__('Test')}</em>}
        </span>
        <span className="jp-Workflows-inboxDetail">
          {task.deadline !== null ? (
            <time dateTime={task.deadline} title={exact(task.deadline)}>
              {dueOf(task.deadline) === 'overdue'
                ? trans.__('was due %1', relative(task.deadline, trans))
                : trans.__('due %1', relative(task.deadline, trans))}
            </time>
          ) : (
            <time dateTime={task.created_at} title={exact(task.created_at)}>
              {trans.__('since %1', relative(task.created_at, trans))}
            </time>
          )}
          {task.assignee !== null && task.assignee !== me && (
            <span>{assigneeName(task.assignee, trans)}</span>
          )}
          {task.opened_by !== null && <span>{trans.__('open: %1', task.opened_by)}</span>}
        </span>
      </button>
      <div className="jp-Workflows-inboxActions">
        {team && me !== null && (
          <button title={trans.__('Make this task yours')} onClick={() => act(model.assign(task.id, me))}>
            {trans.__('Take')}
          </button>
        )}
        {!team && task.assignee === me && (
          <button
            title={trans.__('Close the form; a task that you took from a team is the team’s again')}
            onClick={() => act(model.release(task.id))}
          >
            {trans.__('Give back')}
          </button>
        )}
        <button
          title={trans.__('Give this task to somebody else')}
          onClick={() => act(reassign(task, model, trans))}
        >
          {trans.__('Pass on…')}
        </button>
      </div>
    </li>
  );
}

async function reassign(task: ITask, model: InboxModel, trans: TranslationBundle): Promise<void> {
  const answer = await InputDialog.getText({
    title: trans.__('Pass “%1” on', task.title),
    label: trans.__('To a person, or to a team as team:NAME'),
    text: task.assignee ?? '',
    okLabel: trans.__('Pass on')
  });
  const assignee = answer.value?.trim() ?? '';
  if (answer.button.accept && assignee !== '') {
    await model.assign(task.id, assignee);
  }
}
