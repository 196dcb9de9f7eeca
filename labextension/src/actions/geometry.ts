/**
 * Places on the canvas, in units of the document. A place is the top left corner.
 */
import type { IGroup, INote, ISnapshot, IStage, Kind, Point } from '../document/types';
import type { IReference } from '../editor/selection';

/** The grid that everything snaps to. */
export const GRID = 8;
/** Width and height of a stage's card. */
export const CARD: Point = [224, 64];
/** Width and height of a note that says nothing else. */
export const NOTE: Point = [224, 128];
/** Room between cards: to the right, where the arrow and its condition run, and below. */
export const GAP: Point = [96, 32];
/** Room between a group's frame and its stages: at the sides, and at the top for the title. */
export const FRAME: Point = [24, 48];

export interface IRect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Return a place on the grid. */
export function snap([x, y]: Point): Point {
  return [round(x), round(y)];
}

export function placeOf(thing: { readonly position?: Point }): Point {
  return thing.position ?? [0, 0];
}

export function stageRect(stage: IStage): IRect {
  return rect(placeOf(stage), CARD);
}

export function noteRect(note: INote): IRect {
  return rect(placeOf(note), note.size ?? NOTE);
}

/** Return a group's frame: around its stages, at least as large as it says, or where it says if it has none. */
export function groupRect(snapshot: ISnapshot, group: IGroup): IRect {
  const members = (group.stages ?? [])
    .filter(key => Object.hasOwn(snapshot.stages, key))
    .map(key => stageRect(snapshot.stages[key]));
  if (members.length === 0) {
    return rect(placeOf(group), group.size ?? [CARD[0] + 2 * FRAME[0], CARD[1] + FRAME[0] + FRAME[1]]);
  }
  const { x, y, width, height } = bounds(members)!;
  return {
    x: x - FRAME[0],
    y: y - FRAME[1],
    width: Math.max(width + 2 * FRAME[0], group.size?.[0] ?? 0),
    height: Math.max(height + FRAME[0] + FRAME[1], group.size?.[1] ?? 0)
  };
}

/** Return where something is; `null` for an arrow, and for what is not there. */
export function rectOf(snapshot: ISnapshot, item: IReference): IRect | null {
  if (!Object.hasOwn(snapshot[item.kind], item.key)) {
    return null;
  }
  switch (item.kind) {
    case 'stages':
      return stageRect(snapshot.stages[item.key]);
    case 'notes':
      return noteRect(snapshot.notes[item.key]);
    case 'groups':
      return groupRect(snapshot, snapshot.groups[item.key]);
    case 'transitions':
      return null;
  }
}

/** Return the smallest rectangle around others; `null` around nothing. */
export function bounds(rects: Iterable<IRect>): IRect | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const one of rects) {
    left = Math.min(left, one.x);
    top = Math.min(top, one.y);
    right = Math.max(right, one.x + one.width);
    bottom = Math.max(bottom, one.y + one.height);
  }
  return left === Infinity ? null : { x: left, y: top, width: right - left, height: bottom - top };
}

/** Return the place nearest to the one that is wanted at which nothing lies already; below it if possible. */
export function freePlace(snapshot: ISnapshot, wanted: Point, size: Point = CARD): Point {
  const taken = [
    ...Object.values(snapshot.stages).map(stageRect),
    ...Object.values(snapshot.notes).map(noteRect)
  ];
  const free = ([x, y]: Point): boolean =>
    !taken.some(
      other =>
        x < other.x + other.width + GAP[1] / 2 &&
        other.x < x + size[0] + GAP[1] / 2 &&
        y < other.y + other.height + GAP[1] / 2 &&
        other.y < y + size[1] + GAP[1] / 2
    );
  const [x, y] = snap(wanted);
  if (free([x, y])) {
    return [x, y];
  }
  const [dx, dy] = [size[0] + GAP[0], CARD[1] + GAP[1]];
  const columns = Math.ceil(Math.sqrt(taken.length)) + 1;
  const steps: Point[] = [];
  for (let column = 0; column <= columns; column++) {
    for (let row = -taken.length - 1; row <= taken.length + 1; row++) {
      steps.push([column, row]);
    }
  }
  // A step aside costs more than a step down, and up more than down.
  const cost = ([column, row]: Point): number => column * 2.5 + (row < 0 ? 0.1 - row : row);
  steps.sort((one, other) => cost(one) - cost(other));
  for (const [column, row] of steps) {
    const place: Point = [x + column * dx, y + row * dy];
    if (free(place)) {
      return place;
    }
  }
  return [x + (columns + 1) * dx, y];
}

export function keyOf(kind: Kind, key: string): string {
  return `${kind}:${key}`;
}

function rect([x, y]: Point, [width, height]: Point): IRect {
  return { x, y, width, height };
}

function round(value: number): number {
  // Without a negative zero, which JSON does not have.
  return Math.round(value / GRID) * GRID + 0;
}
