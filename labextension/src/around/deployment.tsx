/**
 * The commands that deploy, and what the toolbar of a workflow shows of it.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { ReactWidget, ToolbarButton } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { ReactElement } from 'react';

import type { WorkflowDocument } from '../document/widget';
import { FACTORY } from '../document/plugin';
import { statusText } from '../editor/deployment';
import type { WorkflowEditor } from '../editor/editor';
import { CATEGORY, CommandIDs, IWorkflowTracker } from '../tokens';
import { useSignalValue } from '../workbench/hooks';
import { deployIcon } from './icons';
import { openWorkflow } from './opening';

/** Says in the toolbar how the workflow stands. A click shows its versions. */
class StatusChip extends ReactWidget {
  constructor(private readonly _editor: WorkflowEditor) {
    super();
    this.addClass('jp-Workflows-statusItem');
  }

  protected render(): ReactElement {
    return <Status editor={this._editor} />;
  }
}

function Status({ editor }: { editor: WorkflowEditor }): ReactElement | null {
  const { commands, deployment, trans } = editor;
  const comparison = useSignalValue(deployment.changed, () => deployment.comparison);
  if (comparison === null) {
    return null;
  }
  const text = statusText(deployment, comparison.status, trans);
  const caption = {
    draft: trans.__('Nothing of it starts by itself until it is deployed'),
    live: trans.__('The live version is what you see'),
    changed: trans.__('Deploy it, and what you changed becomes live')
  }[comparison.status];
  const paused = comparison.workflow?.paused ?? false;
  return (
    <button
      type="button"
      className={`jp-Workflows-status jp-mod-${comparison.status}`}
      title={caption}
      onClick={() => void commands.execute(CommandIDs.showVersions, { path: editor.context.path })}
    >
      <span className="jp-Workflows-statusDot" aria-hidden="true" />
      {paused ? trans.__('%1, paused', text) : text}
    </button>
  );
}

export const deploymentPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-workflows:deployment',
  description: 'Makes workflows live, and says in their toolbar how they stand.',
  autoStart: true,
  requires: [IWorkflowTracker],
  optional: [IToolbarWidgetRegistry, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: IWorkflowTracker,
    registry: IToolbarWidgetRegistry | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_workflows');
    const { commands } = app;

    const opened = async (args: ReadonlyPartialJSONObject): Promise<WorkflowDocument | null> =>
      typeof args.path === 'string' ? openWorkflow(commands, args.path) : tracker.currentWidget;
    const isEnabled = (args: ReadonlyPartialJSONObject): boolean =>
      typeof args.path === 'string' || tracker.currentWidget !== null;
    const describedBy = {
      args: {
        type: 'object',
        properties: {
          path: { type: 'string', description: trans.__('Path of the workflow file; else the current one.') }
        }
      }
    };
    let deploying = false;

    commands.addCommand(CommandIDs.deploy, {
      label: trans.__('Deploy Workflow…'),
      caption: trans.__('Save, check, and make this version live'),
      describedBy,
      isEnabled,
      execute: async args => {
        if (deploying) {
          return null;
        }
        deploying = true;
        try {
          const widget = await opened(args);
          return widget && (await (await import('./deploy')).deploy(app, widget.editor));
        } finally {
          deploying = false;
        }
      }
    });

    commands.addCommand(CommandIDs.showVersions, {
      label: trans.__('Versions of the Workflow…'),
      caption: trans.__('See what is live, go back to an older version, or let the workflow rest'),
      describedBy,
      isEnabled,
      execute: async args => {
        const widget = await opened(args);
        if (widget && (await (await import('./versions')).showVersions(widget.editor))) {
          await commands.execute(CommandIDs.deploy, { path: widget.context.path });
        }
      }
    });

    for (const command of [CommandIDs.deploy, CommandIDs.showVersions]) {
      palette?.addItem({ command, category: trans.__(CATEGORY) });
    }

    registry?.addFactory<WorkflowDocument>(FACTORY, 'deployment', widget => new StatusChip(widget.editor));
    registry?.addFactory<WorkflowDocument>(
      FACTORY,
      'deploy',
      ({ context }) =>
        new ToolbarButton({
          icon: deployIcon,
          label: trans.__('Deploy'),
          tooltip: trans.__('Save, check, and make this version live'),
          className: 'jp-Workflows-deploy',
          onClick: () => void commands.execute(CommandIDs.deploy, { path: context.path })
        })
    );
  }
};
