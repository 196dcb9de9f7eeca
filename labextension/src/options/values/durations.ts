/**
 * Durations in words, such as "3 days", and as documents have them: ISO 8601, or seconds.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

const UNITS = ['Y', 'MO', 'W', 'D', 'H', 'M', 'S'] as const;
type Unit = (typeof UNITS)[number];
type Amounts = Partial<Record<Unit, number>>;

const SECONDS: Readonly<Record<Unit, number>> = {
  Y: 365 * 86400,
  MO: 30 * 86400,
  W: 604800,
  D: 86400,
  H: 3600,
  M: 60,
  S: 1
};
const LONGEST = 36525 * 86400;

/** What people write; the words of the interface's language are added. */
const WORDS: Readonly<Record<string, Unit>> = {
  ...words('Y', 'y', 'yr', 'yrs', 'year', 'years'),
  ...words('MO', 'mo', 'mon', 'month', 'months'),
  ...words('W', 'w', 'wk', 'wks', 'week', 'weeks'),
  ...words('D', 'd', 'day', 'days'),
  ...words('H', 'h', 'hr', 'hrs', 'hour', 'hours'),
  ...words('M', 'm', 'min', 'mins', 'minute', 'minutes'),
  ...words('S', 's', 'sec', 'secs', 'second', 'seconds')
};

const ISO =
  /^P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:[.,]\d{1,6})?)W)?(?:(\d{1,9}(?:[.,]\d{1,6})?)D)?(?:T(?=\d)(?:(\d{1,9}(?:[.,]\d{1,6})?)H)?(?:(\d{1,9}(?:[.,]\d{1,6})?)M)?(?:(\d{1,9}(?:[.,]\d{1,6})?)S)?)?$/;
const PART = /(\d{1,9}(?:[.,]\d{1,6})?)\s*(\p{L}+)\.?/uy;
const GLUE = /(?:\s|,|&|\band\b)*/uy;

/** What was written; `null` if it is no duration. */
function amountsOf(text: string, trans: TranslationBundle): Amounts | null {
  const iso = ISO.exec(text);
  if (iso !== null) {
    const given = UNITS.flatMap((unit, i) => (iso[i + 1] ? [[unit, number(iso[i + 1])] as const] : []));
    return given.length === 0 ? null : Object.fromEntries(given);
  }
  const known = vocabulary(trans);
  const amounts: Amounts = {};
  let place = 0;
  while (place < text.length) {
    PART.lastIndex = place;
    const part = PART.exec(text);
    const unit = part === null ? undefined : known[part[2].toLowerCase()];
    if (part === null || unit === undefined) {
      return null;
    }
    amounts[unit] = (amounts[unit] ?? 0) + number(part[1]);
    GLUE.lastIndex = PART.lastIndex;
    GLUE.exec(text);
    place = Math.max(GLUE.lastIndex, PART.lastIndex);
  }
  return place === 0 ? null : amounts;
}

export type Duration<T> = { readonly value: T } | { readonly error: string };

/** Read a duration as ISO 8601. */
export function parseDuration(text: string, trans: TranslationBundle): Duration<string> {
  const amounts = checked(text.trim(), trans);
  return 'error' in amounts ? amounts : { value: toIso(amounts.value) };
}

/** Read a duration as a number of seconds; a number alone is one. */
export function parseSeconds(text: string, trans: TranslationBundle): Duration<number> {
  const alone = /^\d{1,9}(?:[.,]\d{1,6})?$/.test(text.trim());
  const amounts = checked(alone ? `${text.trim()} s` : text.trim(), trans);
  return 'error' in amounts ? amounts : { value: round(seconds(amounts.value)) };
}

function checked(text: string, trans: TranslationBundle): Duration<Amounts> {
  const amounts = amountsOf(text, trans);
  const example = trans.__('Write a number and a unit, such as “3 days” or “1 hour 30 minutes”.');
  if (amounts === null) {
    return { error: example };
  }
  if (!Number.isInteger(amounts.Y ?? 0) || !Number.isInteger(amounts.MO ?? 0)) {
    return { error: trans.__('Years and months are whole; write smaller units beside them.') };
  }
  const whole = seconds(amounts);
  if (whole <= 0) {
    return { error: trans.__('This is no time at all.') };
  }
  return whole > LONGEST ? { error: trans.__('This is longer than a century.') } : { value: amounts };
}

/** Return an ISO 8601 duration in words; what is none is returned as it is. */
export function formatDuration(iso: string, trans: TranslationBundle): string {
  const amounts = ISO.test(iso) ? amountsOf(iso, trans) : null;
  return amounts === null ? iso : inWords(amounts, trans);
}

export function formatSeconds(total: number, trans: TranslationBundle): string {
  if (!Number.isFinite(total) || total <= 0) {
    return String(total);
  }
  const amounts: Amounts = {};
  let rest = total;
  for (const unit of ['D', 'H', 'M'] as const) {
    const whole = Math.floor(rest / SECONDS[unit]);
    if (whole > 0) {
      amounts[unit] = whole;
      rest = round(rest - whole * SECONDS[unit]);
    }
  }
  if (rest > 0) {
    amounts.S = rest;
  }
  return inWords(amounts, trans);
}

function inWords(amounts: Amounts, trans: TranslationBundle): string {
  const parts = UNITS.filter(unit => amounts[unit]).map(unit => counted(unit, amounts[unit]!, trans));
  return parts.length === 0 ? trans.__('no time') : parts.join(' ');
}

function counted(unit: Unit, n: number, trans: TranslationBundle): string {
  switch (unit) {
    case 'Y':
      return trans._n('%1 year', '%1 years', n);
    case 'MO':
      return trans._n('%1 month', '%1 months', n);
    case 'W':
      return trans._n('%1 week', '%1 weeks', n);
    case 'D':
      return trans._n('%1 day', '%1 days', n);
    case 'H':
      return trans._n('%1 hour', '%1 hours', n);
    case 'M':
      return trans._n('%1 minute', '%1 minutes', n);
    case 'S':
      return trans._n('%1 second', '%1 seconds', n);
  }
}

function vocabulary(trans: TranslationBundle): Readonly<Record<string, Unit>> {
  const own = UNITS.flatMap(unit =>
    [1, 2].map(
      n =>
        [
          counted(unit, n, trans)
            .replace(/[\d\s]/g, '')
            .toLowerCase(),
          unit
        ] as const
    )
  );
  return { ...Object.fromEntries(own), ...WORDS };
}

function toIso(amounts: Amounts): string {
  const part = (unit: Unit, letter: string): string =>
    amounts[unit] ? `${plain(amounts[unit])}${letter}` : '';
  const date = part('Y', 'Y') + part('MO', 'M') + part('W', 'W') + part('D', 'D');
  const time = part('H', 'H') + part('M', 'M') + part('S', 'S');
  return `P${date}${time === '' ? '' : `T${time}`}`;
}

function seconds(amounts: Amounts): number {
  return UNITS.reduce((sum, unit) => sum + (amounts[unit] ?? 0) * SECONDS[unit], 0);
}

function number(text: string): number {
  return Number(text.replace(',', '.'));
}

function round(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** A number without exponent. */
function plain(value: number): string {
  return value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 6 });
}

function words(unit: Unit, ...all: string[]): Record<string, Unit> {
  return Object.fromEntries(all.map(word => [word, unit]));
}
