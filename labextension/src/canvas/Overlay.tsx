import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';

import { useSignalValue } from '../workbench/hooks';
import { useCanvas } from './context';
import type { BoxSelection } from './box';
import type { Drag } from './drag';
import { CARD_HEIGHT, CARD_WIDTH } from './geometry';
import { HEAD, head, into, loose, outOf } from './routes';
import type { Pull } from './pull';

/** Lines along which something that is dragged is aligned, and the arrow that is being drawn. */
export function Overlay({ drag, pull, box }: { drag: Drag; pull: Pull; box: BoxSelection }): ReactElement {
  const guides = useSignalValue(drag.guidesChanged, () => drag.guides);
  const model = useCanvas();
  const drop = useSignalValue(model.dropMoved, () => model.dropAt);
  const selection = useSignalValue(box.changed, () => box.box);
  return (
    <svg className="jp-Workflows-overlay" width="1" height="1" aria-hidden="true">
      {guides.map((guide, i) => (
        <line key={i} className="jp-Workflows-guide" {...guide} />
      ))}
      {drop !== null && (
        <rect
          className="jp-Workflows-dropShade"
          x={drop[0]}
          y={drop[1]}
          width={CARD_WIDTH}
          height={CARD_HEIGHT}
          rx="6"
        />
      )}
      {selection !== null && <rect className="jp-Workflows-selectionBox" {...selection} />}
      <PulledArrow pull={pull} />
    </svg>
  );
}

function PulledArrow({ pull }: { pull: Pull }): ReactElement | null {
  const model = useCanvas();
  const current = useSignalValue(pull.changed, () => pull.current);
  if (current === null) {
    return null;
  }
  const box = model.graph.boxOfStage(current.stage);
  if (box === undefined) {
    return null;
  }
  const [start, end] =
    current.end === 'target' ? [outOf(box, current.on), current.point] : [current.point, into(box)];
  let classes = 'jp-Workflows-arrow jp-mod-pulled';
  if (current.on === 'failed') {
    classes += ' jp-mod-failed';
  }
  return (
    <g className={classes}>
      <path className="jp-Workflows-arrowLine" d={loose(start, [end[0] - HEAD + 1, end[1]])} />
      <path className="jp-Workflows-arrowHead" d={head(end)} />
    </g>
  );
}

/** Why the arrow cannot go to where it is. */
export function Refusal({ pull }: { pull: Pull }): ReactElement | null {
  const model = useCanvas();
  const current = useSignalValue(pull.changed, () => pull.current);
  if (current === null || current.refusal === null) {
    return null;
  }
  const [left, top] = model.toElement(current.point);
  return (
    <div className="jp-Workflows-refusal" role="tooltip" style={{ left: left + 16, top: top + 16 }}>
      {current.refusal}
    </div>
  );
}

/** What happens on the canvas, for those who do not see it. */
export function LiveRegion(): ReactElement {
  const model = useCanvas();
  const [message, setMessage] = useState('');
  useEffect(() => {
    const onSaid = (_: unknown, text: string): void => setMessage(text);
    model.said.connect(onSaid);
    return () => {
      model.said.disconnect(onSaid);
    };
  }, [model]);
  return (
    <div className="jp-Workflows-live" role="status" aria-live="polite">
      {message}
    </div>
  );
}
