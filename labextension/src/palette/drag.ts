/**
 * Dragging a stage type onto the canvas.
 */
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';
import type { PointerEvent as ReactPointerEvent } from 'react';

import type { StageType } from '../document/types';

/** What is dragged: the type of the stage that is to be made. */
export const STAGE_TYPE_MIME = 'application/x-jupyter-workflows-stage-type';

/** Pixels that a pointer moves before that is a drag. */
const THRESHOLD = 5;

/** Begin a drag as soon as the pointer has moved far enough. */
export function dragType(event: ReactPointerEvent<HTMLElement>, type: StageType): void {
  if (event.button !== 0) {
    return;
  }
  const { clientX, clientY, currentTarget: source } = event;
  const end = (): void => {
    document.removeEventListener('pointermove', onMove, true);
    document.removeEventListener('pointerup', end, true);
    document.removeEventListener('pointercancel', end, true);
  };
  const onMove = (move: PointerEvent): void => {
    if (Math.hypot(move.clientX - clientX, move.clientY - clientY) < THRESHOLD) {
      return;
    }
    end();
    const mimeData = new MimeData();
    mimeData.setData(STAGE_TYPE_MIME, type);
    const drag = new Drag({
      mimeData,
      dragImage: imageOf(source),
      supportedActions: 'copy',
      proposedAction: 'copy',
      source
    });
    void drag.start(move.clientX, move.clientY).then(() => drag.dispose());
  };
  document.addEventListener('pointermove', onMove, true);
  document.addEventListener('pointerup', end, true);
  document.addEventListener('pointercancel', end, true);
}

function imageOf(source: HTMLElement): HTMLElement {
  const image = source.cloneNode(true) as HTMLElement;
  image.classList.add('jp-Workflows-dragImage');
  image.setAttribute('aria-hidden', 'true');
  return image;
}
