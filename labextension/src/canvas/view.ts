/**
 * What others ask of the canvas, and where it looked last.
 */
import { getViewportForBounds } from '@xyflow/react';
import type { Viewport } from '@xyflow/react';

import type { Point } from '../document/types';
import type { IReference } from '../editor/selection';
import type { ICanvasView } from '../editor/view';
import { around, MAX_ZOOM, middle, MIN_ZOOM, overlap } from './geometry';
import type { IBox } from './geometry';
import { idOf } from './graph';
import type { IItem } from './graph';
import type { CanvasModel } from './model';
import type { Pull } from './pull';
import { routeOf } from './routes';

const PADDING = 0.1;
/** What zooming in and out changes. */
const FACTOR = 1.25;
/** Pixels that are kept free around what is revealed. */
const MARGIN = 40;

export class CanvasView implements ICanvasView {
  constructor(
    private readonly _model: CanvasModel,
    private readonly _pull: Pull
  ) {}

  fit(stages?: readonly string[]): void {
    const { graph, root } = this._model;
    const items =
      stages === undefined
        ? graph.items
        : stages.map(key => ({ box: graph.boxOfStage(key) })).filter(item => item.box !== undefined);
    if (root !== null) {
      this._go(fitting(items as readonly Pick<IItem, 'box'>[], root.clientWidth, root.clientHeight));
    }
  }

  zoomIn(): void {
    this.zoomTo(this._model.viewport.zoom * FACTOR);
  }

  zoomOut(): void {
    this.zoomTo(this._model.viewport.zoom / FACTOR);
  }

  /** Zoom around the middle of what is seen. */
  zoomTo(zoom: number): void {
    const { root, viewport } = this._model;
    const next = Math.min(Math.max(zoom, MIN_ZOOM), MAX_ZOOM);
    const [x, y] = [(root?.clientWidth ?? 0) / 2, (root?.clientHeight ?? 0) / 2];
    const factor = next / viewport.zoom;
    this._go({ x: x - (x - viewport.x) * factor, y: y - (y - viewport.y) * factor, zoom: next });
  }

  reveal(item: IReference, { focus = true }: { readonly focus?: boolean } = {}): void {
    const box = this._boxOf(item);
    const { root, viewport } = this._model;
    if (box === null || root === null) {
      return;
    }
    const group = item.kind === 'stages' ? this._model.graph.hiddenIn(item.key) : undefined;
    const { x, y, zoom } = viewport;
    const seen = {
      x: (MARGIN - x) / zoom,
      y: (MARGIN - y) / zoom,
      width: (root.clientWidth - 2 * MARGIN) / zoom,
      height: (root.clientHeight - 2 * MARGIN) / zoom
    };
    const inside =
      box.x >= seen.x &&
      box.y >= seen.y &&
      box.x + box.width <= seen.x + seen.width &&
      box.y + box.height <= seen.y + seen.height;
    if (!inside) {
      // The least way that shows it; in the middle if it is out of sight altogether.
      const near = overlap(box, {
        x: -x / zoom,
        y: -y / zoom,
        width: root.clientWidth / zoom,
        height: root.clientHeight / zoom
      });
      const [midX, midY] = middle(box);
      const dx = near ? shift(box.x, box.width, seen.x, seen.width) : midX - seen.x - seen.width / 2;
      const dy = near ? shift(box.y, box.height, seen.y, seen.height) : midY - seen.y - seen.height / 2;
      this._go({ x: x - dx * zoom, y: y - dy * zoom, zoom });
    }
    if (focus && this._pull.current === null) {
      this._model.focus(group === undefined ? item : { kind: 'groups', key: group });
    }
  }

  focus(): void {
    const { root, tabStopId } = this._model;
    if (root?.contains(document.activeElement)) {
      return;
    }
    const colon = tabStopId?.indexOf(':') ?? -1;
    const item =
      tabStopId === null
        ? null
        : this._model.element({
            kind: tabStopId.slice(0, colon) as IReference['kind'],
            key: tabStopId.slice(colon + 1)
          });
    (item ?? root)?.focus({ preventScroll: true });
  }

  startTransition(source: string, on: 'completed' | 'failed' = 'completed'): void {
    this._pull.begin(source, on);
  }

  center(): Point {
    return this._model.center();
  }

  toDocument(clientX: number, clientY: number): Point {
    return this._model.toDocument(clientX, clientY);
  }

  pointer(): Point | null {
    return this._model.pointer;
  }

  private _boxOf({ kind, key }: IReference): IBox | null {
    const { graph } = this._model;
    if (kind === 'stages') {
      return graph.boxOfStage(key) ?? null;
    }
    if (kind !== 'transitions') {
      return graph.boxOf(idOf(kind, key)) ?? null;
    }
    const arrow = graph.arrow(key);
    if (arrow === undefined) {
      return null;
    }
    const [x, y] = routeOf(arrow, arrow.source, arrow.target).label;
    return { x: x - 60, y: y - 20, width: 120, height: 40 };
  }

  private _go(viewport: Viewport): void {
    void this._model.flow?.setViewport(viewport, { duration: still() ? 0 : 200 });
  }
}

/** Whether people asked for less motion. */
export function still(): boolean {
  return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}

/** Return the viewport that shows everything, not larger than it is. */
export function fitting(items: readonly Pick<IItem, 'box'>[], width: number, height: number): Viewport {
  const box = around(items.map(item => item.box));
  if (box === null) {
    return { x: width / 2, y: height / 2, zoom: 1 };
  }
  return getViewportForBounds(box, width, height, MIN_ZOOM, 1, PADDING);
}

/** Return how far something has to go to be inside. */
function shift(at: number, size: number, low: number, length: number): number {
  if (at < low) {
    return at - low;
  }
  const over = at + size - low - length;
  return over > 0 ? Math.min(over, at - low) : 0;
}

const PREFIX = 'jupyter-workflows:viewport:';
const viewports = new Map<string, Viewport>();
let timer: ReturnType<typeof setTimeout> | undefined;

/** Where a document was looked at in this session; `null` if it was not. */
export function recall(path: string): Viewport | null {
  const known = viewports.get(path);
  if (known !== undefined) {
    return known;
  }
  try {
    const value = JSON.parse(sessionStorage.getItem(PREFIX + path) ?? 'null') as Viewport | null;
    return value !== null && [value.x, value.y, value.zoom].every(Number.isFinite) ? value : null;
  } catch {
    return null;
  }
}

export function remember(path: string, viewport: Viewport): void {
  viewports.set(path, viewport);
  clearTimeout(timer);
  timer = setTimeout(() => {
    try {
      sessionStorage.setItem(PREFIX + path, JSON.stringify(viewport));
    } catch {
      // A browser without storage forgets it on reload.
    }
  }, 500);
}
