import type { ReactElement } from 'react';

import { useSelection, useSignalValue, useSnapshot } from '../workbench/hooks';
import { useCanvas } from './context';
import { into, outOf } from './routes';

/** The handles of the card that is pointed at, and of the one that is selected. */
export function CardTools(): ReactElement | null {
  const model = useCanvas();
  const { editor } = model;
  useSnapshot(editor);
  const selection = useSelection(editor);
  const lively = useSignalValue(model.livelyChanged, () => model.livelyStage);
  const busy = useSignalValue(model.busyChanged, () => model.busy);
  if (editor.readOnly || busy) {
    return null;
  }
  const only = selection.length === 1 && selection[0].kind === 'stages' ? selection[0].key : null;
  const keys = new Set([lively, only].filter(key => key !== null));
  return (
    <>
      {[...keys].map(key => (
        <Handles key={key} id={key} />
      ))}
    </>
  );
}

function Handles({ id }: { id: string }): ReactElement | null {
  const model = useCanvas();
  const { trans, document } = model.editor;
  const box = model.graph.boxOfStage(id);
  if (box === undefined || model.graph.hiddenIn(id) !== undefined) {
    return null;
  }
  const [left, top] = into(box);
  const [right, completed] = outOf(box, 'completed');
  const failed = outOf(box, 'failed')[1];
  const takes = document.snapshot.stages[id]?.type !== 'job';
  return (
    <div className="jp-Workflows-cardTools nopan">
      {takes && (
        <div className="jp-Workflows-port jp-mod-into" data-port="into" data-of={id} style={{ left, top }} />
      )}
      <div
        className="jp-Workflows-port"
        data-port="completed"
        data-of={id}
        title={trans.__('Draw an arrow')}
        style={{ left: right, top: completed }}
      />
      <div
        className="jp-Workflows-port jp-mod-failed"
        data-port="failed"
        data-of={id}
        title={trans.__('Draw an arrow for failure')}
        style={{ left: right, top: failed }}
      />
    </div>
  );
}
