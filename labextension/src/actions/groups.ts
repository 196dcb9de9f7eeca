/**
 * Groups: frames around stages. A frame is where its stages are, so that it never is in the wrong place.
 */
import type { IGroup } from '../document/types';
import type { WorkflowEditor } from '../editor/editor';
import { newKey } from './keys';
import { leaveGroups } from './selection';
import { differs } from './transitions';

/** Make a group of stages and select it; they leave the groups that they are in. */
export function groupStages(
  editor: WorkflowEditor,
  stages: readonly string[] = editor.selection.keys('stages'),
  title?: string
): string | null {
  const { document, trans } = editor;
  const { snapshot } = document;
  const members = stages.filter(key => Object.hasOwn(snapshot.stages, key));
  if (editor.readOnly || members.length === 0) {
    return null;
  }
  const key = newKey(snapshot.groups);
  document.edit(draft => {
    leaveGroups(draft, snapshot, new Set(members));
    draft.put('groups', key, { title: title ?? trans.__('Group'), stages: members });
  });
  editor.selection.set([{ kind: 'groups', key }]);
  return key;
}

/** Dissolve groups: those that are selected, and those of the selected stages. Selects their stages. */
export function ungroup(editor: WorkflowEditor): void {
  const { snapshot } = editor.document;
  const stages = new Set(editor.selection.keys('stages'));
  const groups = Object.entries(snapshot.groups).filter(
    ([key, group]) => editor.selection.has('groups', key) || group.stages?.some(stage => stages.has(stage))
  );
  if (editor.readOnly || groups.length === 0) {
    return;
  }
  editor.document.edit(draft => groups.forEach(([key]) => draft.remove('groups', key)));
  editor.selection.set(
    groups
      .flatMap(([, group]) => group.stages ?? [])
      .filter(key => Object.hasOwn(snapshot.stages, key))
      .map(key => ({ kind: 'stages', key }))
  );
}

/** Put stages into a group, or into none: what dropping them does. */
export function moveToGroup(editor: WorkflowEditor, stages: readonly string[], group: string | null): void {
  const { document } = editor;
  const { snapshot } = document;
  const target = group === null ? undefined : (snapshot.groups[group] as IGroup | undefined);
  const members = target?.stages ?? [];
  const moved = stages.filter(key => Object.hasOwn(snapshot.stages, key) && !members.includes(key));
  const others = new Set(
    Object.entries(snapshot.groups)
      .filter(([key]) => key !== group)
      .flatMap(([, one]) => one.stages ?? [])
  );
  if (editor.readOnly || !moved.some(key => target !== undefined || others.has(key))) {
    return;
  }
  document.edit(draft => {
    leaveGroups(draft, snapshot, new Set(moved), new Set(group === null ? [] : [group]));
    if (target !== undefined) {
      draft.patch('groups', group!, { stages: [...members, ...moved] });
    }
  });
}

/** Change fields of a group; those that are `undefined` are removed. */
export function setGroup(editor: WorkflowEditor, key: string, patch: Partial<IGroup>): void {
  const group = editor.document.snapshot.groups[key] as IGroup | undefined;
  if (!editor.readOnly && group !== undefined && differs(group, patch)) {
    editor.document.edit(draft => draft.patch('groups', key, patch));
  }
}
