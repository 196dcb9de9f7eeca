/**
 * Laying a graph out from left to right.
 */
import type { IGroup, ISnapshot, Point } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { CARD, GAP, GRID, bounds, keyOf, noteRect, snap, stageRect } from './geometry';
import type { IRect } from './geometry';
import { moveItems } from './selection';

/** Lay out the selected stages if they are several, else all of them; notes stay beside their stages. */
export async function layout(editor: WorkflowEditor): Promise<void> {
  const { snapshot } = editor.document;
  const selected = editor.selection.keys('stages');
  const stages = selected.length > 1 ? selected : Object.keys(snapshot.stages);
  if (editor.readOnly || stages.length === 0) {
    return;
  }
  const places = await layoutOf(snapshot, stages);
  if (editor.isDisposed || editor.document.snapshot !== snapshot) {
    return; // somebody changed it meanwhile
  }
  const moves = new Map<string, Point>([...places].map(([key, place]) => [keyOf('stages', key), place]));
  if (stages.length === Object.keys(snapshot.stages).length) {
    for (const [key, note] of Object.entries(snapshot.notes)) {
      const stage = nearest(snapshot, noteRect(note));
      const place = stage === null ? undefined : places.get(stage);
      if (stage !== null && place !== undefined) {
        const old = stageRect(snapshot.stages[stage]);
        const rect = noteRect(note);
        moves.set(keyOf('notes', key), [rect.x + place[0] - old.x, rect.y + place[1] - old.y]);
      }
    }
  }
  moveItems(editor, moves);
}

/** Return places for stages: from left to right, groups together, the top left corner where it was. */
export async function layoutOf(
  snapshot: ISnapshot,
  stages: readonly string[]
): Promise<ReadonlyMap<string, Point>> {
  const { Graph, layout: dagreLayout } = await dagre();
  const graph = new Graph({ compound: true, multigraph: true });
  graph.setGraph({ rankdir: 'LR', nodesep: GAP[1], ranksep: GAP[0], edgesep: 2 * GRID });
  graph.setDefaultEdgeLabel(() => ({}));
  const wanted = new Set(stages);
  // In the order in which they lie, so that what is above stays above.
  const order = [...stages].sort((one, other) => {
    const [a, b] = [stageRect(snapshot.stages[one]), stageRect(snapshot.stages[other])];
    return a.y - b.y || a.x - b.x || (one < other ? -1 : 1);
  });
  for (const key of order) {
    graph.setNode(key, { width: CARD[0], height: CARD[1] });
  }
  for (const [key, group] of Object.entries(snapshot.groups)) {
    const members = membersOf(group, wanted);
    if (members.length > 0) {
      const name = `group:${key}`;
      graph.setNode(name, {});
      members.forEach(stage => graph.setParent(stage, name));
    }
  }
  for (const [key, { source, target }] of Object.entries(snapshot.transitions)) {
    if (source !== target && wanted.has(source) && wanted.has(target)) {
      graph.setEdge(source, target, {}, key);
    }
  }
  dagreLayout(graph);
  const corner = bounds(stages.map(key => stageRect(snapshot.stages[key])))!;
  const found = stages.map((key): [string, IRect] => {
    const { x, y } = graph.node(key);
    return [key, { x: x - CARD[0] / 2, y: y - CARD[1] / 2, width: CARD[0], height: CARD[1] }];
  });
  const frame = bounds(found.map(([, rect]) => rect))!;
  return new Map(
    found.map(([key, { x, y }]) => [key, snap([x - frame.x + corner.x, y - frame.y + corner.y])])
  );
}

/** It is large, and seldom needed. */
async function dagre(): Promise<{
  Graph: typeof import('@dagrejs/dagre').graphlib.Graph;
  layout: typeof import('@dagrejs/dagre').layout;
}> {
  const module = await import('@dagrejs/dagre');
  const { graphlib, layout: dagreLayout } = 'default' in module ? module.default : module;
  return { Graph: graphlib.Graph, layout: dagreLayout };
}

function membersOf(group: IGroup, wanted: ReadonlySet<string>): string[] {
  return (group.stages ?? []).filter(key => wanted.has(key));
}

/** Return the stage beside which a note lies. */
function nearest(snapshot: ISnapshot, note: IRect): string | null {
  let found: string | null = null;
  let least = 2 * CARD[0];
  for (const [key, stage] of Object.entries(snapshot.stages)) {
    const rect = stageRect(stage);
    const dx = Math.max(rect.x - note.x - note.width, note.x - rect.x - rect.width, 0);
    const dy = Math.max(rect.y - note.y - note.height, note.y - rect.y - rect.height, 0);
    const distance = Math.hypot(dx, dy) + Math.hypot(rect.x - note.x, rect.y - note.y) / 1000;
    if (distance < least) {
      [found, least] = [key, distance];
    }
  }
  return found;
}
