import type { TranslationBundle } from '@jupyterlab/translation';
import { memo, useCallback } from 'react';
import type { CSSProperties, ReactElement } from 'react';

import type { IFinding } from '../client/types';
import type { IStage } from '../document/types';
import { isStageType } from '../document/types';
import { useCanvas } from './context';
import { idOf } from './graph';
import { useKeyed } from './keyed';
import { dateWords, progress, summary, typeName } from './summary';

/** A stage. */
export const Card = memo(function Card({ id, stage }: { id: string; stage: IStage }): ReactElement {
  const model = useCanvas();
  const { trans } = model.editor;
  const findings = useKeyed(model.stageFindings, id);
  const state = useKeyed(model.states, id);
  const selected = useKeyed(model.selected, idOf('stages', id));
  const tabStop = useKeyed(model.tabStop, idOf('stages', id));
  const links = useKeyed(model.links, id);
  const aim = useKeyed(model.aims, id);
  const register = useCallback(
    (element: HTMLElement | null) => model.register(idOf('stages', id), element),
    [model, id]
  );
  const standing = useKeyed(model.standings, id);
  const due = useKeyed(model.dues, id);
  const people = useKeyed(model.people, idOf('stages', id));
  const type = isStageType(stage.type) ? stage.type : 'script';
  const rest = due === null ? summary(stage, trans) : trans.__('Next %1', dateWords(due));
  const line = state === undefined ? rest : progress(state, trans);
  const worst = severity(findings);
  const classes = ['jp-Workflows-card'];
  if (selected) {
    classes.push('jp-mod-selected');
  }
  if (stage.disabled) {
    classes.push('jp-mod-disabled');
  }
  if (aim !== '') {
    classes.push(aim === AIM ? 'jp-mod-aim' : 'jp-mod-refused');
  }
  return (
    <div
      ref={register}
      className={classes.join(' ')}
      data-stage={id}
      data-type={type}
      data-state={state?.state}
      role="group"
      aria-roledescription={trans.__('stage')}
      aria-label={nameOf(stage, type, line, standing, findings, links, trans)}
      tabIndex={tabStop ? 0 : -1}
    >
      <div className="jp-Workflows-tile" />
      <div className="jp-Workflows-cardText">
        <div className="jp-Workflows-cardTitle" title={stage.title}>
          {stage.title}
        </div>
        <div className="jp-Workflows-lineRow">
          <div className="jp-Workflows-cardLine" title={line}>
            {line}
          </div>
          {standing !== '' && state === undefined && <div className="jp-Workflows-chip">{standing}</div>}
        </div>
      </div>
      {stage.pinned !== undefined && (
        <div className="jp-Workflows-pinned" title={trans.__('Data of this stage is pinned for tests')} />
      )}
      {state !== undefined && <div className="jp-Workflows-state" />}
      {worst !== null && (
        <div
          className={`jp-Workflows-findings jp-mod-${worst}`}
          title={findings.map(finding => finding.message).join('\n')}
        >
          {findings.length}
        </div>
      )}
      {people.length > 0 && (
        <div className="jp-Workflows-people">
          {people.map(person => (
            <span
              key={person.id}
              className="jp-Workflows-person"
              style={{ '--jp-Workflows-personColor': person.color } as CSSProperties}
            >
              {person.name}
            </span>
          ))}
        </div>
      )}
    </div>
  );
});

/** What `aims` says of the card that the arrow would go to. */
export const AIM = ' ';

function severity(findings: readonly IFinding[]): IFinding['severity'] | null {
  for (const one of ['error', 'warning', 'info'] as const) {
    if (findings.some(finding => finding.severity === one)) {
      return one;
    }
  }
  return null;
}

/** What a screen reader says. */
function nameOf(
  stage: IStage,
  type: IStage['type'],
  line: string,
  standing: string,
  findings: readonly IFinding[],
  links: string,
  trans: TranslationBundle
): string {
  const [into, out] = links.split('/').map(Number);
  const parts = [stage.title, typeName(type, trans)];
  if (stage.disabled) {
    parts.push(trans.__('disabled'));
  }
  parts.push(line);
  if (standing !== '') {
    parts.push(standing);
  }
  if (findings.length > 0) {
    parts.push(trans._n('%1 finding', '%1 findings', findings.length));
  }
  if (stage.pinned !== undefined) {
    parts.push(trans.__('pinned'));
  }
  parts.push(trans.__('%1 in, %2 out', into, out));
  return parts.join(', ');
}
