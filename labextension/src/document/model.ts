/**
 * The model of an open workflow file, as the document registry wants it.
 */
import type { IChangedArgs } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import { YWorkflow } from './ydoc';
import type { WorkflowChange } from './ydoc';

/** Name of the document's type in collaboration rooms. */
export const CONTENT_TYPE = 'workflow';
/** Name of the file type. */
export const FILE_TYPE = 'workflow';
export const MODEL_FACTORY = 'workflow';

export class WorkflowModel implements DocumentRegistry.IModel {
  constructor(options: DocumentRegistry.IModelOptions<YWorkflow> = {}) {
    this.sharedModel = options.sharedModel ?? new YWorkflow();
    this.collaborative = options.collaborationEnabled ?? false;
    this.sharedModel.changed.connect(this._onChanged, this);
  }

  readonly sharedModel: YWorkflow;
  readonly collaborative: boolean;
  readonly defaultKernelName = '';
  readonly defaultKernelLanguage = '';

  get contentChanged(): ISignal<this, void> {
    return this._contentChanged;
  }

  get stateChanged(): ISignal<this, IChangedArgs<unknown, unknown, string>> {
    return this._stateChanged;
  }

  /** Whether there are changes that are not saved; those who work together share it. */
  get dirty(): boolean {
    return this.sharedModel.dirty;
  }
  set dirty(value: boolean) {
    if (value !== this.dirty) {
      this.sharedModel.dirty = value;
    }
  }

  get readOnly(): boolean {
    return this._readOnly;
  }
  set readOnly(value: boolean) {
    if (value !== this._readOnly) {
      this._readOnly = value;
      this._stateChanged.emit({ name: 'readOnly', oldValue: !value, newValue: value });
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.sharedModel.changed.disconnect(this._onChanged, this);
    this.sharedModel.dispose();
    Signal.clearData(this);
  }

  initialize(): void {}

  toString(): string {
    return this.sharedModel.getSource();
  }

  fromString(value: string): void {
    this.sharedModel.setSource(value);
    if (!this.collaborative) {
      // What was loaded is what the file says.
      this.dirty = false;
    }
  }

  toJSON(): PartialJSONValue {
    return JSON.parse(this.toString() || 'null') as PartialJSONValue;
  }

  fromJSON(value: PartialJSONValue): void {
    this.fromString(JSON.stringify(value));
  }

  private _onChanged(_: YWorkflow, change: WorkflowChange): void {
    if (change.snapshotChange !== undefined || change.problemChange) {
      this._contentChanged.emit();
    }
    for (const { name, oldValue, newValue } of change.stateChange ?? []) {
      if (oldValue !== newValue) {
        this._stateChanged.emit({ name, oldValue, newValue });
      }
    }
  }

  private _readOnly = false;
  private _isDisposed = false;
  private _contentChanged = new Signal<this, void>(this);
  private _stateChanged = new Signal<this, IChangedArgs<unknown, unknown, string>>(this);
}

export class WorkflowModelFactory implements DocumentRegistry.IModelFactory<WorkflowModel> {
  readonly name = MODEL_FACTORY;
  // A type of our own, so that rooms use our shared document.
  readonly contentType = CONTENT_TYPE as Contents.ContentType;
  readonly fileFormat: Contents.FileFormat = 'text';
  readonly collaborative = true;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
  }

  preferredLanguage(): string {
    return '';
  }

  createNew(options?: DocumentRegistry.IModelOptions<YWorkflow>): WorkflowModel {
    return new WorkflowModel(options);
  }

  private _isDisposed = false;
}
