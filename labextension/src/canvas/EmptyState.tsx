import { Notification } from '@jupyterlab/apputils';
import type { ReactElement } from 'react';

import { addStage, typeCaption, typeName } from '../actions/stages';
import { STAGE_TYPES } from '../document/types';
import type { StageType } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { useSnapshot } from '../workbench/hooks';
import { useCanvas } from './context';

/** What an empty canvas says: what to do next. */
export function EmptyState({ editor }: { editor: WorkflowEditor }): ReactElement | null {
  const model = useCanvas();
  const snapshot = useSnapshot(editor);
  const { trans } = editor;
  const empty = [snapshot.stages, snapshot.notes, snapshot.groups].every(
    collection => Object.keys(collection).length === 0
  );
  if (!empty) {
    return null;
  }
  const add = (type: StageType): void => {
    addStage(editor, {
      type,
      // As soon as its card is drawn, so that the next key is for it.
      added: key => requestAnimationFrame(() => model.focus({ kind: 'stages', key }))
    }).catch((error: unknown) =>
      Notification.error(trans.__('The stage could not be added: %1', (error as Error).message))
    );
  };
  return (
    <section className="jp-Workflows-empty" aria-label={trans.__('Empty workflow')}>
      <h2>{editor.readOnly ? trans.__('This workflow has no stages') : trans.__('How does it start?')}</h2>
      {!editor.readOnly && (
        <>
          <div className="jp-Workflows-emptyTypes">
            {STAGE_TYPES.map(type => (
              <button key={type} type="button" onClick={() => add(type)}>
                <span className="jp-Workflows-tile" data-type={type} />
                <span className="jp-Workflows-choiceText">
                  <span>{typeName(type, trans)}</span>
                  <span className="jp-Workflows-choiceCaption">{typeCaption(type, trans)}</span>
                </span>
              </button>
            ))}
          </div>
          <p>
            {trans.__(
              'Choose one, press F, H, J or S, or drop a notebook here from the file browser. Double-click anywhere to search.'
            )}
          </p>
        </>
      )}
    </section>
  );
}
