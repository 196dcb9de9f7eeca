import { Background, ReactFlow, ReactFlowProvider } from '@xyflow/react';
import type { Edge, Node } from '@xyflow/react';
import { useMemo } from 'react';
import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { useSnapshot } from '../workbench/hooks';

/** The graph of a workflow. */
export function Canvas({ editor }: { editor: WorkflowEditor }): ReactElement {
  const snapshot = useSnapshot(editor);
  const nodes = useMemo<Node[]>(
    () =>
      Object.entries(snapshot.stages).map(([id, stage]) => ({
        id,
        position: { x: stage.position?.[0] ?? 0, y: stage.position?.[1] ?? 0 },
        data: { label: stage.title }
      })),
    [snapshot.stages]
  );
  const edges = useMemo<Edge[]>(
    () =>
      Object.entries(snapshot.transitions).map(([id, transition]) => ({
        id,
        source: transition.source,
        target: transition.target,
        label: transition.label
      })),
    [snapshot.transitions]
  );
  return (
    <ReactFlowProvider>
      <ReactFlow
        nodes={nodes}
        edges={edges}
        fitView
        minZoom={0.05}
        deleteKeyCode={null}
        panActivationKeyCode={null}
      >
        <Background />
      </ReactFlow>
    </ReactFlowProvider>
  );
}
