/**
 * The rows of the outline.
 */
import { stagesInOrder } from '../actions/order';
import type { ISnapshot, StageType } from '../document/types';
import type { IReference } from '../editor/selection';

export interface IRow extends IReference {
  readonly kind: 'stages' | 'groups';
  readonly title: string;
  readonly type?: StageType;
  readonly disabled: boolean;
  /** Counted from one, as `aria-level` is. */
  readonly level: number;
  /** Whether its stages are shown; `undefined` if it is no group. */
  readonly open?: boolean;
}

/** Return the rows of a document: stages in reading order, those of a group together below it. */
export function outlineOf(
  snapshot: ISnapshot,
  filter = '',
  closed: ReadonlySet<string> = new Set()
): readonly IRow[] {
  const wanted = filter.trim().toLowerCase();
  const matches = (...texts: readonly (string | undefined)[]): boolean =>
    wanted === '' || texts.some(text => text?.toLowerCase().includes(wanted));
  const groupOf = new Map<string, string>();
  for (const [key, group] of Object.entries(snapshot.groups)) {
    group.stages?.forEach(stage => groupOf.has(stage) || groupOf.set(stage, key));
  }
  const rows: IRow[] = [];
  const members = new Map<string, IRow[]>();
  for (const key of stagesInOrder(snapshot)) {
    const { title, type, path, notebook, disabled } = snapshot.stages[key];
    const group = groupOf.get(key);
    if (group !== undefined && !members.has(group)) {
      members.set(group, []);
      const open = wanted !== '' || !closed.has(group);
      rows.push({
        kind: 'groups',
        key: group,
        title: snapshot.groups[group].title ?? '',
        disabled: false,
        level: 1,
        open
      });
    }
    if (
      matches(title, type, path, notebook, group === undefined ? undefined : snapshot.groups[group].title)
    ) {
      const row: IRow = {
        kind: 'stages',
        key,
        title,
        type,
        disabled: disabled === true,
        level: group === undefined ? 1 : 2
      };
      (group === undefined ? rows : members.get(group)!).push(row);
    }
  }
  return rows.flatMap(row => {
    if (row.kind !== 'groups') {
      return [row];
    }
    const stages = members.get(row.key)!;
    return wanted !== '' && stages.length === 0 ? [] : row.open ? [row, ...stages] : [row];
  });
}
