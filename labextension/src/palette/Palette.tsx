import { caretLeftIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useEffect, useLayoutEffect, useState } from 'react';
import type { ReactElement } from 'react';

import { folderOf } from '../actions/notebooks';
import { typeCaption, typeName } from '../actions/stages';
import { templates } from '../actions/templates';
import { STAGE_TYPES } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { CommandIDs } from '../tokens';
import { useSignalValue } from '../workbench/hooks';
import { dragType } from './drag';
import { Outline } from './Outline';
import { Tile } from './Tile';

const KEYS = { form: 'F', hook: 'H', job: 'J', script: 'S' } as const;

/** How the panel was left last: the next one that is opened is the same. */
let lastCollapsed = false;

/** The stage types, to be dragged onto the canvas, and what is in the graph. */
export function Palette({
  editor,
  onResize
}: {
  editor: WorkflowEditor;
  onResize?: () => void;
}): ReactElement {
  const { trans } = editor;
  const [collapsed, setCollapsed] = useState(lastCollapsed);
  const readOnly = useSignalValue(editor.document.changed, () => editor.readOnly);
  useLayoutEffect(() => onResize?.(), [collapsed, onResize]);
  useEffect(() => {
    // So that the first stage is there at once.
    void folderOf(editor).look();
    templates(editor.client).catch(() => undefined);
  }, [editor]);

  const toggle = (): void => {
    lastCollapsed = !collapsed;
    setCollapsed(!collapsed);
  };
  const Caret = collapsed ? caretRightIcon : caretLeftIcon;
  const label = collapsed ? trans.__('Show names and outline') : trans.__('Show icons only');
  return (
    <nav
      className={collapsed ? 'jp-Workflows-palette jp-mod-collapsed' : 'jp-Workflows-palette'}
      aria-label={trans.__('Stage types and outline')}
    >
      <div className="jp-Workflows-paletteTop">
        {!collapsed && <h3 className="jp-Workflows-paletteHeading">{trans.__('Add a stage')}</h3>}
        <button
          type="button"
          className="jp-Workflows-paletteToggle"
          aria-label={label}
          aria-expanded={!collapsed}
          title={label}
          onClick={toggle}
        >
          <Caret.react tag="span" width="16px" height="16px" />
        </button>
      </div>
      <ul className="jp-Workflows-paletteTypes" aria-label={trans.__('Stage types')}>
        {STAGE_TYPES.map(type => {
          const name = typeName(type, trans);
          const caption = typeCaption(type, trans);
          return (
            <li key={type}>
              <button
                type="button"
                className="jp-Workflows-paletteItem"
                data-type={type}
                disabled={readOnly}
                aria-label={trans.__('Add stage: %1. %2', name, caption)}
                title={trans.__(
                  '%1: %2.\nDrag it onto the canvas, or press %3 there.',
                  name,
                  caption,
                  KEYS[type]
                )}
                onPointerDown={event => dragType(event, type)}
                onClick={() =>
                  void editor.commands.execute(CommandIDs.addStage, { type, path: editor.context.path })
                }
              >
                <Tile type={type} size={32} />
                {!collapsed && (
                  <span className="jp-Workflows-paletteText">
                    <span className="jp-Workflows-paletteName">
                      {name} <kbd>{KEYS[type]}</kbd>
                    </span>
                    <span className="jp-Workflows-paletteCaption">{caption}</span>
                  </span>
                )}
              </button>
            </li>
          );
        })}
      </ul>
      {!collapsed && <Outline editor={editor} />}
    </nav>
  );
}
