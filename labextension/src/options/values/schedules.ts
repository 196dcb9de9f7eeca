/**
 * Schedules as people say them, and as cron expressions.
 */

export interface IClock {
  readonly hour: number;
  readonly minute: number;
}

export type Plan =
  | { readonly every: 'hour'; readonly minute: number }
  | { readonly every: 'day'; readonly at: IClock }
  /** Days of the week, 0 being Sunday. */
  | { readonly every: 'week'; readonly days: readonly number[]; readonly at: IClock }
  | { readonly every: 'month'; readonly day: number | 'last'; readonly at: IClock }
  | { readonly every: 'cron'; readonly cron: string };

export type Every = Plan['every'];
export const EVERY: readonly Every[] = ['hour', 'day', 'week', 'month', 'cron'];

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

export function toCron(plan: Plan): string {
  switch (plan.every) {
    case 'hour':
      return `${plan.minute} * * * *`;
    case 'day':
      return `${clock(plan.at)} * * *`;
    case 'week':
      return `${clock(plan.at)} * * ${[...new Set(plan.days)]
        .sort()
        .map(day => DAYS[day])
        .join(',')}`;
    case 'month':
      return `${clock(plan.at)} ${plan.day === 'last' ? 'L' : plan.day} * *`;
    case 'cron':
      return plan.cron;
  }
}

/** Return what an expression says; one that is none of the plain ones stays a cron expression. */
export function fromCron(cron: string): Plan {
  const other: Plan = { every: 'cron', cron };
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5) {
    return other;
  }
  const [minuteField, hourField, dayField, monthField, weekField] = fields;
  const minute = whole(minuteField, 0, 59);
  if (minute === null || monthField !== '*') {
    return other;
  }
  if (hourField === '*') {
    return dayField === '*' && weekField === '*' ? { every: 'hour', minute } : other;
  }
  const hour = whole(hourField, 0, 23);
  if (hour === null) {
    return other;
  }
  const at = { hour, minute };
  if (weekField !== '*') {
    const days = weekDays(weekField);
    return dayField === '*' && days !== null ? { every: 'week', days, at } : other;
  }
  if (dayField === '*') {
    return { every: 'day', at };
  }
  if (dayField.toUpperCase() === 'L') {
    return { every: 'month', day: 'last', at };
  }
  const day = whole(dayField, 1, 31);
  return day === null ? other : { every: 'month', day, at };
}

/** Return the plan of another kind that is nearest to this one. */
export function turnInto(plan: Plan, every: Every): Plan {
  const at = 'at' in plan ? plan.at : { hour: 9, minute: plan.every === 'hour' ? plan.minute : 0 };
  switch (every) {
    case 'hour':
      return { every, minute: at.minute };
    case 'day':
      return { every, at };
    case 'week':
      return { every, at, days: plan.every === 'week' ? plan.days : [1] };
    case 'month':
      return { every, at, day: plan.every === 'month' ? plan.day : 1 };
    case 'cron':
      return { every, cron: toCron(plan) };
  }
}

/** Read the value of a time input. */
export function readClock(text: string): IClock | null {
  const match = /^(\d{1,2}):(\d{2})/.exec(text);
  const hour = match === null ? null : whole(match[1], 0, 23);
  const minute = match === null ? null : whole(match[2], 0, 59);
  return hour === null || minute === null ? null : { hour, minute };
}

export function writeClock({ hour, minute }: IClock): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

function clock({ hour, minute }: IClock): string {
  return `${minute} ${hour}`;
}

function whole(text: string, least: number, most: number): number | null {
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : null;
}

function weekDay(text: string): number | null {
  const named = DAYS.indexOf(text.toUpperCase());
  return named >= 0 ? named : whole(text, 0, 7);
}

function weekDays(field: string): readonly number[] | null {
  const days = new Set<number>();
  for (const part of field.split(',')) {
    const ends = part.split('-').map(weekDay);
    if (ends.length > 2 || ends.includes(null)) {
      return null;
    }
    const [start, end] = [ends[0]!, ends.at(-1)!];
    if (start > end) {
      return null;
    }
    for (let day = start; day <= end; day++) {
      days.add(day % 7);
    }
  }
  return [...days].sort();
}
