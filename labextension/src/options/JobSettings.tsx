import { HTMLSelect } from '@jupyterlab/ui-components';
import { useState } from 'react';
import type { ReactElement } from 'react';

import { ProblemError } from '../client/problems';
import type { ISchedulePreview } from '../client/types';
import { usePanel } from './context';
import { SelectField, ToggleGroup } from './fields/choices';
import { DraftControl } from './fields/DraftInput';
import { useDraft } from './fields/draft';
import { Field, FieldGroup, Messages } from './fields/Field';
import { TextField } from './fields/TextField';
import { useSchedulePreview, wordsOf } from './server';
import { MIXED, object, text } from './subject';
import { EVERY, fromCron, readClock, toCron, turnInto, writeClock } from './values/schedules';
import type { Every, IClock, Plan } from './values/schedules';

/** Settings of a job. */
export function JobSettings(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const schedule = subject.get('schedule');
  if (schedule === undefined) {
    return (
      <FieldGroup
        label={trans.__('Schedule')}
        help={trans.__('Without one it runs only when somebody starts it.')}
      >
        <button
          type="button"
          className="jp-Workflows-optionButton"
          disabled={editor.readOnly}
          onClick={() => subject.set('schedule', { cron: '0 9 * * *', timezone: ownZone() })}
        >
          {trans.__('Add a schedule')}
        </button>
      </FieldGroup>
    );
  }
  return (
    <>
      <PlanFields />
      <TextField
        path="schedule.timezone"
        label={trans.__('Time zone')}
        placeholder="UTC"
        options={zones().map(value => ({ value }))}
        read={typed => {
          const zone = typed.trim();
          const known = zones().find(one => one.toLowerCase() === zone.toLowerCase());
          return zone === '' || known !== undefined || isZone(zone)
            ? { value: (known ?? zone) || undefined }
            : { error: trans.__('There is no time zone “%1”. Write a name such as Europe/Berlin.', zone) };
        }}
      />
      {schedule !== MIXED && <NextTimes />}
      <SelectField
        path="schedule.missed"
        label={trans.__('Times that were missed')}
        preset="latest"
        choices={[
          { value: 'latest', label: trans.__('make up for the latest one') },
          { value: 'all', label: trans.__('make up for all') },
          { value: 'skip', label: trans.__('leave them out') }
        ]}
      />
      <SelectField
        path="schedule.overlap"
        label={trans.__('While the last run is going on')}
        preset="skip"
        choices={[
          { value: 'skip', label: trans.__('leave a time out') },
          { value: 'queue', label: trans.__('start after it') },
          { value: 'allow', label: trans.__('start beside it') }
        ]}
      />
      <button
        type="button"
        className="jp-Workflows-optionLink"
        disabled={editor.readOnly}
        onClick={() => subject.set('schedule', undefined)}
      >
        {trans.__('Remove the schedule')}
      </button>
    </>
  );
}

function PlanFields(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const value = subject.get('schedule.cron');
  const cron = text(value);
  // An expression can say the same as a plain plan.
  const [asCron, setAsCron] = useState<string | null>(null);
  const read = fromCron(cron);
  const plan: Plan = asCron === cron ? { every: 'cron', cron } : read;
  const put = (next: Plan): void => {
    setAsCron(next.every === 'cron' ? next.cron : null);
    subject.set('schedule.cron', toCron(next));
  };
  const names: Readonly<Record<Every, string>> = {
    hour: trans.__('Hourly'),
    day: trans.__('Daily'),
    week: trans.__('Weekly'),
    month: trans.__('Monthly'),
    cron: trans.__('Cron expression')
  };
  return (
    <>
      <div className="jp-Workflows-optionFieldRow">
        <Field label={trans.__('Schedule')}>
          {ids => (
            <HTMLSelect
              {...ids}
              className="jp-Workflows-optionSelect"
              value={value === MIXED ? '' : plan.every}
              disabled={editor.readOnly}
              onChange={event => put(turnInto(plan, event.target.value as Every))}
            >
              {value === MIXED && (
                <option value="" disabled>
                  {trans.__('Several values')}
                </option>
              )}
              {EVERY.map(every => (
                <option key={every} value={every}>
                  {names[every]}
                </option>
              ))}
            </HTMLSelect>
          )}
        </Field>
        {value !== MIXED && plan.every === 'month' && <DayOfMonth plan={plan} put={put} />}
        {value !== MIXED && 'at' in plan && <TimeOfDay plan={plan} put={put} />}
        {value !== MIXED && plan.every === 'hour' && <MinuteOfHour plan={plan} put={put} />}
      </div>
      {value !== MIXED && plan.every === 'week' && (
        <ToggleGroup
          label={trans.__('On')}
          chosen={plan.days.map(String)}
          choices={weekDays()}
          onChange={days => {
            if (days.length > 0) {
              put({ ...plan, days: days.map(Number).sort() });
            }
          }}
        />
      )}
      {value !== MIXED && plan.every === 'cron' && (
        <TextField
          path="schedule.cron"
          label={trans.__('Cron')}
          mono
          help={trans.__(
            'Minute, hour, day of the month, month, day of the week; with six fields, seconds first.'
          )}
          read={typed => {
            const fields = typed.trim().split(/\s+/).filter(Boolean).length;
            return fields === 5 || fields === 6
              ? { value: typed.trim().replace(/\s+/g, ' ') }
              : { error: trans.__('It has five fields, or six with seconds first.') };
          }}
          put={(_, typed) => put({ every: 'cron', cron: typed as string })}
        />
      )}
      {plan.every !== 'cron' && <Messages messages={subject.messages('schedule.cron')} />}
    </>
  );
}

