/**
 * Drawing an arrow: from a handle, by "Add transition", or by an end of an arrow that there is.
 */
import { Signal } from '@lumino/signaling';
import type { ISignal } from '@lumino/signaling';

import type { Point } from '../document/types';
import { canConnect, connect, reconnect } from '../actions/transitions';
import { AIM } from './Card';
import { contains, middle } from './geometry';
import type { IBox } from './geometry';
import type { CanvasModel } from './model';
import { into, outOf } from './routes';

/** Pixels around a card in which an arrow goes to it. */
const REACH = 16;

/** An arrow that is being drawn. */
export interface IPull {
  /** The stage at the end that stays. */
  readonly stage: string;
  /** The end that hangs in the air. */
  readonly end: 'source' | 'target';
  readonly on: 'completed' | 'failed';
  /** The arrow whose end it is; `null` for a new one. */
  readonly transition: string | null;
  /** Whether the button is held down, or the arrow follows without. */
  readonly held: boolean;
  /** Where the end is, in the document. */
  readonly point: Point;
  /** The stage that it would go to. */
  readonly candidate: string | null;
  /** Why it cannot go to the stage below. */
  readonly refusal: string | null;
}

export class Pull {
  constructor(private readonly _model: CanvasModel) {}

  get current(): IPull | null {
    return this._current;
  }
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Begin at a handle, or at an arrow's end, with the button held down. */
  hold(event: PointerEvent, pull: Pick<IPull, 'stage' | 'end' | 'on' | 'transition'>): void {
    const from: Point = [event.clientX, event.clientY];
    this._begin({ ...pull, held: true, point: this._model.toDocument(...from) });
    this._until = (up: PointerEvent) => {
      const moved = Math.hypot(up.clientX - from[0], up.clientY - from[1]) > REACH / 4;
      this._aim(up.clientX, up.clientY);
      if (moved) {
        this._drop(true);
      } else if (pull.transition === null && pull.end === 'target') {
        // A click on a handle: the arrow follows without the button.
        this._set({ ...this._current!, held: false });
        this._follow();
      } else {
        this.end();
      }
    };
    this._listen();
  }

  /** Begin without a button: the arrow follows the pointer and the arrow keys. */
  begin(stage: string, on: 'completed' | 'failed' = 'completed'): void {
    const box = this._model.graph.boxOfStage(stage);
    if (box === undefined || this._model.readOnly) {
      return;
    }
    const { trans, document } = this._model.editor;
    const [x, y] = outOf(box, on);
    const point = this._model.pointer ?? [x + 64, y];
    this._begin({ stage, end: 'target', on, transition: null, held: false, point });
    this._listen();
    this._follow();
    this._model.say(
      trans.__(
        'Arrow from %1: choose a stage with the arrow keys, Enter connects, Escape ends.',
        document.snapshot.stages[stage]?.title ?? ''
      )
    );
  }

  end(): void {
    if (this._current === null) {
      return;
    }
    this._current = null;
    this._stop?.();
    this._stop = null;
    this._until = null;
    this._model.setAims(new Map());
    this._model.root?.classList.remove('jp-mod-pulling');
    this._model.root?.removeAttribute('data-lm-suppress-shortcuts');
    this._changed.emit();
  }

  private _begin(pull: Omit<IPull, 'candidate' | 'refusal'>): void {
    this.end();
    this._refusals = new Map();
    const { snapshot } = this._model.editor.document;
    const { trans } = this._model.editor;
    for (const key of Object.keys(snapshot.stages)) {
      const [source, target] = pull.end === 'target' ? [pull.stage, key] : [key, pull.stage];
      const refusal = canConnect(snapshot, source, target, trans);
      if (refusal !== null) {
        this._refusals.set(key, refusal);
      }
    }
    this._model.root?.classList.add('jp-mod-pulling');
    // Keys belong to the arrow now.
    this._model.root?.setAttribute('data-lm-suppress-shortcuts', 'true');
    this._set({ ...pull, candidate: null, refusal: null });
  }

  private _listen(): void {
    const onMove = (event: PointerEvent): void => this._aim(event.clientX, event.clientY);
    const onUp = (event: PointerEvent): void => this._until?.(event);
    const onDown = (event: PointerEvent): void => {
      if (this._current?.held === false) {
        event.stopPropagation();
        event.preventDefault();
        if (event.button !== 0 || !this._model.root?.contains(event.target as Node)) {
          this.end();
          return;
        }
        this._aim(event.clientX, event.clientY);
        this._drop(true);
        swallowClick();
      }
    };
    const onKey = (event: KeyboardEvent): void => this._onKey(event);
    window.addEventListener('pointermove', onMove, true);
    window.addEventListener('pointerup', onUp, true);
    window.addEventListener('pointerdown', onDown, true);
    window.addEventListener('keydown', onKey, true);
    this._stop = () => {
      window.removeEventListener('pointermove', onMove, true);
      window.removeEventListener('pointerup', onUp, true);
      window.removeEventListener('pointerdown', onDown, true);
      window.removeEventListener('keydown', onKey, true);
    };
  }

