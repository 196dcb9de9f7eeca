/**
 * Keys by which one walks over the canvas. What changes the document are commands.
 */
import type { IReference } from '../editor/selection';
import { idOf } from './graph';
import type { CanvasModel } from './model';
import { itemOf } from './items';
import { towards } from './pull';
import type { Pull } from './pull';
import { graphOrder } from './walk';

export class Keys {
  constructor(
    private readonly _model: CanvasModel,
    private readonly _pull: Pull
  ) {}

  onKeyDown(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (
      this._pull.current !== null ||
      event.defaultPrevented ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    ) {
      return;
    }
    const { root } = this._model;
    const item = target === root ? null : itemOf(target);
    if (
      target !== root &&
      (item === null || !target.matches('[data-stage],[data-transition],[data-note],[data-group]'))
    ) {
      return;
    }
    if (this._handle(event, item)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  private _handle(event: KeyboardEvent, item: IReference | null): boolean {
    const { editor } = this._model;
    switch (event.key) {
      case 'ArrowLeft':
      case 'ArrowRight':
      case 'ArrowUp':
      case 'ArrowDown':
        return !event.shiftKey && this._walk(event.key, item);
      case 'Tab':
        return item !== null && this._tab(event.shiftKey, item);
      case 'Home':
      case 'End': {
        const order = this._order();
        const next = order.at(event.key === 'Home' ? 0 : -1);
        return next !== undefined && this._go(next);
      }
      case '.':
      case ',':
        return this._arrow(event.key === '.' ? 1 : -1, item);
      case 'Enter':
        if (item === null) {
          return false;
        }
        if (item.kind === 'notes' || item.kind === 'groups') {
          this._model.edit(idOf(item.kind, item.key));
        } else {
          editor.showOptions(item);
        }
        return true;
      case ' ':
        if (item !== null) {
          this._toggle(item);
        }
        return item !== null;
      case 'Escape':
        if (item !== null || editor.selection.items.length > 0) {
          editor.selection.clear();
          this._model.root?.focus({ preventScroll: true });
          return true;
        }
        return false;
      default:
        return false;
    }
  }

  /** To the next stage along the arrows, else to the nearest one in the direction. */
  private _walk(key: string, item: IReference | null): boolean {
    const { graph, editor } = this._model;
    if (item === null) {
      const first = this._order()[0];
      return first !== undefined && this._go(first);
    }
    if (item.kind === 'transitions') {
      const arrow = graph.arrow(item.key);
      if (arrow === undefined) {
        return false;
      }
      if (key === 'ArrowLeft' || key === 'ArrowRight') {
        const { source, target } = arrow.transition;
        return this._go({ kind: 'stages', key: key === 'ArrowLeft' ? source : target });
      }
      return this._arrow(key === 'ArrowDown' ? 1 : -1, item);
    }
    const from = graph.boxOf(idOf(item.kind, item.key));
    if (from === undefined) {
      return false;
    }
    if (item.kind === 'stages' && (key === 'ArrowLeft' || key === 'ArrowRight')) {
      const forward = key === 'ArrowRight';
      const near = graph
        .arrowsOf(item.key)
        .filter(({ transition, self }) => !self && transition[forward ? 'source' : 'target'] === item.key)
        .map(({ transition, source, target }) => ({
          key: forward ? transition.target : transition.source,
          box: forward ? target : source
        }));
      const next = towards(from, near, key) ?? near[0];
      if (next !== undefined) {
        return this._go({ kind: 'stages', key: next.key });
      }
    }
    const others = graph.items.filter(other => other.id !== idOf(item.kind, item.key));
    const next = towards(from, others, key);
    if (next === null) {
      this._model.say(editor.trans.__('There is nothing further in this direction.'));
      return true;
    }
    return this._go(next);
  }

  /** Through everything in the order of the graph; at the end the focus leaves the canvas. */
  private _tab(back: boolean, item: IReference): boolean {
    const order = this._order();
    const at = order.findIndex(one => one.kind === item.kind && one.key === item.key);
    const next = order[at + (back ? -1 : 1)];
    return at >= 0 && next !== undefined && this._go(next);
  }

  /** Through the arrows of a stage. */
  private _arrow(step: number, item: IReference | null): boolean {
    const { graph } = this._model;
    if (item?.kind === 'transitions') {
      const arrow = graph.arrow(item.key);
      const all = arrow === undefined ? [] : graph.arrowsOf(arrow.transition.source);
      const at = all.findIndex(one => one.key === item.key);
      const next = all[(at + step + all.length) % all.length];
      return next !== undefined && this._go({ kind: 'transitions', key: next.key });
    }
    if (item?.kind !== 'stages') {
      return false;
    }
    const all = graph.arrowsOf(item.key);
    const next = all.find(one => one.transition.source === item.key) ?? all[0];
    return next !== undefined && this._go({ kind: 'transitions', key: next.key });
  }

  private _toggle(item: IReference): void {
    const { selection, trans } = this._model.editor;
    const others = selection.items.filter(one => one.kind !== item.kind || one.key !== item.key);
    const had = others.length < selection.items.length;
    selection.set(had ? others : [...selection.items, item]);
    this._model.say(had ? trans.__('Not selected any more') : trans.__('Selected'));
  }

  private _go(item: IReference): boolean {
    const { editor } = this._model;
    const { kind, key } = item;
    editor.selection.set([{ kind, key }]);
    editor.view?.reveal({ kind, key });
    return true;
  }

  private _order(): readonly IReference[] {
    const { graph, editor } = this._model;
    return graphOrder(graph, editor.document.snapshot);
  }
}
