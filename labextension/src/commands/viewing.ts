/**
 * Commands that show something of a workflow.
 */
import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon, searchIcon, settingsIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';

import type { WorkflowEditor } from '../editor/editor';
import { CommandIDs } from '../tokens';
import { STAGE, adder, stageOf } from './current';
import type { Current } from './current';
import { zoomFitIcon } from './icons';

export function addViewingCommands(
  commands: CommandRegistry,
  current: Current,
  trans: TranslationBundle
): void {
  const add = adder(
    commands,
    current,
    args => current.editor(args),
    editor => editor.document.problem === null
  );

  add(CommandIDs.zoomIn, {
    label: trans.__('Zoom In'),
    caption: trans.__('Show the graph larger'),
    run: editor => editor.view?.zoomIn()
  });
  add(CommandIDs.zoomOut, {
    label: trans.__('Zoom Out'),
    caption: trans.__('Show the graph smaller'),
    run: editor => editor.view?.zoomOut()
  });
  add(CommandIDs.zoomReset, {
    label: trans.__('Actual Size'),
    caption: trans.__('Show the graph in its own size'),
    run: editor => editor.view?.zoomTo(1)
  });
  add(CommandIDs.fit, {
    label: ({ toolbar }) => (toolbar ? '' : trans.__('Fit the Graph')),
    caption: trans.__('Show the whole graph, or what is selected of it'),
    icon: zoomFitIcon,
    args: { selected: { type: 'boolean', description: 'Only what is selected.' } },
    run: (editor, { selected }) => {
      const stages = editor.selection.keys('stages');
      editor.view?.fit(selected && stages.length > 0 ? stages : undefined);
    }
  });
  add(CommandIDs.find, {
    label: ({ toolbar }) => (toolbar ? '' : trans.__('Find…')),
    caption: trans.__('Find stages, notes and conditions'),
    icon: searchIcon,
    run: (_, args) => {
      const widget = current.widget(args);
      if (widget !== null) {
        return commands.execute('documentsearch:start');
      }
    }
  });

  add(CommandIDs.showOptions, {
    label: trans.__('Options'),
    caption: trans.__('Show the options of what is selected, or of the workflow'),
    icon: settingsIcon,
    args: {
      stage: STAGE,
      transition: { type: 'string', description: 'Key of the transition.' },
      workflow: { type: 'boolean', description: 'Of the workflow itself.' },
      tab: { type: 'string', enum: ['settings', 'test', 'run'] }
    },
    run: (editor, args) => {
      const tab = typeof args.tab === 'string' ? args.tab : undefined;
      const { stage, transition } = args;
      const { snapshot } = editor.document;
      if (args.workflow) {
        editor.showOptions('workflow', tab);
      } else if (typeof stage === 'string' && Object.hasOwn(snapshot.stages, stage)) {
        editor.showOptions({ kind: 'stages', key: stage }, tab);
      } else if (typeof transition === 'string' && Object.hasOwn(snapshot.transitions, transition)) {
        editor.showOptions({ kind: 'transitions', key: transition }, tab);
      } else {
        editor.showOptions(editor.selection.items[0] ?? 'workflow', tab);
      }
    }
  });

  add(CommandIDs.openNotebook, {
    label: trans.__('Open Notebook'),
    caption: trans.__('Open the notebook of the stage'),
    icon: notebookIcon,
    args: { stage: STAGE },
    when: (editor, args) => stageOf(editor, args) !== null,
    run: async (editor, args) => {
      const stage = stageOf(editor, args);
      if (stage === null) {
        return;
      }
      const { makeNotebook, written } = await import('../actions');
      await written(editor, stage);
      const { title, notebook } = editor.document.snapshot.stages[stage];
      const path = editor.notebookPath(notebook);
      if (!(await exists(editor, path))) {
        const answer = await showDialog({
          title: trans.__('There is no such notebook'),
          body: trans.__(
            '“%1” names %2, which is not there. Should it be made from a template?',
            title,
            path
          ),
          buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Make it') })]
        });
        if (!answer.button.accept || editor.readOnly) {
          return;
        }
        if (!(await makeNotebook(editor, stage))) {
          return;
        }
      }
      const { notebook: made } = editor.document.snapshot.stages[stage] ?? { notebook };
      await commands.execute('docmanager:open', { path: editor.notebookPath(made) });
    }
  });
}

async function exists(editor: WorkflowEditor, path: string): Promise<boolean> {
  try {
    await editor.contents.get(path, { content: false });
    return true;
  } catch (error) {
    if (error instanceof ServerConnection.ResponseError && error.response.status === 404) {
      return false;
    }
    throw error;
  }
}
