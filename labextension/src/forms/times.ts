/**
 * Points of time in words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How a task stands to its due date. */
export type Due = 'none' | 'later' | 'soon' | 'overdue';

export function dueOf(deadline: string | null, now: number = Date.now()): Due {
  if (deadline === null) {
    return 'none';
  }
  const left = (Date.parse(deadline) - now) / 1000;
  return left < 0 ? 'overdue' : left < DAY ? 'soon' : 'later';
}

/** Say how long it is to a time, or since it: `in 3 hours`, `2 days ago`. */
export function relative(time: string, trans: TranslationBundle, now: number = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const size = Math.abs(seconds);
  if (size < MINUTE) {
    return trans.__('now');
  }
  const [unit, length] =
    size < HOUR
      ? (['minute', MINUTE] as const)
      : size < DAY
        ? (['hour', HOUR] as const)
        : (['day', DAY] as const);
  return new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' }).format(
    Math.round(seconds / length),
    unit
  );
}

/** A day and a time of it, as the person's browser writes them. */
export function exact(time: string): string {
  return new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' }).format(
    new Date(time)
  );
}
