import { useEffect, useRef, useState } from 'react';
import type { ReactElement } from 'react';

import type { WorkflowEditor } from '../editor/editor';
import { fitIcon, mapIcon, zoomInIcon, zoomOutIcon } from '../icons';
import { useSignalValue } from '../workbench/hooks';
import { useCanvas } from './context';
import { Minimap } from './Minimap';

/** Zoom, fit, and the map. */
export function Controls({ editor }: { editor: WorkflowEditor }): ReactElement {
  const { trans, view } = editor;
  const [map, setMap] = useState(true);
  void view;
  return (
    <div className="jp-Workflows-controls">
      {map && <Minimap editor={editor} />}
      <div className="jp-Workflows-controlBar" role="toolbar" aria-label={trans.__('View of the canvas')}>
        <button
          type="button"
          title={trans.__('Zoom out')}
          aria-label={trans.__('Zoom out')}
          onClick={() => editor.view?.zoomOut()}
        >
          <zoomOutIcon.react tag="span" />
        </button>
        <Zoom editor={editor} />
        <button
          type="button"
          title={trans.__('Zoom in')}
          aria-label={trans.__('Zoom in')}
          onClick={() => editor.view?.zoomIn()}
        >
          <zoomInIcon.react tag="span" />
        </button>
        <button
          type="button"
          title={trans.__('Show everything')}
          aria-label={trans.__('Show everything')}
          onClick={() => editor.view?.fit()}
        >
          <fitIcon.react tag="span" />
        </button>
        <button
          type="button"
          title={trans.__('Map')}
          aria-label={trans.__('Map')}
          aria-pressed={map}
          onClick={() => setMap(!map)}
        >
          <mapIcon.react tag="span" />
        </button>
      </div>
    </div>
  );
}

/** The zoom; a click returns to natural size. The text is written without React, for it changes with every move. */
function Zoom({ editor }: { editor: WorkflowEditor }): ReactElement {
  const model = useCanvas();
  const button = useRef<HTMLButtonElement>(null);
  useSignalValue(editor.viewChanged, () => editor.view);
  useEffect(() => {
    const show = (): void => {
      const text = `${Math.round(model.viewport.zoom * 100)} %`;
      if (button.current !== null && button.current.textContent !== text) {
        button.current.textContent = text;
      }
    };
    model.viewportMoved.connect(show);
    const frame = requestAnimationFrame(show);
    return () => {
      model.viewportMoved.disconnect(show);
      cancelAnimationFrame(frame);
    };
  }, [model]);
  return (
    <button
      ref={button}
      type="button"
      className="jp-Workflows-zoom"
      title={editor.trans.__('Zoom to 100 %')}
      onClick={() => editor.view?.zoomTo(1)}
    >
      100 %
    </button>
  );
}
