/**
 * Dragging of what is selected. Until it is let go only the page moves, by transforms; then it is one edit.
 */
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { Point } from '../document/types';
import type { IReference } from '../editor/selection';
import { around, GRID, overlap, snap } from './geometry';
import type { IBox } from './geometry';
import { idOf, members } from './graph';
import type { IArrow } from './graph';
import type { CanvasModel } from './model';
import { routeOf } from './routes';
import { shield } from './shield';

/** Pixels that the pointer has to move before something is dragged. */
const THRESHOLD = 4;
/** Pixels at which an edge is drawn to that of another card. */
const ATTRACTION = 5;
/** Pixels at the rim of the canvas where dragging goes on by itself. */
const RIM = 32;

/** A line that shows along what something is aligned. */
export interface IGuide {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/** Moves things to points of the document. */
export type Move = (positions: ReadonlyMap<string, Point>) => void;

export class Drag {
  constructor(
    private readonly _model: CanvasModel,
    private readonly _move: Move
  ) {}

  get active(): boolean {
    return this._moving !== null;
  }

  /** Whether what was pressed last was moved. */
  get dragged(): boolean {
    return this._dragged;
  }

  get guides(): readonly IGuide[] {
    return this._guides;
  }
  get guidesChanged(): ISignal<this, void> {
    return this._guidesChanged;
  }

  /** Follow the pointer, which was pressed on something that is selected. */
  start(event: PointerEvent, grabbed: IReference): void {
    const from: Point = [event.clientX, event.clientY];
    this._last = from;
    this._dragged = false;
    const onMove = (move: PointerEvent): void => {
      if (move.pointerId !== event.pointerId) {
        return;
      }
      this._last = [move.clientX, move.clientY];
      this._free = move.altKey;
      if (this._moving === null) {
        const distance = Math.hypot(this._last[0] - from[0], this._last[1] - from[1]);
        if (distance < THRESHOLD) {
          return;
        }
        this._dragged = true;
        this._begin(grabbed, this._model.toDocument(...from));
      }
      if (this._frame === 0) {
        this._frame = requestAnimationFrame(this._step);
      }
    };
    const end = (): void => {
      cancelAnimationFrame(this._frame);
      this._frame = 0;
      window.removeEventListener('pointermove', onMove, true);
      window.removeEventListener('pointerup', onUp, true);
      window.removeEventListener('pointercancel', onCancel, true);
      window.removeEventListener('keydown', onKey, true);
    };
    const onUp = (up: PointerEvent): void => {
      if (up.pointerId === event.pointerId) {
        this._last = [up.clientX, up.clientY];
        end();
        if (this._moving !== null) {
          this._place();
          this._finish(true);
        }
      }
    };
    const onCancel = (): void => {
      end();
      this._finish(false);
    };
    const onKey = (key: KeyboardEvent): void => {
      if (key.key === 'Escape' && this._moving !== null) {
        key.stopPropagation();
        key.preventDefault();
        onCancel();
      }
    };
    window.addEventListener('pointermove', onMove, true);
    window.addEventListener('pointerup', onUp, true);
    window.addEventListener('pointercancel', onCancel, true);
    window.addEventListener('keydown', onKey, true);
  }

  private _begin(grabbed: IReference, from: Point): void {
    const model = this._model;
    const { graph } = model;
    const { snapshot } = model.editor.document;
    const ids = new Set<string>();
    for (const { kind, key } of model.editor.selection.items) {
      if (kind !== 'transitions') {
        ids.add(idOf(kind, key));
      }
    }
    ids.add(idOf(grabbed.kind, grabbed.key));
    for (const [key, group] of Object.entries(snapshot.groups)) {
      if (ids.has(idOf('groups', key))) {
        members(group).forEach(member => ids.add(idOf('stages', member)));
      }
    }
    const boxes = new Map<string, IBox>();
    const elements: HTMLElement[] = [];
    for (const id of ids) {
      const box = graph.boxOf(id);
      if (box !== undefined) {
        boxes.set(id, box);
        const element = model.nodeElements.get(id);
        if (element !== undefined) {
          elements.push(element);
        }
      }
    }
    // The boxes of cards, and of collapsed groups that stand for them.
    const moved = new Set(boxes.values());
    const carried: IArrow[] = [];
    const stretched: IArrow[] = [];
    for (const arrow of graph.arrows) {
      const both = Number(moved.has(arrow.source)) + Number(moved.has(arrow.target));
      if (both === 2) {
        carried.push(arrow);
      } else if (both === 1) {
        stretched.push(arrow);
      }
    }
    const view = this._visible();
    const others = graph.items
      .filter(item => item.kind === 'stages' && !boxes.has(item.id) && overlap(item.box, view))
      .map(item => item.box);
    this._moving = {
      from,
      ids,
      boxes,
      grabbed: boxes.get(idOf(grabbed.kind, grabbed.key)) ?? around(boxes.values())!,
      elements,
      carried,
      stretched,
      moved,
      others,
      offset: [0, 0]
    };
    this._bounds = model.root!.getBoundingClientRect();
    model.setBusy(true);
    this._shield = shield(model.root);
  }