  private _follow(): void {
    this._until = null;
  }

  private _onKey(event: KeyboardEvent): void {
    if (this._current === null) {
      return;
    }
    switch (event.key) {
      case 'Escape':
        this._model.say(this._model.editor.trans.__('No arrow was drawn.'));
        this.end();
        break;
      case 'Enter':
        this._drop(false);
        break;
      case 'ArrowLeft':
      case 'ArrowRight':
      case 'ArrowUp':
      case 'ArrowDown':
        this._jump(event.key);
        break;
      case 'Tab':
        this._jump(event.shiftKey ? 'ArrowLeft' : 'ArrowRight');
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Go to the next candidate in a direction. */
  private _jump(key: string): void {
    const current = this._current!;
    const { graph, editor } = this._model;
    const from = graph.boxOfStage(current.candidate ?? current.stage)!;
    const candidates = graph.items.filter(
      item => item.kind === 'stages' && !this._refusals.has(item.key) && item.key !== current.candidate
    );
    const next = towards(from, candidates, key);
    if (next === null) {
      this._model.say(editor.trans.__('There is no stage further in this direction.'));
      return;
    }
    this._set({ ...current, candidate: next.key, refusal: null, point: this._endAt(next.box) });
    this._model.say(editor.document.snapshot.stages[next.key].title);
    editor.view?.reveal({ kind: 'stages', key: next.key });
  }

  private _aim(clientX: number, clientY: number): void {
    const current = this._current;
    if (current === null) {
      return;
    }
    const point = this._model.toDocument(clientX, clientY);
    const reach = REACH / this._model.viewport.zoom;
    let below: { key: string; box: IBox } | null = null;
    for (const item of this._model.graph.items) {
      const { x, y, width, height } = item.box;
      const wide = { x: x - reach, y: y - reach, width: width + 2 * reach, height: height + 2 * reach };
      // A new arrow goes to its own stage only from right above it.
      const box = item.key === current.stage ? item.box : wide;
      if (item.kind === 'stages' && contains(box, point)) {
        below = item;
      }
    }
    const refusal = below === null ? null : (this._refusals.get(below.key) ?? null);
    const candidate = below !== null && refusal === null ? below.key : null;
    this._set({
      ...current,
      point: candidate !== null && below !== null ? this._endAt(below.box) : point,
      candidate,
      refusal
    });
  }

  private _endAt(box: IBox): Point {
    return this._current!.end === 'target' ? into(box) : outOf(box, this._current!.on);
  }

  /** Let the end go where it is. */
  private _drop(offer: boolean): void {
    const current = this._current!;
    const { editor } = this._model;
    this.end();
    if (current.candidate === null) {
      if (current.refusal !== null) {
        this._model.say(current.refusal);
      } else if (offer && current.transition === null && current.end === 'target') {
        this._model.requestAdd({
          at: current.point,
          after: { source: current.stage, on: current.on }
        });
      }
      return;
    }
    if (current.transition !== null) {
      reconnect(editor, current.transition, { [current.end]: current.candidate });
      return;
    }
    const [source, target] =
      current.end === 'target' ? [current.stage, current.candidate] : [current.candidate, current.stage];
    connect(editor, source, target, { on: current.on });
    this._model.focus({ kind: 'stages', key: target });
  }

  private _set(pull: IPull): void {
    const before = this._current;
    this._current = pull;
    if (before === null || before.candidate !== pull.candidate || before.refusal !== pull.refusal) {
      const aims = new Map(this._refusals);
      if (pull.candidate !== null) {
        aims.set(pull.candidate, AIM);
      }
      this._model.setAims(aims);
    }
    this._changed.emit();
  }

  private _current: IPull | null = null;
  private _refusals: Map<string, string> = new Map();
  private _stop: (() => void) | null = null;
  private _until: ((event: PointerEvent) => void) | null = null;
  private _changed = new Signal<this, void>(this);
}

/** Return the nearest item in the direction of an arrow key. */
export function towards<T extends { readonly box: IBox }>(
  from: IBox,
  items: readonly T[],
  key: string
): T | null {
  const [x, y] = middle(from);
  let best: T | null = null;
  let least = Infinity;
  for (const item of items) {
    const [itemX, itemY] = middle(item.box);
    const dx = itemX - x;
    const dy = itemY - y;
    const along = { ArrowLeft: -dx, ArrowRight: dx, ArrowUp: -dy, ArrowDown: dy }[key] ?? 0;
    const aside = Math.abs(key === 'ArrowLeft' || key === 'ArrowRight' ? dy : dx);
    if (along > 0) {
      const distance = along + 2 * aside;
      if (distance < least) {
        least = distance;
        best = item;
      }
    }
  }
  return best;
}

/** The click that follows must not select anything. */
function swallowClick(): void {
  const swallow = (event: MouseEvent): void => event.stopPropagation();
  window.addEventListener('click', swallow, { capture: true, once: true });
  window.addEventListener(
    'pointerup',
    () => setTimeout(() => window.removeEventListener('click', swallow, true)),
    { capture: true, once: true }
  );
}
