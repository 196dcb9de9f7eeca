/**
 * An open workflow: its document, and what is known and shown about it. It has no DOM.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WorkflowsClient } from '../client/client';
import type { WorkflowsEvents } from '../client/events';
import type { WorkflowModel } from '../document/model';
import type { WorkflowChange, YWorkflow } from '../document/ydoc';
import { Deployment } from './deployment';
import { Findings } from './findings';
import { Presence } from './presence';
import type { IPresence } from './presence';
import { Selection } from './selection';
import type { IReference } from './selection';
import type { IRunStates } from './states';
import type { ICanvasView } from './view';

export namespace WorkflowEditor {
  export interface IOptions {
    readonly context: DocumentRegistry.IContext<WorkflowModel>;
    readonly contents: Contents.IManager;
    readonly commands: CommandRegistry;
    readonly client: WorkflowsClient;
    readonly events: WorkflowsEvents;
    readonly translator?: ITranslator;
    readonly rendermime?: IRenderMimeRegistry | null;
  }
}

export class WorkflowEditor implements IDisposable {
  constructor(options: WorkflowEditor.IOptions) {
    this.context = options.context;
    this.contents = options.contents;
    this.commands = options.commands;
    this.client = options.client;
    this.events = options.events;
    this.translator = options.translator ?? nullTranslator;
    this.rendermime = options.rendermime ?? null;
    this.trans = this.translator.load('jupyter_workflows');
    this.document = options.context.model.sharedModel;
    this.selection = new Selection();
    this.findings = new Findings(this);
    this.deployment = new Deployment(this);
    this._presence = new Presence(this.document.awareness, this.selection);
    this.document.changed.connect(this._onChanged, this);
  }

  readonly context: DocumentRegistry.IContext<WorkflowModel>;
  readonly contents: Contents.IManager;
  readonly commands: CommandRegistry;
  readonly client: WorkflowsClient;
  readonly events: WorkflowsEvents;
  readonly translator: ITranslator;
  /** How outputs and Markdown are shown; `null` where there is nothing for it. */
  readonly rendermime: IRenderMimeRegistry | null;
  readonly trans: TranslationBundle;
  readonly document: YWorkflow;
  readonly selection: Selection;
  /** What a check of the document finds, kept up to date. */
  readonly findings: Findings;
  /** How the document stands beside what is live. */
  readonly deployment: Deployment;

  /** Who else has the document open, and what they have selected. */
  get presence(): IPresence {
    return this._presence;
  }

  /** Path of the file on the server's contents, without a drive. */
  get path(): string {
    return this.contents.localPath(this.context.path);
  }

  /** Path of a stage's notebook for the contents manager, with the drive of the document. */
  notebookPath(notebook: string): string {
    const drive = this.contents.driveName(this.context.path);
    const path = PathExt.join(PathExt.dirname(this.path), notebook);
    return drive ? `${drive}:${path}` : path;
  }

  /** Whether the document can be changed. */
  get readOnly(): boolean {
    return this.document.problem !== null || this.context.contentsModel?.writable === false;
  }

  /** The canvas, as soon as it is there. */
  get view(): ICanvasView | null {
    return this._view;
  }
  set view(value: ICanvasView | null) {
    this._view = value;
    this._viewChanged.emit();
  }
  get viewChanged(): ISignal<this, void> {
    return this._viewChanged;
  }

  /** The run that is shown; `null` if none is. */
  get states(): IRunStates | null {
    return this._states;
  }
  set states(value: IRunStates | null) {
    if (value !== this._states) {
      this._states = value;
      this._statesChanged.emit();
    }
  }
  /** Another run is shown. What changes within a run is told by `states.changed`. */
  get statesChanged(): ISignal<this, void> {
    return this._statesChanged;
  }

  /** The version that is live, or the last one that was; `null` if it was never deployed, as far as is known. */
  get deployed(): number | null {
    return this._deployed;
  }
  set deployed(value: number | null) {
    if (value !== this._deployed) {
      this._deployed = value;
      this._deployedChanged.emit();
    }
  }
  get deployedChanged(): ISignal<this, void> {
    return this._deployedChanged;
  }

  /** What the options panel shows; `null` for what is selected. */
  get optionsRequested(): ISignal<this, { readonly item: IReference | 'workflow'; readonly tab?: string }> {
    return this._optionsRequested;
  }

  /** Open the options panel on something, on a tab such as `test`. */
  showOptions(item: IReference | 'workflow', tab?: string): void {
    if (item !== 'workflow') {
      this.selection.set([item]);
    }
    this._optionsRequested.emit({ item, tab });
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.document.changed.disconnect(this._onChanged, this);
    this.findings.dispose();
    this.deployment.dispose();
    this._presence.dispose();
    Signal.clearData(this);
  }

  private _onChanged(_: YWorkflow, change: WorkflowChange): void {
    if (change.snapshotChange !== undefined) {
      this.selection.prune(change.snapshotChange.new);
    }
  }

  private readonly _presence: Presence;
  private _view: ICanvasView | null = null;
  private _states: IRunStates | null = null;
  private _deployed: number | null = null;
  private _isDisposed = false;
  private _viewChanged = new Signal<this, void>(this);
  private _statesChanged = new Signal<this, void>(this);
  private _deployedChanged = new Signal<this, void>(this);
  private _optionsRequested = new Signal<this, { item: IReference | 'workflow'; tab?: string }>(this);
}
