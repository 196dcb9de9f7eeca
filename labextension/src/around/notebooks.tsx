/**
 * Notebooks and their workflows: entries of the file browser's context menu, and a chip in the notebook's toolbar.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReactElement } from 'react';

import { isStageType } from '../document/types';
import { stageIcons } from '../icons';
import { CommandIDs, IWorkflowProjects, IWorkflowTracker } from '../tokens';
import { openWorkflow, tell } from './opening';
import type { IPlace } from './projects';

/** Says of which workflow a notebook is a stage, and leads there. */
class StageChip extends ReactWidget {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _projects: IWorkflowProjects,
    private readonly _commands: CommandRegistry,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-Workflows-chipItem');
    _panel.context.pathChanged.connect(this._look, this);
    _projects.changed.connect(this._look, this);
    this._look();
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this._panel.context.pathChanged.disconnect(this._look, this);
    this._projects.changed.disconnect(this._look, this);
    super.dispose();
  }

  protected render(): ReactElement | null {
    return this._places.length === 0 ? null : (
      <Chip
        place={this._places[0]}
        more={this._places.slice(1)}
        commands={this._commands}
        trans={this._trans}
      />
    );
  }

  private _look(): void {
    const { path } = this._panel.context;
    this._projects.stagesOf(path).then(
      places => {
        if (!this.isDisposed && path === this._panel.context.path) {
          this._places = places;
          this.setHidden(places.length === 0);
          this.update();
        }
      },
      () => undefined
    );
  }

  private _places: readonly IPlace[] = [];
}

function Chip({
  place: { project, stage },
  more,
  commands,
  trans
}: {
  place: IPlace;
  more: readonly IPlace[];
  commands: CommandRegistry;
  trans: TranslationBundle;
}): ReactElement {
  const Icon = stageIcons[stage.type].react;
  const others = more.map(one => `${one.stage.title} · ${one.project.title}`);
  return (
    <span className="jp-Workflows-chip">
      <button
        type="button"
        title={[trans.__('Show it on the canvas of “%1”', project.title), ...others].join('\n')}
        onClick={() => void commands.execute(CommandIDs.open, { path: project.path, stage: stage.key })}
      >
        <Icon tag="span" width="16px" />
        <span className="jp-Workflows-chipText">
          {stage.title} · {project.title}
        </span>
      </button>
      <button
        type="button"
        title={trans.__('Open the test of this stage')}
        onClick={() => void test(commands, project.path, stage.key, trans)}
      >
        {trans.__('Test')}
      </button>
    </span>
  );
}

/** Open the test of a stage, on the canvas of its workflow. */
async function test(
  commands: CommandRegistry,
  path: string,
  stage: string,
  trans: TranslationBundle
): Promise<void> {
  try {
    const { editor } = await openWorkflow(commands, path);
    const item = { kind: 'stages', key: stage } as const;
    editor.view?.reveal(item);
    editor.showOptions(item, 'test');
  } catch (error) {
    tell(trans.__('The workflow could not be opened.'), error);
  }
}

export const notebooksPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:notebooks',
  description: 'Makes notebooks stages, and shows in a notebook of which workflow it is one.',
  autoStart: true,
  requires: [IWorkflowTracker, IWorkflowProjects],
  optional: [IFileBrowserFactory, IToolbarWidgetRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    projects: IWorkflowProjects,
    browsers: IFileBrowserFactory | null,
    registry: IToolbarWidgetRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const { commands } = app;

    const labels: Readonly<Record<string, string>> = {
      script: trans.__('Add to Workflow'),
      job: trans.__('Schedule…'),
      hook: trans.__('Publish as Hook'),
      form: trans.__('Make It a Form')
    };
    const captions: Readonly<Record<string, string>> = {
      script: trans.__('Make the notebook a stage of its project’s workflow'),
      job: trans.__('Make the notebook a job that starts when it is due'),
      hook: trans.__('Make the notebook answer HTTP requests'),
      form: trans.__('Make the notebook a form that asks a person')
    };
    const chosen = (): string | null => {
      const items = [...(browsers?.tracker.currentWidget?.selectedItems() ?? [])];
      return items.length === 1 && items[0].type === 'notebook' ? items[0].path : null;
    };

    commands.addCommand(CommandIDs.addNotebook, {
      label: args => labels[typeof args.type === 'string' ? args.type : 'script'] ?? labels.script,
      caption: args => captions[typeof args.type === 'string' ? args.type : 'script'] ?? captions.script,
      icon: args => stageIcons[isStageType(args.type) ? args.type : 'script'],
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: { type: 'string', description: trans.__('Path of the notebook; else the selected one.') },
            type: { type: 'string', enum: Object.keys(labels) }
          }
        }
      },
      isEnabled: args => typeof args.path === 'string' || chosen() !== null,
      execute: async args => {
        const path = typeof args.path === 'string' ? args.path : chosen();
        if (path === null) {
          return;
        }
        try {
          const { addNotebook } = await import('./adding');
          const type = isStageType(args.type) ? args.type : 'script';
          await addNotebook({ app, projects, tracker, trans }, path, type);
        } catch (error) {
          tell(trans.__('The notebook could not be added.'), error);
        }
      }
    });

    registry?.addFactory<NotebookPanel>(
      'Notebook',
      'workflow-stage',
      panel => new StageChip(panel, projects, commands, trans)
    );
  }
};
