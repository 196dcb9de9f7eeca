/**
 * Pointer and keys on the canvas. One place listens for all cards and arrows; they have no listeners of their own.
 */
import type { Point } from '../document/types';
import type { IReference } from '../editor/selection';
import { leaveGroups, moveItems } from '../actions/selection';
import { BoxSelection } from './box';
import { Drag } from './drag';
import { Drops } from './drops';
import { CARD_HEIGHT, CARD_WIDTH, contains, groupBox, snap } from './geometry';
import { idOf, members } from './graph';
import { isGround, itemOf, SELECTOR } from './items';
import { Keys } from './keys';
import type { CanvasModel } from './model';
import { Pull } from './pull';
import { Resize } from './resize';
import { shieldWhilePressed } from './shield';
import { CanvasView } from './view';

/** Where text is written, and pressing means something else. */
const WRITING = 'input, textarea, [contenteditable], button, a, .jp-Workflows-addBox, .jp-Workflows-controls';

export class Interaction {
  constructor(private readonly _model: CanvasModel) {
    this.pull = new Pull(_model);
    this.drag = new Drag(_model, positions => this._move(positions));
    this.box = new BoxSelection(_model);
    this._resize = new Resize(_model);
    this._keys = new Keys(_model, this.pull);
    this._view = new CanvasView(_model, this.pull);
    this._drops = new Drops(_model);
  }

  readonly pull: Pull;
  readonly drag: Drag;
  readonly box: BoxSelection;

  attach(root: HTMLElement): void {
    this._model.root = root;
    this._model.size = [root.clientWidth, root.clientHeight];
    this._sizes = new ResizeObserver(([entry]) => {
      this._model.size = [entry.contentRect.width, entry.contentRect.height];
    });
    this._sizes.observe(root);
    this._model.editor.view = this._view;
    for (const name of EVENTS) {
      root.addEventListener(name, this, CAPTURED.has(name));
    }
    this._drops.attach(root);
  }

