import { useEffect, useRef, useState } from 'react';
import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { useSnapshot } from '../workbench/hooks';
import { useCanvas } from './context';
import { around } from './geometry';
import type { IBox } from './geometry';
import type { CanvasModel } from './model';

const WIDTH = 168;
const HEIGHT = 104;
const MARGIN = 6;
/** Milliseconds after a change at which the map is drawn again. */
const DELAY = 120;

/** Everything in small, and what is seen of it. A drawing of its own: a thousand cards cost nothing here. */
export function Minimap({ editor }: { editor: WorkflowEditor }): ReactElement | null {
  const model = useCanvas();
  const snapshot = useSnapshot(editor);
  const drawing = useRef<HTMLCanvasElement>(null);
  const seen = useRef<HTMLDivElement>(null);
  const scale = useRef<IScale | null>(null);
  const [colours] = useState(() => new Map<string, string>());
  const useful = Object.keys(snapshot.stages).length > 1;

  useEffect(() => {
    const canvas = drawing.current;
    if (canvas === null) {
      return;
    }
    const draw = (): void => {
      scale.current = paint(canvas, model, name => colourOf(colours, canvas, name));
      place(seen.current, scale.current, model);
    };
    // Not in the frame of the change itself.
    const timer = setTimeout(draw, scale.current === null ? 0 : DELAY);
    const onMoved = (): void => place(seen.current, scale.current, model);
    const onState = (): void => draw();
    model.viewportMoved.connect(onMoved);
    // Colours are those of the theme.
    const themes = new MutationObserver(() => {
      colours.clear();
      draw();
    });
    themes.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name'] });
    const sizes = new ResizeObserver(onMoved);
    if (model.root !== null) {
      sizes.observe(model.root);
    }
    editor.statesChanged.connect(onState);
    return () => {
      clearTimeout(timer);
      model.viewportMoved.disconnect(onMoved);
      editor.statesChanged.disconnect(onState);
      themes.disconnect();
      sizes.disconnect();
    };
  }, [model, editor, snapshot, useful, colours]);

  if (!useful) {
    return null;
  }
  const go = (event: React.PointerEvent): void => {
    const { flow, root, viewport } = model;
    if (scale.current === null || flow === null || root === null || event.buttons !== 1) {
      return;
    }
    const bounds = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - bounds.left - scale.current.x) / scale.current.by;
    const y = (event.clientY - bounds.top - scale.current.y) / scale.current.by;
    const { zoom } = viewport;
    void flow.setViewport({ x: root.clientWidth / 2 - x * zoom, y: root.clientHeight / 2 - y * zoom, zoom });
  };
  return (
    <div
      className="jp-Workflows-minimap"
      aria-hidden="true"
      onPointerDown={event => {
        event.currentTarget.setPointerCapture(event.pointerId);
        go(event);
      }}
      onPointerMove={go}
    >
      <canvas ref={drawing} style={{ width: WIDTH, height: HEIGHT }} />
      <div ref={seen} className="jp-Workflows-minimapView" />
    </div>
  );
}

interface IScale {
  readonly x: number;
  readonly y: number;
  readonly by: number;
}

function paint(
  canvas: HTMLCanvasElement,
  model: CanvasModel,
  colour: (name: string) => string
): IScale | null {
  const density = window.devicePixelRatio || 1;
  canvas.width = WIDTH * density;
  canvas.height = HEIGHT * density;
  const context = canvas.getContext('2d');
  const { items, arrows } = model.graph;
  const all = around(items.map(item => item.box));
  if (context === null || all === null) {
    return null;
  }
  const by = Math.min((WIDTH - 2 * MARGIN) / all.width, (HEIGHT - 2 * MARGIN) / all.height, 0.25);
  const x = (WIDTH - all.width * by) / 2 - all.x * by;
  const y = (HEIGHT - all.height * by) / 2 - all.y * by;
  context.setTransform(density * by, 0, 0, density * by, density * x, density * y);
  context.strokeStyle = colour('--jp-layout-color4');
  context.globalAlpha = 0.5;
  context.lineWidth = 1 / by;
  context.beginPath();
  for (const { source, target } of arrows) {
    context.moveTo(source.x + source.width, source.y + source.height / 2);
    context.lineTo(target.x, target.y + target.height / 2);
  }
  context.stroke();
  context.globalAlpha = 1;
  const tiles: Record<string, string> = {
    form: colour('--jp-icon-contrast-color0'),
    hook: colour('--jp-icon-contrast-color2'),
    job: colour('--jp-icon-contrast-color3'),
    script: colour('--jp-icon-contrast-color1')
  };
  const states: Record<string, string> = {
    running: colour('--jp-brand-color1'),
    waiting: colour('--jp-warn-color0'),
    failed: colour('--jp-error-color1')
  };
  const { stages } = model.editor.document.snapshot;
  for (const { kind, key, box } of items) {
    if (kind === 'groups') {
      context.strokeStyle = colour('--jp-border-color1');
      context.strokeRect(box.x, box.y, box.width, box.height);
    } else if (kind === 'notes') {
      context.fillStyle = colour('--jp-border-color2');
      context.fillRect(box.x, box.y, box.width, box.height);
    } else {
      const state = model.editor.states?.stage(key)?.state;
      context.fillStyle = states[state ?? ''] ?? tiles[stages[key]?.type] ?? tiles.script;
      context.fillRect(box.x, box.y, box.width, box.height);
    }
  }
  return { x, y, by };
}

function colourOf(known: Map<string, string>, canvas: HTMLCanvasElement, name: string): string {
  let colour = known.get(name);
  if (colour === undefined) {
    colour = getComputedStyle(canvas).getPropertyValue(name).trim() || 'gray';
    known.set(name, colour);
  }
  return colour;
}

/** Show what is seen. */
function place(element: HTMLElement | null, scale: IScale | null, model: CanvasModel): void {
  if (element === null || scale === null) {
    return;
  }
  const { x, y, zoom } = model.viewport;
  const box: IBox = {
    x: (-x / zoom) * scale.by + scale.x,
    y: (-y / zoom) * scale.by + scale.y,
    width: (model.size[0] / zoom) * scale.by,
    height: (model.size[1] / zoom) * scale.by
  };
  const left = Math.max(0, box.x);
  const top = Math.max(0, box.y);
  element.style.transform = `translate(${left}px, ${top}px)`;
  element.style.width = `${Math.max(0, Math.min(WIDTH, box.x + box.width) - left)}px`;
  element.style.height = `${Math.max(0, Math.min(HEIGHT, box.y + box.height) - top)}px`;
}
