import { Background, BackgroundVariant, ReactFlow, ReactFlowProvider, ViewportPortal } from '@xyflow/react';
import type { Node, NodeProps, ReactFlowInstance, Viewport } from '@xyflow/react';
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { ReactElement } from 'react';

import type { IGroup, INote, IStage } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { glyphs, stageImages } from '../icons';
import { useSnapshot } from '../workbench/hooks';
import { AddBox } from './AddBox';
import { Arrows, Labels } from './Arrows';
import { ArrowTools } from './ArrowTools';
import { CardTools } from './CardTools';
import { Card } from './Card';
import { CanvasContext } from './context';
import { Controls } from './Controls';
import { EmptyState } from './EmptyState';
import { GroupFrame } from './Group';
import type { IItem } from './graph';
import { FAR, MAX_ZOOM, MIN_ZOOM, TINY } from './geometry';
import { Interaction } from './interaction';
import { CanvasModel } from './model';
import { NoteCard } from './Note';
import { LiveRegion, Overlay, Refusal } from './Overlay';
import { fitting, recall, remember } from './view';

type ItemNode = Node<{ key: string; thing: IStage | INote | IGroup }>;

const NODE_TYPES = {
  stages: ({ data }: NodeProps<ItemNode>) => <Card id={data.key} stage={data.thing as IStage} />,
  notes: ({ data }: NodeProps<ItemNode>) => <NoteCard id={data.key} note={data.thing} />,
  groups: ({ data }: NodeProps<ItemNode>) => <GroupFrame id={data.key} group={data.thing} />
};

/** Groups lie below arrows, arrows below notes and cards. */
const LEVELS = { groups: 0, notes: 2, stages: 3 };

/** The graph of a workflow. */
export function Canvas({ editor }: { editor: WorkflowEditor }): ReactElement {
  const [model] = useState(() => new CanvasModel(editor));
  const [interaction] = useState(() => new Interaction(model));
  const [start, setStart] = useState<Viewport | null>(null);
  const root = useRef<HTMLDivElement>(null);

  useLayoutEffect(() => {
    interaction.attach(root.current!);
    return () => {
      interaction.detach();
      model.dispose();
    };
  }, [model, interaction]);

  // The first viewport is known before the first drawing, so that nothing jumps.
  useLayoutEffect(() => {
    const element = root.current!;
    const measure = (): boolean => {
      const { clientWidth: width, clientHeight: height } = element;
      if (width === 0 || height === 0) {
        return false;
      }
      const viewport = recall(editor.path) ?? fitting(model.graph.items, width, height);
      model.moved(viewport);
      setStart(viewport);
      return true;
    };
    if (measure()) {
      return;
    }
    const observer = new ResizeObserver(() => {
      if (measure()) {
        observer.disconnect();
      }
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [editor, model]);

  const images = useMemo(() => {
    const entries = Object.entries({ ...stageImages, ...glyphs }).map(([type, image]) => [
      `--jp-Workflows-${type}`,
      image
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  }, []);

  return (
    <CanvasContext.Provider value={model}>
      <div
        ref={root}
        className="jp-Workflows-canvas"
        role="group"
        aria-roledescription={editor.trans.__('canvas')}
        aria-label={editor.trans.__('Canvas')}
        tabIndex={0}
        style={images}
      >
        {start !== null && (
          <ReactFlowProvider>
            <Flow editor={editor} model={model} interaction={interaction} start={start} />
          </ReactFlowProvider>
        )}
        <EmptyState editor={editor} />
        <Refusal pull={interaction.pull} />
        <Controls editor={editor} />
        <AddBox />
        <LiveRegion />
      </div>
    </CanvasContext.Provider>
  );
}

function Flow({
  editor,
  model,
  interaction,
  start
}: {
  editor: WorkflowEditor;
  model: CanvasModel;
  interaction: Interaction;
  start: Viewport;
}): ReactElement {
  const snapshot = useSnapshot(editor);
  const [cache] = useState(() => new Map<string, ItemNode>());
  const nodes = useMemo(() => {
    const { items } = model.graph;
    return items.map(item => nodeOf(cache, item, snapshot[item.kind][item.key]));
  }, [snapshot, model, cache]);

  const onInit = useCallback(
    (flow: unknown) => {
      model.setFlow(flow as ReactFlowInstance);
      setFar(model.root, start.zoom);
    },
    [model, start]
  );
  const onMove = useCallback(
    (_: unknown, viewport: Viewport) => {
      setFar(model.root, viewport.zoom);
      remember(editor.path, viewport);
      model.moved(viewport);
    },
    [editor, model]
  );
  return (
    <ReactFlow
      nodes={nodes}
      nodeTypes={NODE_TYPES}
      defaultViewport={start}
      onInit={onInit}
      onMove={onMove}
      minZoom={MIN_ZOOM}
      maxZoom={MAX_ZOOM}
      panOnScroll
      zoomOnDoubleClick={false}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      elevateNodesOnSelect={false}
      autoPanOnNodeFocus={false}
      disableKeyboardA11y
      deleteKeyCode={null}
      selectionKeyCode={null}
      multiSelectionKeyCode={null}
      panActivationKeyCode={null}
      zoomActivationKeyCode={null}
      proOptions={HIDE}
    >
      <Background variant={BackgroundVariant.Dots} gap={24} size={1.5} />
      <ViewportPortal>
        <Arrows editor={editor} />
        <Overlay drag={interaction.drag} pull={interaction.pull} box={interaction.box} />
        <Labels editor={editor} />
        <ArrowTools />
        <CardTools />
      </ViewportPortal>
    </ReactFlow>
  );
}

const HIDE = { hideAttribution: true };

/** The node of an item; the same object as long as nothing of it changed. */
function nodeOf(cache: Map<string, ItemNode>, item: IItem, thing: IStage | INote | IGroup): ItemNode {
  const { id, kind, key, box } = item;
  const old = cache.get(id);
  if (
    old !== undefined &&
    old.data.thing === thing &&
    old.position.x === box.x &&
    old.position.y === box.y &&
    old.width === box.width &&
    old.height === box.height
  ) {
    return old;
  }
  const { width, height } = box;
  const node: ItemNode = {
    id,
    type: kind,
    // Pressing here does not pan.
    className: 'nopan',
    position: { x: box.x, y: box.y },
    width,
    height,
    measured: { width, height },
    handles: [],
    zIndex: LEVELS[kind],
    // Placed without a transform: a thousand of those would each be a layer of its own to the browser.
    style: { transform: 'none', left: box.x, top: box.y },
    data: old !== undefined && old.data.thing === thing ? old.data : { key, thing }
  };
  cache.set(id, node);
  return node;
}

/** Cards that are far away show less, and labels grow so that they can be read. */
function setFar(root: HTMLElement | null, zoom: number): void {
  if (root === null) {
    return;
  }
  root.classList.toggle('jp-mod-far', zoom < FAR);
  root.classList.toggle('jp-mod-tiny', zoom < TINY);
  const scale = String(Math.min(Math.max(1, Math.round((0.8 / zoom) * 10) / 10), 3));
  if (root.dataset.labelScale !== scale) {
    root.dataset.labelScale = scale;
    root
      .querySelector<HTMLElement>('.jp-Workflows-labels')
      ?.style.setProperty('--jp-Workflows-labelScale', scale);
  }
}
