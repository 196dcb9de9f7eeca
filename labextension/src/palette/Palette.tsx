import type { ReactElement } from 'react';

import { STAGE_TYPES } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { stageIcons } from '../icons';

/** The stage types, to be dragged onto the canvas. */
export function Palette({ editor }: { editor: WorkflowEditor }): ReactElement {
  return (
    <nav className="jp-Workflows-palette" aria-label={editor.trans.__('Stage types')}>
      {STAGE_TYPES.map(type => {
        const Icon = stageIcons[type].react;
        return (
          <button key={type} type="button" className="jp-Workflows-paletteItem" data-type={type}>
            <Icon tag="span" width="16px" />
            {type}
          </button>
        );
      })}
    </nav>
  );
}
