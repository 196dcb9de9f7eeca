import { memo, useCallback, useState } from 'react';
import type { ReactElement } from 'react';

import type { ITransition } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { useSnapshot } from '../workbench/hooks';
import { useCanvas } from './context';
import type { IBox } from './geometry';
import { idOf } from './graph';
import type { IArrow } from './graph';
import { useKeyed } from './keyed';
import { head, route, routeOf } from './routes';
import type { IRoute } from './routes';

/** All transitions, in one drawing. */
export function Arrows({ editor }: { editor: WorkflowEditor }): ReactElement {
  const model = useCanvas();
  const { stages } = useSnapshot(editor);
  const [made] = useState(() => new WeakMap<IArrow, ReactElement<{ from: string; to: string }>>());
  return (
    <svg className="jp-Workflows-arrows nopan" width="1" height="1">
      {model.graph.arrows.map(arrow => {
        const from = stages[arrow.transition.source]?.title ?? '';
        const to = stages[arrow.transition.target]?.title ?? '';
        // The same element as before costs React nothing.
        let element = made.get(arrow);
        if (element === undefined || element.props.from !== from || element.props.to !== to) {
          made.set(arrow, (element = <Arrow key={arrow.key} arrow={arrow} from={from} to={to} />));
        }
        return element;
      })}
    </svg>
  );
}

/** What is written on transitions. */
export function Labels({ editor }: { editor: WorkflowEditor }): ReactElement {
  const model = useCanvas();
  useSnapshot(editor);
  const [made] = useState(() => new WeakMap<IArrow, ReactElement>());
  return (
    <div className="jp-Workflows-labels nopan">
      {model.graph.arrows.map(arrow => {
        let element = made.get(arrow);
        if (element === undefined) {
          made.set(arrow, (element = <Label key={arrow.key} arrow={arrow} />));
        }
        return element;
      })}
    </div>
  );
}

const Arrow = memo(function Arrow({
  arrow,
  from,
  to
}: {
  arrow: IArrow;
  from: string;
  to: string;
}): ReactElement {
  const model = useCanvas();
  const { trans } = model.editor;
  const { key, transition, source, target, lane } = arrow;
  const id = idOf('transitions', key);
  const selected = useKeyed(model.selected, id);
  const tabStop = useKeyed(model.tabStop, id);
  const findings = useKeyed(model.transitionFindings, key);
  const on = transition.on === 'failed' ? 'failed' : 'completed';
  const way = route(source, target, on, lane);
  const register = useCallback(
    (group: SVGGElement | null) => {
      if (group === null) {
        return;
      }
      const draw = (one: IRoute): void => {
        const [hit, line, tip] = group.children;
        hit.setAttribute('d', one.d);
        line.setAttribute('d', one.d);
        tip.setAttribute('d', head(one.end));
      };
      model.arrowElements.set(key, {
        group,
        restore: () => draw(route(source, target, on, lane)),
        reroute: (newSource: IBox, newTarget: IBox) => draw(route(newSource, newTarget, on, lane))
      });
    },
    [model, key, source, target, on, lane]
  );
  let classes = 'jp-Workflows-arrow';
  if (on === 'failed') {
    classes += ' jp-mod-failed';
  }
  if (selected) {
    classes += ' jp-mod-selected';
  }
  if (findings.length > 0) {
    classes += ' jp-mod-finding';
  }
  const said = words(transition);
  return (
    <g
      ref={register}
      className={classes}
      data-transition={key}
      role="button"
      aria-label={[
        on === 'failed'
          ? trans.__('Arrow for failure from %1 to %2', from, to)
          : trans.__('Arrow from %1 to %2', from, to),
        ...said,
        ...findings.map(finding => finding.message)
      ].join(', ')}
      tabIndex={tabStop ? 0 : -1}
    >
      <path className="jp-Workflows-arrowHit" d={way.d} />
      <path className="jp-Workflows-arrowLine" d={way.d} />
      <path className="jp-Workflows-arrowHead" d={head(way.end)} />
    </g>
  );
});

const Label = memo(function Label({ arrow }: { arrow: IArrow }): ReactElement | null {
  const model = useCanvas();
  const { trans } = model.editor;
  const { key, transition, source, target } = arrow;
  const items = useKeyed(model.counts, key);
  const selected = useKeyed(model.selected, idOf('transitions', key));
  const findings = useKeyed(model.transitionFindings, key);
  const register = useCallback(
    (element: HTMLElement | null) => {
      if (element === null) {
        model.labelElements.delete(key);
      } else {
        model.labelElements.set(key, element);
      }
    },
    [model, key]
  );
  const failed = transition.on === 'failed';
  const { condition, label, each } = transition;
  const text = label ?? condition ?? (each ? trans.__('each of %1', each) : '');
  const isElse = transition.else === true;
  if (text === '' && !failed && !isElse && items === undefined && findings.length === 0) {
    return null;
  }
  const way = routeOf(arrow, source, target);
  let classes = 'jp-Workflows-label';
  if (failed) {
    classes += ' jp-mod-failed';
  }
  if (isElse) {
    classes += ' jp-mod-else';
  }
  if (selected) {
    classes += ' jp-mod-selected';
  }
  if (findings.length > 0) {
    classes += ' jp-mod-finding';
  }
  const shown = isElse ? text : failed && text === '' ? trans.__('failed') : text;
  return (
    <div
      ref={register}
      className="jp-Workflows-labelAnchor"
      style={{ left: way.label[0], top: way.label[1] }}
    >
      <div
        className={classes}
        data-label={key}
        title={words(transition).join('\n')}
        style={{ maxWidth: `${way.room / 11}em` }}
      >
        {each && <span className="jp-Workflows-each" role="img" aria-label={trans.__('for each')} />}
        {(isElse || shown !== '') && (
          <span className="jp-Workflows-labelText">
            {isElse && <span className="jp-Workflows-else">{trans.__('else')} </span>}
            {shown}
          </span>
        )}
        {items !== undefined && <span className="jp-Workflows-count">{items}</span>}
      </div>
    </div>
  );
});

/** What a transition says beside where it goes. */
function words(transition: ITransition): string[] {
  const { label, condition, each } = transition;
  const all: string[] = [];
  if (label) {
    all.push(label);
  }
  if (condition) {
    all.push(condition);
  }
  if (transition.else) {
    all.push('else');
  }
  if (each) {
    all.push(`each ${transition.as ?? 'item'} of ${each}`);
  }
  return all;
}
