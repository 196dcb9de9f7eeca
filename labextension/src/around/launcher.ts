/**
 * Making and opening workflows: cards of the launcher, commands, entries of the menus.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, InputDialog } from '@jupyterlab/apputils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';

import { isStageType } from '../document/types';
import { stageIcons, workflowIcon } from '../icons';
import { CATEGORY, CommandIDs, IWorkflowProjects } from '../tokens';
import { openWorkflow, tell } from './opening';

interface ITemplate {
  readonly name: string;
  readonly label: string;
  readonly caption: string;
  /** The type of its first stage, whose icon it has. */
  readonly type?: string;
}

/** The templates that have a card. The server has their content; it refuses names that it does not know. */
function templates(trans: TranslationBundle): readonly ITemplate[] {
  return [
    { name: 'blank', label: trans.__('New workflow'), caption: trans.__('A workflow with an empty canvas') },
    {
      name: 'approval',
      label: trans.__('Approval'),
      caption: trans.__('A workflow in which somebody asks, and somebody else approves'),
      type: 'form'
    },
    {
      name: 'report',
      label: trans.__('Scheduled report'),
      caption: trans.__('A workflow that makes a report when its schedule says so'),
      type: 'job'
    },
    {
      name: 'answer',
      label: trans.__('Hook with answer'),
      caption: trans.__('A workflow that answers a request, and goes on'),
      type: 'hook'
    }
  ];
}

export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:launcher',
  description: 'Makes workflows from templates, and opens them.',
  autoStart: true,
  requires: [IWorkflowProjects],
  optional: [ILauncher, ICommandPalette, IDefaultFileBrowser, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    projects: IWorkflowProjects,
    launcher: ILauncher | null,
    palette: ICommandPalette | null,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const { commands } = app;
    const known = templates(trans);
    const named = (name: unknown): ITemplate => known.find(one => one.name === name) ?? known[0];
    const iconOf = ({ type }: ITemplate) => (isStageType(type) ? stageIcons[type] : workflowIcon);

    commands.addCommand(CommandIDs.create, {
      label: args => {
        const { name, label } = named(args.template);
        if (args.isLauncher) {
          return label;
        }
        if (args.isPalette) {
          return name === 'blank' ? label : trans.__('New workflow: %1', label);
        }
        return name === 'blank' ? trans.__('Workflow') : trans.__('Workflow: %1', label);
      },
      caption: args => named(args.template).caption,
      icon: args => (args.isPalette ? undefined : iconOf(named(args.template))),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            cwd: { type: 'string', description: trans.__('The folder in which it is made.') },
            title: { type: 'string', description: trans.__('Its title; asked for if it is not given.') },
            template: { type: 'string', enum: known.map(one => one.name) },
            isLauncher: { type: 'boolean' },
            isPalette: { type: 'boolean' }
          }
        }
      },
      execute: async args => {
        const template = named(args.template);
        let title = typeof args.title === 'string' ? args.title : null;
        if (title === null) {
          const answer = await InputDialog.getText({
            title: template.name === 'blank' ? template.label : trans.__('New workflow: %1', template.label),
            label: trans.__('Title. A folder of that name is made.'),
            text: template.name === 'blank' ? trans.__('My workflow') : template.label,
            okLabel: trans.__('Create'),
            required: true
          });
          title = answer.button.accept ? answer.value : null;
        }
        if (title === null || title.trim() === '') {
          return null;
        }
        const folder = typeof args.cwd === 'string' ? args.cwd : (browser?.model.path ?? '');
        try {
          const made = await projects.make({
            title,
            folder: app.serviceManager.contents.localPath(folder),
            template: template.name
          });
          await browser?.model.refresh();
          return await openWorkflow(commands, made.path);
        } catch (error) {
          tell(trans.__('The workflow could not be made.'), error);
          return null;
        }
      }
    });

    commands.addCommand(CommandIDs.open, {
      label: trans.__('Open Workflow…'),
      caption: trans.__('Open a workflow file on its canvas'),
      icon: args => (args.isPalette ? undefined : workflowIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: trans.__('Path of the file; asked for if it is not given.')
            },
            stage: { type: 'string', description: trans.__('Key of a stage that is shown and selected.') },
            isPalette: { type: 'boolean' }
          }
        }
      },
      execute: async args => {
        let path = typeof args.path === 'string' ? args.path : null;
        if (path === null) {
          const answer = await InputDialog.getText({
            title: trans.__('Open workflow'),
            label: trans.__('Path of the workflow file'),
            placeholder: 'folder/name.workflow',
            okLabel: trans.__('Open')
          });
          path = answer.button.accept ? answer.value : null;
        }
        if (path === null || path.trim() === '') {
          return null;
        }
        try {
          const widget = await openWorkflow(commands, path);
          if (typeof args.stage === 'string' && args.stage in widget.editor.document.snapshot.stages) {
            const item = { kind: 'stages', key: args.stage } as const;
            widget.editor.selection.set([item]);
            widget.editor.view?.reveal(item);
          }
          return widget;
        } catch (error) {
          tell(trans.__('The workflow could not be opened.'), error);
          return null;
        }
      }
    });

    known.forEach(({ name }, rank) => {
      launcher?.add({
        command: CommandIDs.create,
        args: { template: name, isLauncher: true },
        category: trans.__('Workflows'),
        rank
      });
      palette?.addItem({
        command: CommandIDs.create,
        category: trans.__(CATEGORY),
        args: { template: name, isPalette: true }
      });
    });
    palette?.addItem({ command: CommandIDs.open, category: trans.__(CATEGORY), args: { isPalette: true } });
  }
};
