/**
 * The order in which the graph is read.
 */
import type { ISnapshot } from '../document/types';
import type { IReference } from '../editor/selection';
import type { Graph, IItem } from './graph';

const orders = new WeakMap<ISnapshot, readonly IReference[]>();

/**
 * Return stages, notes and groups in the order of the graph: each branch from its entry on, entries from top to
 * bottom, the stages after one from top to bottom; then the rest.
 */
export function graphOrder(graph: Graph, snapshot: ISnapshot): readonly IReference[] {
  let order = orders.get(snapshot);
  if (order === undefined) {
    orders.set(snapshot, (order = made(graph)));
  }
  return order;
}

function made(graph: Graph): readonly IReference[] {
  const sorted = [...graph.items].sort(fromTopLeft);
  const stages = sorted.filter(item => item.kind === 'stages');
  const next = new Map<string, string[]>();
  const entered = new Set<string>();
  for (const { transition, self } of graph.arrows) {
    if (!self) {
      next.set(transition.source, [...(next.get(transition.source) ?? []), transition.target]);
      entered.add(transition.target);
    }
  }
  const rank = new Map(stages.map((item, i) => [item.key, i]));
  const order: IReference[] = [];
  const seen = new Set<string>();
  const visit = (first: string): void => {
    const open = [first];
    while (open.length > 0) {
      const key = open.shift()!;
      if (seen.has(key) || !rank.has(key)) {
        continue;
      }
      seen.add(key);
      order.push({ kind: 'stages', key });
      const following = [...(next.get(key) ?? [])].sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
      open.push(...following);
    }
  };
  stages.filter(item => !entered.has(item.key)).forEach(item => visit(item.key));
  stages.forEach(item => visit(item.key));
  for (const { kind, key } of sorted) {
    if (kind !== 'stages') {
      order.push({ kind, key });
    }
  }
  return order;
}

function fromTopLeft(one: IItem, other: IItem): number {
  return one.box.x - other.box.x || one.box.y - other.box.y;
}
