/**
 * What the options panel shows.
 */
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { WorkflowEditor } from '../editor/editor';
import type { IReference } from '../editor/selection';

export type Tab = 'settings' | 'test' | 'run';
export const TABS: readonly Tab[] = ['settings', 'test', 'run'];

/** Whether the panel is open, and on what. It has no DOM. */
export class OptionsModel implements IDisposable {
  constructor(private readonly _editor: WorkflowEditor) {
    _editor.optionsRequested.connect(this._onRequested, this);
    _editor.selection.changed.connect(this._onSelected, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Somebody asked for the options: the panel is to have the keyboard. */
  get requested(): ISignal<this, void> {
    return this._requested;
  }

  get isOpen(): boolean {
    return this._isOpen;
  }

  get tab(): Tab {
    return this._tab;
  }

  choose(tab: Tab): void {
    if (tab !== this._tab) {
      this._tab = tab;
      this._changed.emit();
    }
  }

  /** What is shown: what is selected, or the workflow if nothing is, or if it was asked for. */
  get items(): readonly IReference[] {
    return this._workflow ? NOTHING : this._editor.selection.items;
  }

  close(): void {
    if (this._isOpen) {
      this._isOpen = false;
      this._changed.emit();
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
    this._editor.optionsRequested.disconnect(this._onRequested, this);
    this._editor.selection.changed.disconnect(this._onSelected, this);
    Signal.clearData(this);
  }

  private _onRequested(
    _: WorkflowEditor,
    { item, tab }: { readonly item: IReference | 'workflow'; readonly tab?: string }
  ): void {
    this._workflow = item === 'workflow';
    const wanted = TABS.find(one => one === tab);
    if (wanted !== undefined) {
      this._tab = wanted;
    } else if (!this._isOpen) {
      this._tab = 'settings';
    }
    this._isOpen = true;
    this._changed.emit();
    this._requested.emit();
  }

  private _onSelected(): void {
    this._workflow = false;
    this._changed.emit();
  }

  private _isOpen = false;
  private _isDisposed = false;
  private _tab: Tab = 'settings';
  private _workflow = false;
  private _changed = new Signal<this, void>(this);
  private _requested = new Signal<this, void>(this);
}

const NOTHING: readonly IReference[] = [];
