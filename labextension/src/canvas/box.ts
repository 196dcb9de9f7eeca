/**
 * Selecting with a box that is drawn on the ground.
 */
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { Point } from '../document/types';
import type { IReference } from '../editor/selection';
import { overlap } from './geometry';
import type { IBox } from './geometry';
import type { CanvasModel } from './model';

export class BoxSelection {
  constructor(private readonly _model: CanvasModel) {}

  /** The box, in the document; `null` while there is none. */
  get box(): IBox | null {
    return this._box;
  }
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  start(event: PointerEvent): void {
    const from = this._model.toDocument(event.clientX, event.clientY);
    const { selection } = this._model.editor;
    const before = event.ctrlKey || event.metaKey ? selection.items : [];
    const onMove = (move: PointerEvent): void => {
      const to = this._model.toDocument(move.clientX, move.clientY);
      this._set(between(from, to));
      selection.set(merged(before, this._inside()));
    };
    const end = (): void => {
      window.removeEventListener('pointermove', onMove, true);
      window.removeEventListener('pointerup', end, true);
      window.removeEventListener('pointercancel', end, true);
      this._set(null);
      this._model.say(this._model.editor.trans._n('%1 selected', '%1 selected', selection.items.length));
    };
    window.addEventListener('pointermove', onMove, true);
    window.addEventListener('pointerup', end, true);
    window.addEventListener('pointercancel', end, true);
  }

  /** Cards and notes that the box touches, groups that are wholly inside, arrows between cards of it. */
  private _inside(): IReference[] {
    const box = this._box!;
    const inside: IReference[] = [];
    const cards = new Set<string>();
    for (const { kind, key, box: one } of this._model.graph.items) {
      const whole =
        one.x >= box.x &&
        one.y >= box.y &&
        one.x + one.width <= box.x + box.width &&
        one.y + one.height <= box.y + box.height;
      if (kind === 'groups' ? whole : overlap(one, box)) {
        inside.push({ kind, key });
        if (kind === 'stages') {
          cards.add(key);
        }
      }
    }
    for (const { key, transition } of this._model.graph.arrows) {
      if (cards.has(transition.source) && cards.has(transition.target)) {
        inside.push({ kind: 'transitions', key });
      }
    }
    return inside;
  }

  private _set(box: IBox | null): void {
    this._box = box;
    this._changed.emit();
  }

  private _box: IBox | null = null;
  private _changed = new Signal<this, void>(this);
}

function between([x0, y0]: Point, [x1, y1]: Point): IBox {
  return { x: Math.min(x0, x1), y: Math.min(y0, y1), width: Math.abs(x1 - x0), height: Math.abs(y1 - y0) };
}

function merged(before: readonly IReference[], now: readonly IReference[]): IReference[] {
  const kept = before.filter(one => !now.some(other => other.kind === one.kind && other.key === one.key));
  return [...kept, ...now];
}
