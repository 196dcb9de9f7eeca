/**
 * The order in which a graph is read: from its entries along the arrows, from the top left.
 */
import type { ISnapshot } from '../document/types';
import { placeOf } from './geometry';

/** Return the keys of the stages in reading order. */
export function stagesInOrder({ stages, transitions }: ISnapshot): readonly string[] {
  const sorted = Object.keys(stages).sort((one, other) => {
    const [[x, y], [otherX, otherY]] = [placeOf(stages[one]), placeOf(stages[other])];
    return y - otherY || x - otherX || (one < other ? -1 : 1);
  });
  const rank = new Map(sorted.map((key, i) => [key, i]));
  const next = new Map<string, string[]>();
  const entered = new Set<string>();
  for (const { source, target } of Object.values(transitions)) {
    if (source !== target && rank.has(source) && rank.has(target)) {
      const targets = next.get(source);
      if (targets === undefined) {
        next.set(source, [target]);
      } else {
        targets.push(target);
      }
      entered.add(target);
    }
  }
  // A set is walked through while it grows.
  const order = new Set<string>();
  const visit = (first: string): void => {
    const open = new Set([first]);
    for (const key of open) {
      if (!order.has(key)) {
        order.add(key);
        [...(next.get(key) ?? [])]
          .sort((one, other) => rank.get(one)! - rank.get(other)!)
          .forEach(target => open.add(target));
      }
    }
  };
  sorted.filter(key => !entered.has(key)).forEach(visit);
  sorted.forEach(visit);
  return [...order];
}
