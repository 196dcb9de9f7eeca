/**
 * States and times in words.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { RunState, StageRunState } from '../client/types';

export function stateWord(state: StageRunState | RunState, trans: TranslationBundle): string {
  switch (state) {
    case 'queued':
      return trans.__('Queued');
    case 'waiting':
      return trans.__('Waiting');
    case 'joining':
      return trans.__('Waiting for other branches');
    case 'running':
      return trans.__('Running');
    case 'completed':
      return trans.__('Completed');
    case 'failed':
      return trans.__('Failed');
    case 'cancelled':
      return trans.__('Cancelled');
  }
}

export function duration(milliseconds: number, trans: TranslationBundle): string {
  const seconds = Math.max(0, milliseconds / 1000);
  return seconds < 60
    ? trans.__('%1 s', seconds.toFixed(seconds < 10 ? 1 : 0))
    : trans.__('%1 min %2 s', Math.floor(seconds / 60), Math.round(seconds % 60));
}

/** Return when something began: the time, and the day if it is another one. */
export function moment(iso: string): string {
  const date = new Date(iso);
  const today = date.toDateString() === new Date().toDateString();
  return date.toLocaleString(undefined, {
    ...(today ? {} : { month: 'short', day: 'numeric' }),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit'
  });
}
