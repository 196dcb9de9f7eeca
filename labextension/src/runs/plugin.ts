import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { refreshIcon, runIcon, stopIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { Current, STAGE, describedBy, stageOf } from '../commands/current';
import type { WorkflowEditor } from '../editor/editor';
import { CATEGORY, CommandIDs, IWorkflowTracker, IWorkflowsServer } from '../tokens';
import type { IExecuted } from './executed';
import type { ITestOptions } from './start';

/** Testing workflows, and looking at their runs. What is heavy of it is loaded when it is needed. */
export const runsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:runs',
  description: 'Adds the commands by which stages and workflows are tested.',
  autoStart: true,
  requires: [IWorkflowTracker, IWorkflowsServer],
  optional: [ITranslator, ICommandPalette, IRenderMimeRegistry, IEditorServices],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    { client }: IWorkflowsServer,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    rendermime: IRenderMimeRegistry | null,
    services: IEditorServices | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const { commands } = app;
    const current = new Current(tracker);

    const test = async (editor: WorkflowEditor | null, options: ITestOptions): Promise<void> => {
      if (editor !== null) {
        const { startTest } = await import('./start');
        await startTest(app.shell, editor, options);
      }
    };
    const session = async (args: ReadonlyPartialJSONObject) => {
      const editor = current.editor(args);
      return editor === null ? null : (await import('./session')).runsOf(editor);
    };
    const isActive = (args: ReadonlyPartialJSONObject): boolean => {
      const states = current.editor(args)?.states as { isActive?: boolean } | null | undefined;
      return states?.isActive === true;
    };
    const hasRun = (args: ReadonlyPartialJSONObject): boolean =>
      (current.editor(args)?.states ?? null) !== null;
    const isGraph = (args: ReadonlyPartialJSONObject): boolean =>
      current.editor(args)?.document.problem === null;
    const hasStage = (args: ReadonlyPartialJSONObject): boolean => {
      const editor = current.editor(args);
      return editor !== null && stageOf(editor, args) !== null;
    };

    commands.addCommand(CommandIDs.testWorkflow, {
      label: trans.__('Test'),
      caption: trans.__('Test the whole workflow on this working copy'),
      icon: runIcon,
      describedBy: describedBy(),
      isEnabled: isGraph,
      execute: args => test(current.editor(args), {})
    });
    commands.addCommand(CommandIDs.testStage, {
      label: args => (args.alone === false ? trans.__('Test from Here') : trans.__('Test Stage')),
      caption: args =>
        args.alone === false
          ? trans.__('Test the workflow from this stage on')
          : trans.__('Execute this stage alone, with the data of its Test tab'),
      icon: runIcon,
      describedBy: describedBy({
        stage: STAGE,
        alone: {
          type: 'boolean',
          description: 'Whether the test ends after the stage; by default as its Test tab says.'
        }
      }),
      isEnabled: hasStage,
      execute: async args => {
        const editor = current.editor(args);
        const stage = editor === null ? null : stageOf(editor, args);
        if (editor !== null && stage !== null) {
          const { testOf } = await import('./start');
          const kept = testOf(editor.document.snapshot.stages[stage]).alone ?? true;
          await test(editor, { stage, alone: typeof args.alone === 'boolean' ? args.alone : kept });
        }
      }
    });
    commands.addCommand(CommandIDs.runToHere, {
      label: trans.__('Run to Here'),
      caption: trans.__(
        'Test the workflow up to this stage; unchanged stages before it are not executed again'
      ),
      icon: runIcon,
      describedBy: describedBy({ stage: STAGE }),
      isEnabled: hasStage,
      execute: async args => {
        const editor = current.editor(args);
        const until = editor === null ? null : stageOf(editor, args);
        if (until !== null) {
          await test(editor, { until });
        }
      }
    });
    commands.addCommand(CommandIDs.cancelRun, {
      label: trans.__('Stop'),
      caption: trans.__('Cancel the run that is shown'),
      icon: stopIcon,
      describedBy: describedBy(),
      isEnabled: isActive,
      execute: async args => (await session(args))?.cancel()
    });
    commands.addCommand(CommandIDs.retryRun, {
      label: trans.__('Retry Failed Stages'),
      caption: trans.__('Execute the failed stages of the shown run again; the run goes on from there'),
      icon: refreshIcon,
      describedBy: describedBy(),
      isEnabled: hasRun,
      execute: async args => (await session(args))?.retry()
    });
    commands.addCommand(CommandIDs.clearRun, {
      label: trans.__('Clear the Shown Run'),
      caption: trans.__('Show the workflow without a run'),
      describedBy: describedBy(),
      isEnabled: hasRun,
      execute: async args => (await session(args))?.show(null)
    });
    commands.addCommand(CommandIDs.openExecuted, {
      label: trans.__('Open Executed Notebook'),
      caption: trans.__('Show the notebook that an attempt executed, at the cell that failed'),
      describedBy: {
        args: {
          type: 'object',
          required: ['run', 'stageRun', 'attempt'],
          properties: {
            run: { type: 'string', description: 'Id of the run.' },
            stageRun: { type: 'string', description: 'Id of the stage run.' },
            attempt: { type: 'integer', description: 'Number of the attempt.' },
            title: { type: 'string', description: 'Title of the stage.' }
          }
        }
      },
      isVisible: () => rendermime !== null && services !== null,
      execute: async args => {
        const { run, stageRun, attempt, title } = args as Partial<IExecuted>;
        if (rendermime === null || services === null || !run || !stageRun || !attempt) {
          return;
        }
        const id = `jupyter-workflows-executed-${stageRun}-${attempt}`;
        for (const widget of app.shell.widgets('main')) {
          if (widget.id === id) {
            widget.dispose(); // it may have come further meanwhile
            break;
          }
        }
        const { openExecuted } = await import('./executed');
        try {
          const executed = {
            run,
            stageRun,
            attempt,
            title: title ?? trans.__('Notebook')
          };
          const widget = await openExecuted(executed, client, rendermime, services, trans);
          app.shell.add(widget, 'main', { mode: 'tab-after' });
          app.shell.activateById(widget.id);
        } catch (error) {
          Notification.error(error instanceof Error ? error.message : String(error));
        }
      }
    });

    const notify = (): void => {
      for (const id of [CommandIDs.cancelRun, CommandIDs.retryRun, CommandIDs.clearRun]) {
        commands.notifyCommandChanged(id);
      }
    };
    tracker.widgetAdded.connect((_, { editor }) => {
      let states = editor.states;
      editor.statesChanged.connect(() => {
        states?.changed.disconnect(notify);
        states = editor.states;
        states?.changed.connect(notify);
        notify();
      });
      void editor.context.ready.then(() => commands.notifyCommandChanged(CommandIDs.testWorkflow));
    });

    if (palette !== null) {
      for (const command of [
        CommandIDs.testWorkflow,
        CommandIDs.testStage,
        CommandIDs.runToHere,
        CommandIDs.cancelRun,
        CommandIDs.retryRun,
        CommandIDs.clearRun
      ]) {
        palette.addItem({ command, category: CATEGORY });
      }
    }
  }
};