function TimeOfDay({
  plan,
  put
}: {
  plan: Extract<Plan, { at: unknown }>;
  put: (plan: Plan) => void;
}): ReactElement {
  const { trans } = usePanel().editor;
  const draft = useDraft<IClock>({
    text: writeClock(plan.at),
    read: typed => {
      const at = readClock(typed);
      return at === null ? { error: trans.__('Write a time such as 09:30.') } : { value: at };
    },
    commit: at => put({ ...plan, at })
  });
  return (
    <Field
      label={trans.__('At')}
      messages={draft.error === null ? [] : [{ severity: 'error', text: draft.error }]}
    >
      {ids => <DraftControl {...ids} draft={draft} look={{ type: 'time' }} />}
    </Field>
  );
}

function MinuteOfHour({
  plan,
  put
}: {
  plan: Extract<Plan, { every: 'hour' }>;
  put: (plan: Plan) => void;
}): ReactElement {
  const { trans } = usePanel().editor;
  const draft = useDraft<number>({
    text: String(plan.minute),
    read: typed => {
      const minute = Number(typed);
      return Number.isInteger(minute) && minute >= 0 && minute < 60 && typed.trim() !== ''
        ? { value: minute }
        : { error: trans.__('Write a minute from 0 to 59.') };
    },
    commit: minute => put({ ...plan, minute })
  });
  return (
    <Field
      label={trans.__('At minute')}
      messages={draft.error === null ? [] : [{ severity: 'error', text: draft.error }]}
    >
      {ids => <DraftControl {...ids} draft={draft} look={{ type: 'number', min: 0, max: 59 }} />}
    </Field>
  );
}

function DayOfMonth({
  plan,
  put
}: {
  plan: Extract<Plan, { every: 'month' }>;
  put: (plan: Plan) => void;
}): ReactElement {
  const { trans } = usePanel().editor;
  const day = typeof plan.day === 'number' ? plan.day : 0;
  return (
    <Field
      label={trans.__('On day')}
      help={day > 28 ? trans.__('Months without it are left out.') : undefined}
    >
      {ids => (
        <HTMLSelect
          {...ids}
          className="jp-Workflows-optionSelect"
          value={String(plan.day)}
          onChange={event =>
            put({ ...plan, day: event.target.value === 'last' ? 'last' : Number(event.target.value) })
          }
        >
          {Array.from({ length: 31 }, (_, i) => (
            <option key={i} value={String(i + 1)}>
              {i + 1}
            </option>
          ))}
          <option value="last">{trans.__('the last')}</option>
        </HTMLSelect>
      )}
    </Field>
  );
}

function NextTimes(): ReactElement {
  const { editor, subject } = usePanel();
  const { trans } = editor;
  const schedule = object(subject.get('schedule'));
  const zone = text(schedule.timezone) || 'UTC';
  const { value, error } = useSchedulePreview(editor, text(schedule.cron), zone);
  return (
    <FieldGroup label={trans.__('Next times')} className="jp-Workflows-optionTimes">
      {error !== undefined && !isInvalid(error) && (
        <Messages messages={[{ severity: 'error', text: wordsOf(error) }]} />
      )}
      {error !== undefined && isInvalid(error) && (
        <p className="jp-Workflows-optionFieldHelp">{trans.__('None: the schedule is not right yet.')}</p>
      )}
      {value !== undefined && (
        <>
          <ol>
            {value.times.map(time => (
              <li key={time}>
                <time dateTime={time}>{inZone(time, zone)}</time>
              </li>
            ))}
          </ol>
          {notes(value, zone, trans.__.bind(trans)).map(note => (
            <p key={note} className="jp-Workflows-optionMessage jp-mod-info">
              {note}
            </p>
          ))}
        </>
      )}
    </FieldGroup>
  );
}

/** Whether a check says what is wrong, at the field that is. */
function isInvalid(error: Error): boolean {
  return error instanceof ProblemError && error.code === 'invalid-schedule';
}

/** What people should know of changes of the clock. */
function notes(
  { times, clock_changes: changes }: ISchedulePreview,
  zone: string,
  say: (words: string, ...values: string[]) => string
): readonly string[] {
  const last = Date.parse(times.at(-1) ?? '');
  const found = changes
    .filter(change => change.effect !== null || Date.parse(change.time) <= last)
    .slice(0, 2);
  return found.map(({ time, minutes, effect }) => {
    const day = new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium', timeZone: safe(zone) });
    if (effect === 'moved') {
      return say('On %1 the clock is put forward: a time that does not exist is run at the change.', day);
    }
    if (effect === 'once') {
      return say('On %1 the clock is put back: a time that comes twice is run once.', day);
    }
    return minutes > 0
      ? say('On %1 the clock is put forward; the times stay those of the clock on the wall.', day)
      : say('On %1 the clock is put back; the times stay those of the clock on the wall.', day);
  });
}

function inZone(time: string, zone: string): string {
  return new Date(time).toLocaleString(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
    timeZone: safe(zone)
  });
}

/** A zone that the browser knows. */
function safe(zone: string): string {
  return isZone(zone) ? zone : 'UTC';
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

let allZones: readonly string[] | null = null;

function zones(): readonly string[] {
  allZones ??= ['UTC', ...Intl.supportedValuesOf('timeZone').filter(zone => zone !== 'UTC')];
  return allZones;
}

function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** The days of the week as the interface's language names them, Monday first. */
function weekDays(): { value: string; label: string; name: string }[] {
  // 4 January 1970 was a Sunday.
  const name = (day: number, weekday: 'short' | 'long'): string =>
    new Date(Date.UTC(1970, 0, 4 + day)).toLocaleDateString(undefined, { weekday, timeZone: 'UTC' });
  return [1, 2, 3, 4, 5, 6, 0].map(day => ({
    value: String(day),
    label: name(day, 'short'),
    name: name(day, 'long')
  }));
}
