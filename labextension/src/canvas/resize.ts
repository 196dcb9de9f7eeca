/**
 * Resizing of notes and groups by their corner.
 */
import type { IReference } from '../editor/selection';
import { GRID, snap } from './geometry';
import { idOf } from './graph';
import type { CanvasModel } from './model';

const LEAST = [80, 48] as const;

export class Resize {
  constructor(private readonly _model: CanvasModel) {}

  start(event: PointerEvent, { kind, key }: IReference): void {
    const id = idOf(kind, key);
    const box = this._model.graph.boxOf(id);
    const element = this._model.nodeElements.get(id);
    if (box === undefined || element === undefined || (kind !== 'notes' && kind !== 'groups')) {
      return;
    }
    const from = this._model.toDocument(event.clientX, event.clientY);
    let size: readonly [number, number] = [box.width, box.height];
    const onMove = (move: PointerEvent): void => {
      const [x, y] = this._model.toDocument(move.clientX, move.clientY);
      size = [
        Math.max(snap(box.width + x - from[0]), LEAST[0]),
        Math.max(snap(box.height + y - from[1]), LEAST[1])
      ];
      element.style.width = `${size[0]}px`;
      element.style.height = `${size[1]}px`;
    };
    const end = (up: PointerEvent): void => {
      window.removeEventListener('pointermove', onMove, true);
      window.removeEventListener('pointerup', end, true);
      window.removeEventListener('pointercancel', end, true);
      const same = Math.abs(size[0] - box.width) < GRID / 2 && Math.abs(size[1] - box.height) < GRID / 2;
      if (up.type === 'pointerup' && !same) {
        this._model.editor.document.edit(draft => draft.patch(kind, key, { size }));
      }
      // A frame is never smaller than what is in it.
      const now = this._model.graph.boxOf(id) ?? box;
      element.style.width = `${now.width}px`;
      element.style.height = `${now.height}px`;
    };
    window.addEventListener('pointermove', onMove, true);
    window.addEventListener('pointerup', end, true);
    window.addEventListener('pointercancel', end, true);
  }
}
