/**
 * The second line of a card: the one thing that matters for the stage's type.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { IStage, StageType } from '../document/types';
import type { IStageState } from '../editor/states';

export function typeName(type: StageType, trans: TranslationBundle): string {
  switch (type) {
    case 'form':
      return trans.__('Form');
    case 'hook':
      return trans.__('Hook');
    case 'job':
      return trans.__('Job');
    default:
      return trans.__('Script');
  }
}

export function summary(stage: IStage, trans: TranslationBundle): string {
  switch (stage.type) {
    case 'form':
      return assigneeOf(stage, trans);
    case 'hook': {
      const methods = Array.isArray(stage.methods) ? stage.methods.join(', ') : 'POST';
      const route = typeof stage.route === 'string' ? `/${stage.route}` : '';
      return `${methods} /${stage.path}${route}`;
    }
    case 'job': {
      const schedule = stage.schedule as { cron?: unknown; timezone?: unknown } | undefined;
      return typeof schedule?.cron === 'string'
        ? cronWords(schedule.cron, trans)
        : trans.__('No schedule yet');
    }
    default:
      return PathExt.basename(String(stage.notebook ?? ''));
  }
}

export function stateWord(state: IStageState['state'], trans: TranslationBundle): string {
  switch (state) {
    case 'queued':
      return trans.__('Queued');
    case 'running':
      return trans.__('Running');
    case 'waiting':
      return trans.__('Waiting');
    case 'joining':
      return trans.__('Waiting for the other branches');
    case 'completed':
      return trans.__('Completed');
    case 'failed':
      return trans.__('Failed');
    default:
      return trans.__('Cancelled');
  }
}

/** The second line while a run is shown. */
export function progress(state: IStageState, trans: TranslationBundle): string {
  const several = state.total > 1 ? trans.__('%1 of %2', state.done, state.total) : '';
  if (state.state === 'failed' && state.error) {
    return state.error;
  }
  const parts: string[] = [stateWord(state.state, trans)];
  if (several !== '') {
    parts.push(several);
  }
  if (state.state === 'running' && state.cells) {
    parts.push(trans.__('cell %1 of %2', state.cell ?? 1, state.cells));
  } else if (state.startedAt !== undefined && state.endedAt !== undefined) {
    parts.push(duration(Date.parse(state.endedAt) - Date.parse(state.startedAt), trans));
  }
  return parts.join(' · ');
}

export function duration(milliseconds: number, trans: TranslationBundle): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) {
    return trans.__('%1 s', Math.max(seconds, 0).toFixed(1));
  }
  if (seconds < 60) {
    return trans.__('%1 s', Math.round(seconds));
  }
  if (seconds < 3600) {
    return trans.__('%1 min', Math.round(seconds / 60));
  }
  return seconds < 86400
    ? trans.__('%1 h', Math.round(seconds / 3600))
    : trans.__('%1 days', Math.round(seconds / 86400));
}

function assigneeOf(stage: IStage, trans: TranslationBundle): string {
  const { assignee } = stage;
  if (typeof assignee === 'string' && assignee !== '') {
    return assignee.startsWith('team:') ? trans.__('Team %1', assignee.slice(5)) : assignee;
  }
  if (
    typeof assignee === 'object' &&
    assignee !== null &&
    'from' in assignee &&
    typeof assignee.from === 'string'
  ) {
    return trans.__('Whom %1 names', assignee.from);
  }
  return trans.__('Whoever starts it');
}

/** Schedules that people write, in words; others as they are written. */
export function cronWords(cron: string, trans: TranslationBundle): string {
  const fields = cron.trim().split(/\s+/);
  const [minute, hour, day, month, weekday] = fields;
  if (fields.length !== 5 || month !== '*' || !/^\d+$/.test(minute)) {
    const every = /^\*\/(\d+)$/.exec(minute ?? '');
    return fields.length === 5 && every && fields.slice(1).every(field => field === '*')
      ? trans.__('Every %1 minutes', every[1])
      : cron;
  }
  if (hour === '*' && day === '*' && weekday === '*') {
    return trans.__('Hourly at :%1', minute.padStart(2, '0'));
  }
  if (!/^\d+$/.test(hour)) {
    return cron;
  }
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '*') {
    return trans.__('Daily at %1', time);
  }
  if (day === '*' && (weekday === '1-5' || weekday.toUpperCase() === 'MON-FRI')) {
    return trans.__('Weekdays at %1', time);
  }
  if (day === '*' && /^[0-7]$/.test(weekday)) {
    return trans.__('%1 at %2', dayName(Number(weekday) % 7), time);
  }
  if (weekday === '*' && /^\d+$/.test(day)) {
    return trans.__('Day %1 of the month at %2', day, time);
  }
  return cron;
}

function dayName(day: number): string {
  // The first of January 2023 was a Sunday.
  return new Date(Date.UTC(2023, 0, 1 + day)).toLocaleDateString(undefined, {
    weekday: 'long',
    timeZone: 'UTC'
  });
}

/** A time that is to come, as people say it: today only the time. */
export function dateWords(iso: string): string {
  const date = new Date(iso);
  const time = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  if (date.toDateString() === new Date().toDateString()) {
    return time;
  }
  return `${date.toLocaleDateString(undefined, { weekday: 'short', day: 'numeric', month: 'short' })}, ${time}`;
}
