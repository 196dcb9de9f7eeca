/**
 * Sizes and places on the canvas, in units of the document.
 */
import type { IGroup, INote, ISnapshot, IStage, Point } from '../document/types';

export const GRID = 8;
export const CARD_WIDTH = 224;
export const CARD_HEIGHT = 64;
/** Below this zoom cards show tile, title and state only. */
export const FAR = 0.5;
/** Below this zoom nothing on a card can be read. */
export const TINY = 0.2;
export const MIN_ZOOM = 0.05;
export const MAX_ZOOM = 2;
/** Room between a group's frame and its stages: at the sides, and at the top for the title. */
const FRAME = 24;
const FRAME_TOP = 48;
const NOTE_SIZE: Point = [224, 128];
const GROUP_SIZE: Point = [CARD_WIDTH + 2 * FRAME, CARD_HEIGHT + FRAME + FRAME_TOP];

export interface IBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export function stageBox(stage: IStage): IBox {
  const [x, y] = place(stage.position);
  return { x, y, width: CARD_WIDTH, height: CARD_HEIGHT };
}

export function noteBox(note: INote): IBox {
  return box(note.position, note.size, NOTE_SIZE);
}

/**
 * Return a group's frame: around its stages, and not smaller than it says. A collapsed one is as large as a card.
 */
export function groupBox(snapshot: ISnapshot, group: IGroup, without?: ReadonlySet<string>): IBox {
  const stages = (Array.isArray(group.stages) ? (group.stages as string[]) : [])
    .filter(key => Object.hasOwn(snapshot.stages, key) && !without?.has(key))
    .map(key => stageBox(snapshot.stages[key]));
  const inner = around(stages);
  const [width, height] = group.size?.length === 2 ? group.size : [0, 0];
  const frame =
    inner === null
      ? box(group.position, group.size, GROUP_SIZE)
      : {
          x: inner.x - FRAME,
          y: inner.y - FRAME_TOP,
          width: Math.max(inner.width + 2 * FRAME, width),
          height: Math.max(inner.height + FRAME + FRAME_TOP, height)
        };
  return group.collapsed ? { ...frame, width: CARD_WIDTH, height: CARD_HEIGHT } : frame;
}

export function snap(value: number): number {
  return Math.round(value / GRID) * GRID;
}

/** The smallest box around some; `null` around none. */
export function around(boxes: Iterable<IBox>): IBox | null {
  let left = Infinity;
  let top = Infinity;
  let right = -Infinity;
  let bottom = -Infinity;
  for (const one of boxes) {
    left = Math.min(left, one.x);
    top = Math.min(top, one.y);
    right = Math.max(right, one.x + one.width);
    bottom = Math.max(bottom, one.y + one.height);
  }
  return left > right ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

export function overlap(one: IBox, other: IBox): boolean {
  return (
    one.x < other.x + other.width &&
    other.x < one.x + one.width &&
    one.y < other.y + other.height &&
    other.y < one.y + one.height
  );
}

export function contains(box: IBox, [x, y]: Point): boolean {
  return x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
}

export function middle(box: IBox): Point {
  return [box.x + box.width / 2, box.y + box.height / 2];
}

function box(position: Point | undefined, size: Point | undefined, otherwise: Point): IBox {
  const [x, y] = place(position);
  const [width, height] = size?.length === 2 ? size : otherwise;
  return { x, y, width, height };
}

/** A document may hold anything as a position. */
function place(position: Point | undefined): Point {
  return Array.isArray(position) && position.every(Number.isFinite) ? position : [0, 0];
}
