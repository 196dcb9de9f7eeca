/**
 * The tab of an open workflow.
 */
import { PathExt } from '@jupyterlab/coreutils';
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
import { DiskWatch } from './disk';
import type { WorkflowModel } from './model';

/** What a workflow's tab shows: the canvas, which is loaded when the first workflow is opened. */
export class WorkflowContent extends Widget {
  constructor(readonly editor: WorkflowEditor) {
    super();
    this.addClass('jp-Workflows');
    this.layout = new BoxLayout({ spacing: 0 });
    this._disk = new DiskWatch(editor.context, editor.contents, () => this.isVisible);
    this.node.addEventListener('focusin', this._disk.look);
    editor.context.pathChanged.connect(this._onPathChanged, this);
    this._onPathChanged();
    this.ready = editor.context.ready.then(() => this._load());
  }

  /** Resolves when the canvas is there. */
  readonly ready: Promise<void>;

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.editor.context.pathChanged.disconnect(this._onPathChanged, this);
    this.node.removeEventListener('focusin', this._disk.look);
    this._disk.dispose();
    this.editor.dispose();
    super.dispose();
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.editor.view?.focus();
  }

  protected onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this._disk.look();
  }

  private _onPathChanged(): void {
    this.editor.document.newTitle = PathExt.basename(this.editor.path, PathExt.extname(this.editor.path));
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

  private readonly _disk: DiskWatch;
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