  private _step = (): void => {
    this._frame = 0;
    if (this._moving === null) {
      return;
    }
    if (this._pan()) {
      this._frame = requestAnimationFrame(this._step);
    }
    this._place();
  };

  /** Move what is dragged to where the pointer is. */
  private _place(): void {
    const moving = this._moving!;
    const { x: left, y: top, zoom } = this._model.viewport;
    const x = (this._last[0] - this._bounds!.left - left) / zoom;
    const y = (this._last[1] - this._bounds!.top - top) / zoom;
    const offset = this._snapped([x - moving.from[0], y - moving.from[1]]);
    if (offset[0] === moving.offset[0] && offset[1] === moving.offset[1]) {
      return;
    }
    moving.offset = offset;
    const translate = `${offset[0]}px ${offset[1]}px`;
    for (const element of moving.elements) {
      element.style.translate = translate;
    }
    for (const { key } of moving.carried) {
      const arrow = this._model.arrowElements.get(key);
      if (arrow !== undefined) {
        arrow.group.style.translate = translate;
      }
      const label = this._model.labelElements.get(key);
      if (label !== undefined) {
        label.style.translate = translate;
      }
    }
    for (const arrow of moving.stretched) {
      const source = moving.moved.has(arrow.source) ? shifted(arrow.source, offset) : arrow.source;
      const target = moving.moved.has(arrow.target) ? shifted(arrow.target, offset) : arrow.target;
      this._model.arrowElements.get(arrow.key)?.reroute(source, target);
      const label = this._model.labelElements.get(arrow.key);
      if (label !== undefined) {
        const now = routeOf(arrow, source, target).label;
        const before = routeOf(arrow, arrow.source, arrow.target).label;
        label.style.translate = `${now[0] - before[0]}px ${now[1] - before[1]}px`;
      }
    }
  }

  private _finish(keep: boolean): void {
    const moving = this._moving;
    this._moving = null;
    const model = this._model;
    model.setBusy(false);
    this._shield?.remove();
    this._shield = null;
    this._setGuides([]);
    if (moving === null) {
      return;
    }
    const [dx, dy] = moving.offset;
    if (keep && (dx !== 0 || dy !== 0)) {
      const positions = new Map<string, Point>();
      const { stages } = model.editor.document.snapshot;
      for (const id of moving.ids) {
        const box = moving.boxes.get(id);
        const position = box !== undefined ? [box.x, box.y] : stages[id.slice(id.indexOf(':') + 1)]?.position;
        if (position !== undefined) {
          positions.set(id, [position[0] + dx, position[1] + dy]);
        }
      }
      this._move(positions);
    }
    // The page shows the new places before the next frame; then nothing is to be shifted any more.
    requestAnimationFrame(() => {
      for (const element of moving.elements) {
        element.style.translate = '';
      }
      for (const { key } of [...moving.carried, ...moving.stretched]) {
        const arrow = model.arrowElements.get(key);
        if (arrow !== undefined) {
          arrow.group.style.translate = '';
        }
        const label = model.labelElements.get(key);
        if (label !== undefined) {
          label.style.translate = '';
        }
      }
      for (const { key } of moving.stretched) {
        model.arrowElements.get(key)?.restore();
      }
    });
  }

