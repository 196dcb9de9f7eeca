import type { ReactElement } from 'react';

import { useSelection, useSignalValue, useSnapshot } from '../workbench/hooks';
import { useCanvas } from './context';
import type { IArrow } from './graph';
import { CARD_HEIGHT, CARD_WIDTH, snap } from './geometry';
import { HEAD, routeOf } from './routes';

/** What can be done with an arrow that is pointed at, has the focus, or is selected. */
export function ArrowTools(): ReactElement | null {
  const model = useCanvas();
  const { editor } = model;
  useSnapshot(editor);
  const selection = useSelection(editor);
  const lively = useSignalValue(model.livelyChanged, () => model.lively);
  const busy = useSignalValue(model.busyChanged, () => model.busy);
  if (editor.readOnly || busy) {
    return null;
  }
  const only = selection.length === 1 && selection[0].kind === 'transitions' ? selection[0].key : null;
  const keys = new Set([lively, only].filter(key => key !== null));
  return (
    <>
      {[...keys].map(key => {
        const arrow = model.graph.arrow(key);
        return arrow === undefined ? null : <Tools key={key} arrow={arrow} />;
      })}
    </>
  );
}

function Tools({ arrow }: { arrow: IArrow }): ReactElement {
  const model = useCanvas();
  const { trans } = model.editor;
  const { transition, key } = arrow;
  const failed = transition.on === 'failed';
  const way = routeOf(arrow, arrow.source, arrow.target);
  const height = (model.labelElements.get(key)?.firstElementChild as HTMLElement | null)?.offsetHeight ?? 0;
  const [x, y] = way.label;
  const below = height === 0 ? 0 : height / 2 + 14;
  const onAdd = (): void => {
    const at = [snap(x - CARD_WIDTH / 2), snap(y - CARD_HEIGHT / 2)] as const;
    model.requestAdd({ at, before: key });
  };
  return (
    <div
      className={failed ? 'jp-Workflows-arrowTools jp-mod-failed nopan' : 'jp-Workflows-arrowTools nopan'}
      data-arrow={key}
    >
      <button
        type="button"
        className="jp-Workflows-insert"
        data-arrow={key}
        style={{ left: x, top: y + below }}
        title={trans.__('Insert a stage')}
        aria-label={trans.__('Insert a stage')}
        onClick={onAdd}
      />
      <div
        className="jp-Workflows-end"
        data-arrow={key}
        data-end="source"
        title={trans.__('Drag to another stage')}
        style={{ left: way.start[0] + 10, top: way.start[1] }}
      />
      <div
        className="jp-Workflows-end"
        data-arrow={key}
        data-end="target"
        title={trans.__('Drag to another stage')}
        style={{ left: way.end[0] - HEAD / 2, top: way.end[1] }}
      />
    </div>
  );
}
