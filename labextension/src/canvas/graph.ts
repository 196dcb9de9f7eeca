/**
 * What is drawn of a snapshot. Whatever is unchanged stays the same object.
 */
import type { IGroup, ISnapshot, IStage, ITransition } from '../document/types';
import { groupBox, noteBox, stageBox } from './geometry';
import type { IBox } from './geometry';

/** An arrow between two cards, or collapsed groups. */
export interface IArrow {
  readonly key: string;
  readonly transition: ITransition;
  readonly source: IBox;
  readonly target: IBox;
  /** Its place among arrows between the same two cards; 0 is the middle. */
  readonly lane: number;
  /** Whether both ends are the same card. */
  readonly self: boolean;
}

/** What is drawn as a box. */
export interface IItem {
  readonly id: string;
  readonly kind: 'stages' | 'notes' | 'groups';
  readonly key: string;
  readonly box: IBox;
}

export function idOf(kind: string, key: string): string {
  return `${kind}:${key}`;
}

export class Graph {
  /** Take in a snapshot. */
  update(snapshot: ISnapshot): void {
    const before = this._snapshot;
    if (snapshot === before) {
      return;
    }
    this._snapshot = snapshot;
    const boxesChanged =
      before?.stages !== snapshot.stages ||
      before.groups !== snapshot.groups ||
      before.notes !== snapshot.notes;
    const moved = boxesChanged && this._updateItems(snapshot);
    if (moved || before?.transitions !== snapshot.transitions) {
      this._updateArrows(snapshot);
    }
  }

  /** Stages, notes and groups that are seen; groups first, for they lie below. */
  get items(): readonly IItem[] {
    return this._items;
  }

  get arrows(): readonly IArrow[] {
    return this._arrows;
  }

  /** Where a stage is seen: its card, or the collapsed group in which it is. */
  boxOfStage(key: string): IBox | undefined {
    return this._stageBoxes.get(key);
  }

  boxOf(id: string): IBox | undefined {
    return this._boxes.get(id);
  }

  /** The collapsed group in which a stage is out of sight. */
  hiddenIn(key: string): string | undefined {
    return this._hiddenIn.get(key);
  }

  arrowsOf(stage: string): readonly IArrow[] {
    return this._arrowsOf.get(stage) ?? NONE;
  }

  arrow(key: string): IArrow | undefined {
    return this._byKey.get(key);
  }

  /** Returns whether some card is elsewhere, or there are others. */
  private _updateItems(snapshot: ISnapshot): boolean {
    const before = this._boxes;
    const cardsBefore = this._stageBoxes;
    const items: IItem[] = [];
    this._boxes = new Map();
    this._stageBoxes = new Map();
    this._hiddenIn = new Map();
    const add = (kind: IItem['kind'], key: string, box: IBox): IBox => {
      const id = idOf(kind, key);
      const old = before.get(id);
      const same = old !== undefined && equal(old, box) ? old : box;
      this._boxes.set(id, same);
      const item = this._itemOf.get(id);
      const next = item !== undefined && item.box === same ? item : { id, kind, key, box: same };
      this._itemOf.set(id, next);
      items.push(next);
      return same;
    };
    for (const [key, group] of Object.entries(snapshot.groups)) {
      const box = add('groups', key, groupBox(snapshot, group));
      if (group.collapsed) {
        for (const member of members(group)) {
          this._hiddenIn.set(member, key);
          if (member in snapshot.stages) {
            this._stageBoxes.set(member, box);
          }
        }
      }
    }
    for (const [key, note] of Object.entries(snapshot.notes)) {
      add('notes', key, noteBox(note));
    }
    for (const [key, stage] of Object.entries(snapshot.stages)) {
      if (!this._hiddenIn.has(key)) {
        this._stageBoxes.set(key, add('stages', key, boxOf(stage)));
      }
    }
    for (const id of this._itemOf.keys()) {
      if (!this._boxes.has(id)) {
        this._itemOf.delete(id);
      }
    }
    this._items = items;
    if (cardsBefore.size !== this._stageBoxes.size) {
      return true;
    }
    for (const [key, box] of this._stageBoxes) {
      if (cardsBefore.get(key) !== box) {
        return true;
      }
    }
    return false;
  }

