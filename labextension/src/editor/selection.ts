/**
 * What is selected on a canvas.
 */
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { ISnapshot, Kind } from '../document/types';

/** Something in the document. */
export interface IReference {
  readonly kind: Kind;
  readonly key: string;
}

/** A set of things in the document, in the order in which they were selected. */
export class Selection {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get items(): readonly IReference[] {
    return this._items;
  }

  /** The keys of what is selected of a kind. */
  keys(kind: Kind): readonly string[] {
    return this._items.filter(item => item.kind === kind).map(item => item.key);
  }

  /** The one thing that is selected; `null` if it is none, or several. */
  get only(): IReference | null {
    return this._items.length === 1 ? this._items[0] : null;
  }

  has(kind: Kind, key: string): boolean {
    return this._items.some(item => item.kind === kind && item.key === key);
  }

  set(items: readonly IReference[]): void {
    const same =
      items.length === this._items.length &&
      items.every((item, i) => item.kind === this._items[i].kind && item.key === this._items[i].key);
    if (!same) {
      this._items = [...items];
      this._changed.emit();
    }
  }

  clear(): void {
    this.set([]);
  }

  /** Drop what is no longer in the document. */
  prune(snapshot: ISnapshot): void {
    this.set(this._items.filter(item => item.key in snapshot[item.kind]));
  }

  private _items: readonly IReference[] = [];
  private _changed = new Signal<this, void>(this);
}
