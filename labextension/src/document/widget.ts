/**
 * The tab of an open workflow.
 */
import { DocumentWidget } from '@jupyterlab/docregistry';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import { ABCWidgetFactory } from '@jupyterlab/docregistry';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Contents } from '@jupyterlab/services';
import type { ITranslator } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { BoxLayout, Widget } from '@lumino/widgets';

import { WorkflowEditor } from '../editor/editor';
import type { IWorkflowsServer } from '../tokens';
import { workflowIcon } from '../icons';
import type { WorkflowModel } from './model';

/** What a workflow's tab shows: the canvas, which is loaded when the first workflow is opened. */
export class WorkflowContent extends Widget {
  constructor(readonly editor: WorkflowEditor) {
    super();
    this.addClass('jp-Workflows');
    this.layout = new BoxLayout({ spacing: 0 });
    this.ready = editor.context.ready.then(() => this._load());
  }

  /** Resolves when the canvas is there. */
  readonly ready: Promise<void>;

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.editor.dispose();
    super.dispose();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.editor.view?.focus();
  }

  private async _load(): Promise<void> {
    const { createWorkbench } = await import('../workbench/workbench');
    if (this.isDisposed) {
      return;
    }
    const workbench = createWorkbench(this.editor);
    BoxLayout.setStretch(workbench, 1);
    (this.layout as BoxLayout).addWidget(workbench);
  }
}

export class WorkflowDocument extends DocumentWidget<WorkflowContent, WorkflowModel> {
  /** The open workflow. */
  get editor(): WorkflowEditor {
    return this.content.editor;
  }
}

export namespace WorkflowWidgetFactory {
  export interface IOptions extends DocumentRegistry.IWidgetFactoryOptions<WorkflowDocument> {
    readonly contents: Contents.IManager;
    readonly commands: CommandRegistry;
    readonly server: IWorkflowsServer;
    readonly translator?: ITranslator;
    readonly rendermime?: IRenderMimeRegistry | null;
  }
}

export class WorkflowWidgetFactory extends ABCWidgetFactory<WorkflowDocument, WorkflowModel> {
  constructor(private readonly _options: WorkflowWidgetFactory.IOptions) {
    super(_options);
  }

  protected createNewWidget(context: DocumentRegistry.IContext<WorkflowModel>): WorkflowDocument {
    const { contents, commands, server, translator, rendermime } = this._options;
    const editor = new WorkflowEditor({ context, contents, commands, translator, rendermime, ...server });
    const widget = new WorkflowDocument({ context, content: new WorkflowContent(editor) });
    widget.title.icon = workflowIcon;
    return widget;
  }
}
