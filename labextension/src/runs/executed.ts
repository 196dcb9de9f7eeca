/**
 * Executed notebooks, to be read: no kernel, nothing to edit.
 */
import type { IEditorServices } from '@jupyterlab/codeeditor';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { NotebookModel, StaticNotebook } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';

import type { WorkflowsClient } from '../client/client';

export interface IExecuted {
  readonly run: string;
  readonly stageRun: string;
  readonly attempt: number;
  /** Title of the stage. */
  readonly title: string;
}

/** Return a tab with the notebook that an attempt executed, at the cell that failed if one did. */
export async function openExecuted(
  executed: IExecuted,
  client: WorkflowsClient,
  rendermime: IRenderMimeRegistry,
  services: IEditorServices,
  trans: TranslationBundle
): Promise<MainAreaWidget> {
  const { run, stageRun, attempt, title } = executed;
  const content = await client.get<INotebookContent>([
    'runs',
    run,
    'stages',
    stageRun,
    'attempts',
    String(attempt),
    'notebook'
  ]);
  const failed = content.cells.findIndex(
    cell =>
      cell.cell_type === 'code' &&
      (cell.outputs as { output_type?: string }[]).some(output => output.output_type === 'error')
  );
  for (const cell of content.cells) {
    cell.metadata = { ...cell.metadata, editable: false, deletable: false };
  }
  const model = new NotebookModel({ disableDocumentWideUndoRedo: true });
  model.fromJSON(content);
  model.readOnly = true;
  const readOnly = { ...StaticNotebook.defaultEditorConfig };
  for (const kind of ['code', 'markdown', 'raw'] as const) {
    readOnly[kind] = { ...readOnly[kind], readOnly: true };
  }
  const notebook = new StaticNotebook({
    rendermime: rendermime.clone(),
    contentFactory: new StaticNotebook.ContentFactory({
      editorFactory: services.factoryService.newInlineEditor
    }),
    mimeTypeService: services.mimeTypeService,
    editorConfig: readOnly,
    notebookConfig: { ...StaticNotebook.defaultNotebookConfig, windowingMode: 'none' }
  });
  notebook.addClass('jp-Notebook');
  notebook.addClass('jp-Workflows-executed');
  notebook.model = model;

  const widget = new MainAreaWidget({ content: notebook });
  widget.id = `jupyter-workflows-executed-${stageRun}-${attempt}`;
  widget.title.label = trans.__('%1 (executed)', title);
  widget.title.icon = notebookIcon;
  widget.title.closable = true;
  const caption = trans.__(
    '“%1” as it was executed: attempt %2 in run %3. Read-only, without a kernel.',
    title,
    attempt,
    run
  );
  widget.title.caption = caption;
  const banner = new Widget();
  banner.addClass('jp-Workflows-executedBanner');
  banner.node.textContent = caption;
  widget.contentHeader.addWidget(banner);
  widget.disposed.connect(() => model.dispose());

  const show = (): void => {
    notebook.widgets.forEach((cell, index) => {
      cell.readOnly = true;
      if (index === failed) {
        cell.addClass('jp-mod-failedCell');
      }
    });
    notebook.widgets[failed]?.node.scrollIntoView({ block: 'center' });
  };
  // Its cells are drawn one after the other.
  void widget.revealed.then(async () => {
    await Promise.all(notebook.widgets.map(cell => cell.ready));
    window.requestAnimationFrame(show);
  });
  return widget;
}
