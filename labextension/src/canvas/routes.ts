/**
 * Ways of arrows: out of a card at its right side, along the axes, into a card at its left side.
 */
import type { ITransition, Point } from '../document/types';
import { CARD_HEIGHT } from './geometry';
import type { IBox } from './geometry';

export interface IRoute {
  /** Path of the line. */
  readonly d: string;
  readonly start: Point;
  readonly end: Point;
  /** Where what is written on the arrow has its middle, and how wide it may be. */
  readonly label: Point;
  readonly room: number;
}

/** How far an arrow goes straight on before it turns. */
const STUB = 16;
const RADIUS = 8;
/** Distance of arrows side by side. */
const LANE = 14;
/** Distance of a way back from the cards. */
const DETOUR = 24;
/** Distance of an arrow's last turn from a target that is far away. */
const TURN = 28;
/** Where arrows of failure leave a card, from its top. */
export const FAILED_PORT = 52;
/** How wide what is written on an arrow may be where nothing is beside it. */
const WIDE = 160;
/** Length of an arrow's head. */
export const HEAD = 8;

/** Return where arrows leave a card. */
export function outOf(box: IBox, on: 'completed' | 'failed' = 'completed'): Point {
  const y = on === 'failed' && box.height >= CARD_HEIGHT ? FAILED_PORT : box.height / 2;
  return [box.x + box.width, box.y + y];
}

/** Return where arrows come into a card. */
export function into(box: IBox): Point {
  return [box.x, box.y + box.height / 2];
}

/**
 * Return the way from one card to another.
 *
 * `lane` tells arrows between the same two cards apart: 0 in the middle, others beside it. `width` is how wide what
 * is written on it is.
 */
export function route(
  source: IBox,
  target: IBox,
  on: 'completed' | 'failed',
  lane: number,
  width = 0
): IRoute {
  const shift = lane * LANE;
  let start = outOf(source, on);
  let end = into(target);
  start = [start[0], start[1] + (on === 'failed' ? 0 : shift)];
  end = [end[0], end[1] + shift];
  if (source === target || end[0] - start[0] < 2 * STUB) {
    return back(source, target, start, end, lane);
  }
  const gap = end[0] - start[0];
  if (Math.abs(start[1] - end[1]) < 1) {
    const label: Point = [start[0] + (gap - HEAD) / 2, start[1]];
    if (width > gap - 2 * HEAD) {
      // Too little room between the cards, but there is some above them.
      const top = Math.min(source.y, target.y) - STUB;
      return made([start, end], [label[0], top], WIDE);
    }
    return made([start, end], label, gap - HEAD);
  }
  // Close together the turn is in the middle of the gap, so that branches share it; far away it is at the
  // target, where nothing else is in the way.
  let turn = gap <= 6 * TURN ? start[0] + gap / 2 : end[0] - TURN;
  turn += on === 'failed' ? -RADIUS : shift / 2;
  const points: Point[] = [start, [turn, start[1]], [turn, end[1]], end];
  const rise = end[1] - start[1];
  if (Math.abs(rise) >= CARD_HEIGHT + STUB / 2) {
    // Between the rows of cards there is room to the sides.
    const before = CARD_HEIGHT / 2 + STUB / 2 + (on === 'failed' ? DETOUR : 0);
    return made(points, [turn, end[1] - Math.sign(rise) * before], WIDE);
  }
  const label: Point = [turn, (start[1] + end[1]) / 2];
  if (width > gap - 2 * HEAD) {
    const below = rise > 0 ? Math.max(source.y + source.height, target.y + target.height) + STUB : null;
    return made(points, [turn, below ?? Math.min(source.y, target.y) - STUB], WIDE);
  }
  return made(points, label, gap - HEAD);
}

/** Return the way of an arrow whose end hangs in the air. */
export function loose(start: Point, end: Point): string {
  if (end[0] - start[0] >= 2 * STUB) {
    const turn = (start[0] + end[0]) / 2;
    return path([start, [turn, start[1]], [turn, end[1]], end]);
  }
  const y = (start[1] + end[1]) / 2;
  const right = start[0] + STUB;
  const left = end[0] - STUB;
  return path([start, [right, start[1]], [right, y], [left, y], [left, end[1]], end]);
}

/** Return about how wide what is written on a transition is. */
export function widthOf(transition: ITransition): number {
  const text = transition.label ?? transition.condition ?? transition.each ?? '';
  if (text === '' && transition.on !== 'failed' && !transition.else) {
    return 0;
  }
  const more = (transition.else ? 5 : 0) + (transition.each ? 3 : 0) + (text === '' && transition.on ? 6 : 0);
  return 14 + (text.length + more) * 5.8;
}

/** Return the way of an arrow as it is drawn. */
export function routeOf(
  arrow: { readonly transition: ITransition; readonly lane: number },
  source: IBox,
  target: IBox
): IRoute {
  const { transition, lane } = arrow;
  const on = transition.on === 'failed' ? 'failed' : 'completed';
  return route(source, target, on, lane, widthOf(transition));
}

/** Return the outline of a head that points to the right. */
export function head([x, y]: Point): string {
  return `M${x} ${y}l${-HEAD} ${-HEAD / 2}v${HEAD}z`;
}

/** The way to a card that is not to the right: below both, or between them if there is room. */
function back(source: IBox, target: IBox, start: Point, end: Point, lane: number): IRoute {
  const out = Math.abs(lane) * LANE;
  const right = Math.max(start[0], source === target ? start[0] : 0) + STUB + out;
  const left = end[0] - STUB - out;
  const sourceBottom = source.y + source.height;
  const targetBottom = target.y + target.height;
  let y: number;
  if (target.y - sourceBottom >= 2 * DETOUR) {
    y = (sourceBottom + target.y) / 2 + lane * LANE;
  } else if (source.y - targetBottom >= 2 * DETOUR) {
    y = (targetBottom + source.y) / 2 + lane * LANE;
  } else {
    y = Math.max(sourceBottom, targetBottom) + DETOUR + out;
  }
  const points: Point[] = [start, [right, start[1]], [right, y], [left, y], [left, end[1]], end];
  return made(points, [(left + right) / 2, y], right - left - 2 * RADIUS);
}

function made(points: readonly Point[], label: Point, room: number): IRoute {
  const end = points[points.length - 1];
  const line = [...points.slice(0, -1), [end[0] - HEAD + 1, end[1]] as Point];
  return {
    d: path(line),
    start: points[0],
    end,
    label,
    room: Math.min(Math.max(room, 2 * TURN) - HEAD, WIDE)
  };
}

/** A line with round corners. */
function path(points: readonly Point[]): string {
  let d = `M${points[0][0]} ${points[0][1]}`;
  for (let i = 1; i < points.length - 1; i++) {
    const [x0, y0] = points[i - 1];
    const [x, y] = points[i];
    const [x1, y1] = points[i + 1];
    const before = Math.abs(x - x0) + Math.abs(y - y0);
    const after = Math.abs(x1 - x) + Math.abs(y1 - y);
    const r = Math.min(RADIUS, before / 2, after / 2);
    if (r < 0.5) {
      d += `L${x} ${y}`;
      continue;
    }
    const ax = x - Math.sign(x - x0) * r;
    const ay = y - Math.sign(y - y0) * r;
    const bx = x + Math.sign(x1 - x) * r;
    const by = y + Math.sign(y1 - y) * r;
    d += `L${ax} ${ay}Q${x} ${y} ${bx} ${by}`;
  }
  const [x, y] = points[points.length - 1];
  return `${d}L${x} ${y}`;
}
