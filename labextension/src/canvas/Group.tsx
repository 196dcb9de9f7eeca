import { memo, useCallback, useEffect, useRef } from 'react';
import type { ReactElement } from 'react';

import { setGroup } from '../actions/groups';
import type { IGroup } from '../document/types';
import { useCanvas } from './context';
import { idOf, members } from './graph';
import { useKeyed } from './keyed';

/** A frame around stages. */
export const GroupFrame = memo(function GroupFrame({
  id,
  group
}: {
  id: string;
  group: IGroup;
}): ReactElement {
  const model = useCanvas();
  const { trans, readOnly } = model.editor;
  const itemId = idOf('groups', id);
  const selected = useKeyed(model.selected, itemId);
  const tabStop = useKeyed(model.tabStop, itemId);
  const editing = useKeyed(model.edited, itemId);
  const register = useCallback(
    (element: HTMLElement | null) => model.register(itemId, element),
    [model, itemId]
  );
  const title = group.title ?? trans.__('Group');
  const count = members(group).length;
  const stages = trans._n('%1 stage', '%1 stages', count);
  let classes = 'jp-Workflows-group';
  if (selected) {
    classes += ' jp-mod-selected';
  }
  if (group.collapsed) {
    classes += ' jp-mod-collapsed';
  }
  return (
    <div
      ref={register}
      className={classes}
      data-group={id}
      data-color={group.color ?? 'gray'}
      role="group"
      aria-roledescription={trans.__('group')}
      aria-label={`${title}, ${stages}${group.collapsed ? `, ${trans.__('collapsed')}` : ''}`}
      tabIndex={tabStop ? 0 : -1}
    >
      <div className="jp-Workflows-groupTitle">
        <button
          type="button"
          className="jp-Workflows-fold"
          tabIndex={-1}
          disabled={readOnly}
          aria-expanded={!group.collapsed}
          aria-label={group.collapsed ? trans.__('Expand %1', title) : trans.__('Collapse %1', title)}
          onClick={() => setGroup(model.editor, id, { collapsed: group.collapsed ? undefined : true })}
        />
        {editing ? (
          <TitleField
            title={title}
            label={trans.__('Title of the group')}
            onEnd={next => {
              if (next !== null) {
                setGroup(model.editor, id, { title: next });
              }
              model.edit(null);
              model.focus({ kind: 'groups', key: id });
            }}
          />
        ) : (
          <span className="jp-Workflows-groupName" title={title}>
            {title}
          </span>
        )}
        {group.collapsed && <span className="jp-Workflows-groupCount">{stages}</span>}
      </div>
      {!group.collapsed && <div className="jp-Workflows-corner" data-resize="" />}
    </div>
  );
});

function TitleField({
  title,
  label,
  onEnd
}: {
  title: string;
  label: string;
  onEnd: (title: string | null) => void;
}): ReactElement {
  const field = useRef<HTMLInputElement>(null);
  const ended = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (next: string | null): void => {
    if (!ended.current) {
      ended.current = true;
      onEnd(next);
    }
  };
  return (
    <input
      ref={field}
      className="jp-Workflows-groupField nopan"
      data-lm-suppress-shortcuts="true"
      aria-label={label}
      defaultValue={title}
      onBlur={event => end(event.currentTarget.value.trim() || null)}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Enter') {
          end(event.currentTarget.value.trim() || null);
        } else if (event.key === 'Escape') {
          end(null);
        }
      }}
    />
  );
}
