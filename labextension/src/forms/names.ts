import type { TranslationBundle } from '@jupyterlab/translation';

/** Whom `team:finance`, or a person's name, means. */
export function assigneeName(assignee: string, trans: TranslationBundle): string {
  return assignee.startsWith('team:') ? trans.__('team %1', assignee.slice(5)) : assignee;
}
