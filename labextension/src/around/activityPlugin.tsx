/**
 * The item in the status bar, and the section in the panel of what is running.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { ILayoutRestorer } from '@jupyterlab/application';
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import { IRunningSessionManagers } from '@jupyterlab/running';
import type { IRunningSessions } from '@jupyterlab/running';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { LabIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { workflowIcon } from '../icons';
import { CATEGORY, CommandIDs, IWorkflowProjects, IWorkflowsServer } from '../tokens';
import { useSignalValue } from '../workbench/hooks';
import { Activity } from './activity';
import type { IActiveRun } from './activity';
import { mailIcon } from './icons';
import { tell } from './opening';

class StatusItem extends ReactWidget {
  constructor(
    private readonly _activity: Activity,
    private readonly _commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-activityItem');
  }

  protected render(): ReactElement {
    return <Counts activity={this._activity} commands={this._commands} trans={this._trans} />;
  }
}

function Counts({
  activity,
  commands,
  trans
}: {
  activity: Activity;
  commands: CommandRegistry;
  trans: TranslationBundle;
}): ReactElement {
  const text = useSignalValue(activity.changed, () => {
    if (activity.ailing) {
      return trans.__('Runner %1', activity.runner);
    }
    const parts = [
      activity.running > 0 ? trans.__('%1 running', activity.running) : '',
      activity.waiting > 0 ? trans.__('%1 waiting', activity.waiting) : ''
    ].filter(Boolean);
    return parts.join(' · ') || trans.__('No runs');
  });
  const title = activity.ailing
    ? trans.__('Workflows are not executed: %1', activity.runnerMessage || (activity.runner ?? ''))
    : trans.__('Runs of workflows that have not ended');
  return (
    <button
      type="button"
      className={`jp-Workflows-activity${activity.ailing ? ' jp-mod-ailing' : ''}`}
      title={title}
      aria-label={trans.__('Workflows: %1', text)}
      onClick={() => void commands.execute('running:show-panel')}
    >
      <workflowIcon.react tag="span" width="16px" />
      {text}
    </button>
  );
}

class RunItem implements IRunningSessions.IRunningItem {
  constructor(
    private readonly _run: IActiveRun,
    private readonly _activity: Activity,
    private readonly _open: (run: IActiveRun) => void,
    private readonly _trans: TranslationBundle
  ) {}

  icon(): LabIcon {
    return workflowIcon;
  }

  label(): string {
    const { mode, state, title } = this._run;
    const words = state === 'waiting' ? this._trans.__('waiting') : this._trans.__('running');
    return mode === 'test' ? this._trans.__('%1 (test, %2)', title, words) : `${title} (${words})`;
  }

  labelTitle(): string {
    return this._trans.__('Run %1, since %2', this._run.id, new Date(this._run.created_at).toLocaleString());
  }

  open(): void {
    this._open(this._run);
  }

  shutdown(): void {
    this._activity
      .cancel(this._run.id)
      .catch((error: unknown) => tell(this._trans.__('The run could not be cancelled.'), error));
  }
}

export const activityPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:activity',
  description: 'Shows in the status bar and the panel of what is running which runs have not ended.',
  autoStart: true,
  requires: [IWorkflowsServer, IWorkflowProjects],
  optional: [IStatusBar, IRunningSessionManagers, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    server: IWorkflowsServer,
    projects: IWorkflowProjects,
    statusBar: IStatusBar | null,
    running: IRunningSessionManagers | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const activity = new Activity(server.client, server.events);

    const open = async (run: IActiveRun): Promise<void> => {
      const root = PageConfig.getOption('serverRoot').replace(/\/$/, '');
      const folder = run.project.startsWith(`${root}/`) ? run.project.slice(root.length + 1) : '';
      try {
        const found = (await projects.of(PathExt.join(folder, 'x'))).find(one => one.uid === run.workflow);
        if (found !== undefined) {
          await app.commands.execute(CommandIDs.open, { path: found.path });
        }
      } catch (error) {
        tell(trans.__('The workflow could not be opened.'), error);
      }
    };

    statusBar?.registerStatusItem('jupyter-workflows:activity', {
      item: new StatusItem(activity, app.commands, trans),
      align: 'left',
      rank: 3
    });

    running?.add({
      name: trans.__('Workflow Runs'),
      supportsMultipleViews: false,
      running: () => activity.runs.map(run => new RunItem(run, activity, one => void open(one), trans)),
      shutdownAll: () => {
        void Promise.allSettled(activity.runs.map(run => activity.cancel(run.id)));
      },
      refreshRunning: () => void activity.refresh(),
      runningChanged: activity.changed,
      shutdownLabel: trans.__('Cancel'),
      shutdownAllLabel: trans.__('Cancel All'),
      shutdownAllConfirmationText: trans.__(
        'Do you want to cancel all runs of workflows that have not ended?'
      )
    });
  }
};

export const mailPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:mail',
  description: 'Shows what people are told by mail.',
  autoStart: true,
  requires: [IWorkflowsServer],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    server: IWorkflowsServer,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const tracker = new WidgetTracker<MainAreaWidget<Widget>>({ namespace: 'workflows-mail' });
    const command = CommandIDs.showMail;
    app.commands.addCommand(command, {
      label: trans.__('Mail of Workflows'),
      caption: trans.__('What people are told by mail, and what test runs would tell them'),
      icon: args => (args.isPalette ? undefined : mailIcon),
      describedBy: { args: { type: 'object', properties: { isPalette: { type: 'boolean' } } } },
      execute: async () => {
        let widget = tracker.find(() => true);
        if (widget === undefined) {
          const { createMailView } = await import('./MailView');
          widget = new MainAreaWidget<Widget>({ content: createMailView(server, trans) });
          widget.id = 'jp-workflows-mail';
          widget.title.label = trans.__('Mail');
          widget.title.icon = mailIcon;
          widget.title.closable = true;
          app.shell.add(widget, 'main', { mode: 'split-bottom' });
          void tracker.add(widget);
        }
        app.shell.activateById(widget.id);
      }
    });
    palette?.addItem({ command, category: trans.__(CATEGORY), args: { isPalette: true } });
    void restorer?.restore(tracker, { command, name: () => 'mail' });
  }
};