  private _updateArrows(snapshot: ISnapshot): void {
    const before = this._byKey;
    const pairs = new Map<string, string[]>();
    const entries = Object.entries(snapshot.transitions);
    for (const [key, { source, target }] of entries) {
      const pair = source < target ? `${source} ${target}` : `${target} ${source}`;
      const keys = pairs.get(pair);
      if (keys === undefined) {
        pairs.set(pair, [key]);
      } else {
        keys.push(key);
      }
    }
    const lanes = new Map<string, number>();
    for (const keys of pairs.values()) {
      if (keys.length > 1) {
        // Side by side only where they go the same way.
        for (const way of [true, false]) {
          const same = keys.filter(key => {
            const { source, target } = snapshot.transitions[key];
            return source <= target === way;
          });
          same.sort(byOrder(snapshot));
          same.forEach((key, i) => lanes.set(key, i - (same.length - 1) / 2));
        }
      }
    }
    this._byKey = new Map();
    this._arrowsOf = new Map();
    const arrows: IArrow[] = [];
    for (const [key, transition] of entries) {
      const source = this._stageBoxes.get(transition.source);
      const target = this._stageBoxes.get(transition.target);
      if (source === undefined || target === undefined) {
        continue;
      }
      const self = transition.source === transition.target;
      if (source === target && !(self && !this._hiddenIn.has(transition.source))) {
        continue;
      }
      const lane = lanes.get(key) ?? 0;
      const old = before.get(key);
      const arrow =
        old !== undefined &&
        old.transition === transition &&
        old.source === source &&
        old.target === target &&
        old.lane === lane
          ? old
          : { key, transition, source, target, lane, self };
      this._byKey.set(key, arrow);
      arrows.push(arrow);
      push(this._arrowsOf, transition.source, arrow);
      if (!self) {
        push(this._arrowsOf, transition.target, arrow);
      }
    }
    this._arrows = arrows;
  }

  private _snapshot: ISnapshot | null = null;
  private _items: readonly IItem[] = [];
  private _itemOf = new Map<string, IItem>();
  private _arrows: readonly IArrow[] = [];
  private _byKey: ReadonlyMap<string, IArrow> & Map<string, IArrow> = new Map();
  private _boxes = new Map<string, IBox>();
  private _stageBoxes = new Map<string, IBox>();
  private _hiddenIn = new Map<string, string>();
  private _arrowsOf = new Map<string, IArrow[]>();
}

const NONE: readonly IArrow[] = [];

/** The stages of a group. */
export function members(group: IGroup): readonly string[] {
  return Array.isArray(group.stages) ? (group.stages as string[]) : [];
}

function byOrder(snapshot: ISnapshot): (one: string, other: string) => number {
  return (one, other) => {
    const a = snapshot.transitions[one].order ?? 0;
    const b = snapshot.transitions[other].order ?? 0;
    return a - b || (one < other ? -1 : 1);
  };
}

function push(map: Map<string, IArrow[]>, key: string, arrow: IArrow): void {
  const list = map.get(key);
  if (list === undefined) {
    map.set(key, [arrow]);
  } else {
    list.push(arrow);
  }
}

function equal(one: IBox, other: IBox): boolean {
  return one.x === other.x && one.y === other.y && one.width === other.width && one.height === other.height;
}

const boxes = new WeakMap<IStage, IBox>();

function boxOf(stage: IStage): IBox {
  let box = boxes.get(stage);
  if (box === undefined) {
    boxes.set(stage, (box = stageBox(stage)));
  }
  return box;
}