  detach(): void {
    const { root, editor } = this._model;
    if (editor.view === this._view) {
      editor.view = null;
    }
    if (root !== null) {
      for (const name of EVENTS) {
        root.removeEventListener(name, this, CAPTURED.has(name));
      }
      this._drops.detach(root);
    }
    this._sizes?.disconnect();
    this.pull.end();
    this._model.root = null;
    this._model.flow = null;
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'pointerdown':
        this._onPointerDown(event as PointerEvent);
        break;
      case 'mousedown':
        this._onMouseDown(event as MouseEvent);
        break;
      case 'pointermove':
        this._model.pointed = event as PointerEvent;
        break;
      case 'pointerleave':
        this._model.pointed = null;
        this._model.hover(null);
        break;
      case 'pointerover':
        this._onPointerOver(event as PointerEvent);
        break;
      case 'click':
        this._onClick(event as MouseEvent);
        break;
      case 'dblclick':
        this._onDoubleClick(event as MouseEvent);
        break;
      case 'focusin':
        this._onFocusIn(event as FocusEvent);
        break;
      case 'focusout':
        this._model.focusArrow(null);
        break;
      case 'keydown':
        this._keys.onKeyDown(event as KeyboardEvent);
        break;
    }
  }

  private _onPointerDown(event: PointerEvent): void {
    const { _model: model } = this;
    const target = event.target as Element;
    this._pressed = null;
    if (target.closest(WRITING) !== null) {
      return;
    }
    if (event.button === 2) {
      const item = itemOf(target);
      if (item !== null && !model.isSelected(item.kind, item.key)) {
        model.editor.selection.set([item]);
      } else if (item === null && isGround(target)) {
        model.editor.selection.clear();
      }
      return;
    }
    if (event.button !== 0) {
      return;
    }
    const port = target.closest<HTMLElement>('[data-port]');
    const item = itemOf(target);
    if (port !== null && !model.readOnly) {
      event.preventDefault();
      const name = port.dataset.port;
      this.pull.hold(event, {
        stage: port.dataset.of!,
        end: name === 'into' ? 'source' : 'target',
        on: name === 'failed' ? 'failed' : 'completed',
        transition: null
      });
      return;
    }
    const end = target.closest<HTMLElement>('[data-end]');
    if (end !== null && !model.readOnly) {
      event.preventDefault();
      this._hold(event, end.dataset.arrow!, end.dataset.end === 'source' ? 'source' : 'target');
      return;
    }
    const corner = target.closest<HTMLElement>('[data-resize]');
    if (corner !== null && item !== null && !model.readOnly) {
      event.preventDefault();
      this._resize.start(event, item);
      return;
    }
    if (item === null) {
      if (event.shiftKey && isGround(target)) {
        event.preventDefault();
        this.box.start(event);
      } else if (isGround(target)) {
        shieldWhilePressed(model.root);
      }
      return;
    }
    const adding = event.shiftKey || event.ctrlKey || event.metaKey;
    if (adding) {
      this._pressed = item;
    } else if (!model.isSelected(item.kind, item.key)) {
      model.editor.selection.set([item]);
    } else {
      this._pressed = item;
    }
    if (item.kind !== 'transitions' && !model.readOnly) {
      this.drag.start(event, item);
    }
  }

  /** React Flow pans by `mousedown`; with Shift the ground is for the selection. */
  private _onMouseDown(event: MouseEvent): void {
    if (event.shiftKey && event.button === 0 && isGround(event.target as Element)) {
      event.stopPropagation();
      event.preventDefault();
      this._model.root?.focus({ preventScroll: true });
    }
  }

  private _onClick(event: MouseEvent): void {
    const target = event.target as Element;
    const { selection } = this._model.editor;
    if (target.closest(WRITING) !== null) {
      return;
    }
    const item = itemOf(target);
    if (item === null) {
      if (isGround(target) && !event.shiftKey) {
        selection.clear();
        this._model.root?.focus({ preventScroll: true });
      }
      return;
    }
    this._model.focus(item);
    // What was selected before is only let go if nothing was dragged.
    if (this._pressed !== null && this._pressed.key === item.key && !this.drag.dragged) {
      if (event.shiftKey || event.ctrlKey || event.metaKey) {
        const others = selection.items.filter(one => one.kind !== item.kind || one.key !== item.key);
        selection.set(others.length < selection.items.length ? others : [...selection.items, item]);
      } else {
        selection.set([item]);
      }
    }
    this._pressed = null;
  }

  private _onDoubleClick(event: MouseEvent): void {
    const { _model: model } = this;
    const target = event.target as Element;
    if (target.closest(WRITING) !== null || target.closest('[data-port]') !== null) {
      return;
    }
    const item = itemOf(target);
    if (item === null) {
      if (isGround(target)) {
        const [x, y] = model.toDocument(event.clientX, event.clientY);
        model.requestAdd({ at: [snap(x - CARD_WIDTH / 2), snap(y - CARD_HEIGHT / 2)] });
      }
    } else if (item.kind === 'notes' || item.kind === 'groups') {
      model.edit(idOf(item.kind, item.key));
    } else {
      model.editor.showOptions(item);
    }
  }

  private _onPointerOver(event: PointerEvent): void {
    const target = event.target as Element;
    clearTimeout(this._leaving);
    if (this.drag.active || this.pull.current !== null) {
      this._model.hover(null);
      return;
    }
    const element = target.closest<HTMLElement>(
      '[data-transition],[data-label],[data-arrow],[data-stage],[data-of]'
    );
    if (element !== null) {
      const { transition, label, arrow, stage, of: card } = element.dataset;
      this._model.hover(transition ?? label ?? arrow ?? null, stage ?? card ?? null);
    } else {
      // What is offered stays while the pointer is on its way to it.
      this._leaving = setTimeout(() => this._model.hover(null), 250);
    }
  }

  private _onFocusIn(event: FocusEvent): void {
    const { _model: model } = this;
    const target = event.target as Element;
    const item = itemOf(target);
    model.focusArrow(
      item?.kind === 'transitions'
        ? item.key
        : (target.closest<HTMLElement>('[data-arrow]')?.dataset.arrow ?? null)
    );
    if (item !== null && target.matches(SELECTOR)) {
      model.setTabStop(idOf(item.kind, item.key));
    }
  }

  private _hold(event: PointerEvent, key: string, end: 'source' | 'target'): void {
    const transition = this._model.editor.document.snapshot.transitions[key];
    if (transition !== undefined) {
      this.pull.hold(event, {
        stage: end === 'target' ? transition.source : transition.target,
        end,
        on: transition.on === 'failed' ? 'failed' : 'completed',
        transition: key
      });
    }
  }

  /** Put what was dragged where it is, in one step; a card that is let go over a group goes into it. */
  private _move(positions: ReadonlyMap<string, Point>): void {
    const { editor } = this._model;
    const { snapshot } = editor.document;
    const stages = [...positions.keys()]
      .filter(id => id.startsWith('stages:'))
      .map(id => id.slice('stages:'.length));
    const dragged = new Set(stages);
    const groups = Object.entries(snapshot.groups).filter(
      ([key, group]) => !positions.has(idOf('groups', key)) && !group.collapsed
    );
    const homes = new Map<string | null, string[]>();
    for (const key of stages) {
      const [x, y] = positions.get(idOf('stages', key))!;
      const mid: Point = [x + CARD_WIDTH / 2, y + CARD_HEIGHT / 2];
      const own = Object.entries(snapshot.groups).find(([, group]) => group.stages?.includes(key));
      if (own !== undefined && (positions.has(idOf('groups', own[0])) || own[1].collapsed)) {
        continue;
      }
      // A group of which everything is dragged goes along.
      if (own !== undefined && own[1].stages?.every(one => dragged.has(one))) {
        continue;
      }
      const home = groups.find(([, group]) => contains(groupBox(snapshot, group, dragged), mid))?.[0] ?? null;
      if (home !== (own?.[0] ?? null)) {
        homes.set(home, [...(homes.get(home) ?? []), key]);
      }
    }
    if (homes.size === 0) {
      moveItems(editor, positions);
      return;
    }
    editor.document.edit(draft => {
      for (const [id, position] of positions) {
        const colon = id.indexOf(':');
        draft.patch(id.slice(0, colon) as 'stages' | 'notes' | 'groups', id.slice(colon + 1), { position });
      }
      for (const [home, keys] of homes) {
        leaveGroups(draft, snapshot, new Set(keys), new Set(home === null ? [] : [home]));
        if (home !== null) {
          draft.patch('groups', home, { stages: [...members(snapshot.groups[home]), ...keys] });
        }
      }
    });
  }

  private readonly _view: CanvasView;
  private readonly _resize: Resize;
  private readonly _keys: Keys;
  private readonly _drops: Drops;
  private _sizes: ResizeObserver | null = null;
  private _pressed: IReference | null = null;
  private _leaving: ReturnType<typeof setTimeout> | undefined;
}

const EVENTS = [
  'pointerdown',
  'pointermove',
  'pointerleave',
  'pointerover',
  'mousedown',
  'click',
  'dblclick',
  'focusin',
  'focusout',
  'keydown'
] as const;
const CAPTURED: ReadonlySet<string> = new Set(['mousedown', 'pointerdown']);