  /** Draw an offset to the grid, and to the edges of other cards. */
  private _snapped([dx, dy]: Point): Point {
    const { grabbed, others } = this._moving!;
    if (this._free) {
      this._setGuides([]);
      return [Math.round(dx), Math.round(dy)];
    }
    const reach = Math.max(ATTRACTION / this._model.viewport.zoom, GRID / 2);
    const box = shifted(grabbed, [dx, dy]);
    const across = nearest(box.x, box.width, others, reach, one => [one.x, one.width]);
    const along = nearest(box.y, box.height, others, reach, one => [one.y, one.height]);
    const x = across !== null ? box.x + across.by : snap(box.x);
    const y = along !== null ? box.y + along.by : snap(box.y);
    const guides: IGuide[] = [];
    const at = { ...box, x, y };
    if (across !== null) {
      const span = around([at, across.box])!;
      guides.push({ x1: across.line, x2: across.line, y1: span.y - GRID, y2: span.y + span.height + GRID });
    }
    if (along !== null) {
      const span = around([at, along.box])!;
      guides.push({ y1: along.line, y2: along.line, x1: span.x - GRID, x2: span.x + span.width + GRID });
    }
    this._setGuides(guides);
    return [x - grabbed.x, y - grabbed.y];
  }

  private _setGuides(guides: readonly IGuide[]): void {
    if (JSON.stringify(guides) !== JSON.stringify(this._guides)) {
      this._guides = guides;
      this._guidesChanged.emit();
    }
  }

  /** Pan while the pointer is at the rim. */
  private _pan(): boolean {
    const { flow } = this._model;
    const bounds = this._bounds;
    if (bounds === null || flow === null) {
      return false;
    }
    const [x, y] = this._last;
    const dx = push(x, bounds.left, bounds.right);
    const dy = push(y, bounds.top, bounds.bottom);
    if (dx === 0 && dy === 0) {
      return false;
    }
    const viewport = flow.getViewport();
    void flow.setViewport({ ...viewport, x: viewport.x + dx, y: viewport.y + dy });
    return true;
  }

  private _visible(): IBox {
    const { size, viewport } = this._model;
    const width = size[0] / viewport.zoom;
    const height = size[1] / viewport.zoom;
    return { x: -viewport.x / viewport.zoom, y: -viewport.y / viewport.zoom, width, height };
  }

  private _moving: IMoving | null = null;
  private _guides: readonly IGuide[] = [];
  private _last: Point = [0, 0];
  private _bounds: DOMRect | null = null;
  private _shield: HTMLElement | null = null;
  private _free = false;
  private _dragged = false;
  private _frame = 0;
  private _guidesChanged = new Signal<this, void>(this);
}

interface IMoving {
  readonly from: Point;
  readonly ids: ReadonlySet<string>;
  readonly boxes: ReadonlyMap<string, IBox>;
  readonly grabbed: IBox;
  readonly elements: readonly HTMLElement[];
  /** Arrows that move as they are, and those of which one end moves. */
  readonly carried: readonly IArrow[];
  readonly stretched: readonly IArrow[];
  readonly moved: ReadonlySet<IBox>;
  /** What can be aligned with. */
  readonly others: readonly IBox[];
  offset: Point;
}

function shifted(box: IBox, [dx, dy]: Point): IBox {
  return { ...box, x: box.x + dx, y: box.y + dy };
}

/** Return how far pushing at the rim pans. */
function push(at: number, low: number, high: number): number {
  if (at < low + RIM) {
    return Math.min(RIM, low + RIM - at) / 2;
  }
  return at > high - RIM ? -Math.min(RIM, at - high + RIM) / 2 : 0;
}

/** Return the least shift that brings an edge or the middle to that of another box. */
export function nearest(
  at: number,
  size: number,
  others: readonly IBox[],
  reach: number,
  side: (box: IBox) => [number, number]
): { by: number; line: number; box: IBox } | null {
  let best: { by: number; line: number; box: IBox } | null = null;
  for (const box of others) {
    const [start, length] = side(box);
    for (const part of [0, 0.5, 1]) {
      const line = start + length * part;
      const by = line - (at + size * part);
      if (Math.abs(by) <= reach && (best === null || Math.abs(by) < Math.abs(best.by))) {
        best = { by, line, box };
      }
    }
  }
  return best;
}
