import { nullTranslator } from '@jupyterlab/translation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatDuration, formatSeconds, parseDuration, parseSeconds } from '../durations';

const trans = nullTranslator.load('jupyter_workflows');

describe('durations', () => {
  it.each([
    ['3 days', 'P3D'],
    ['P3D', 'P3D'],
    ['1 day', 'P1D'],
    ['2h 30m', 'PT2H30M'],
    ['90 min', 'PT90M'],
    ['1 week and 2 days', 'P1W2D'],
    ['1 month, 3 d', 'P1M3D'],
    ['1.5 hours', 'PT1.5H'],
    ['1,5 hours', 'PT1.5H'],
    ['2 Weeks', 'P2W'],
    ['1 day 1 day', 'P2D'],
    ['PT0.5S', 'PT0.5S']
  ])('reads %s as %s', (text, iso) => {
    expect(parseDuration(text, trans)).toEqual({ value: iso });
  });

  it.each([
    '',
    '3',
    'soon',
    '3 parsecs',
    'P',
    'PT',
    '0 days',
    '-3 days',
    '1.5 months',
    '101 years',
    '3 days!',
    'days'
  ])('refuses %j', text => {
    expect(parseDuration(text, trans)).toHaveProperty('error');
  });

  it.each([
    ['P3D', '3 days'],
    ['P1D', '1 day'],
    ['PT36H', '36 hours'],
    ['P1Y2M3W4DT5H6M7S', '1 year 2 months 3 weeks 4 days 5 hours 6 minutes 7 seconds'],
    ['three days', 'three days']
  ])('says %s as %s', (iso, words) => {
    expect(formatDuration(iso, trans)).toBe(words);
  });

  it.each([
    ['600', 600],
    ['10 minutes', 600],
    ['1 h 30', null],
    ['1 h 30 m', 5400],
    ['0.5', 0.5]
  ])('reads %s as seconds', (text, seconds) => {
    const read = parseSeconds(text, trans);
    expect('value' in read ? read.value : null).toBe(seconds);
  });

  it('says in words what it reads again', () => {
    const amount = fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined });
    fc.assert(
      fc.property(fc.tuple(amount, amount, amount, amount, amount, amount), ([y, mo, w, d, h, m]) => {
        const date = [y && `${y}Y`, mo && `${mo}M`, w && `${w}W`, d && `${d}D`].filter(Boolean).join('');
        const time = [h && `${h}H`, m && `${m}M`].filter(Boolean).join('');
        const iso = `P${date}${time && `T${time}`}`;
        fc.pre(iso !== 'P' && (y ?? 0) < 80);
        expect(parseDuration(formatDuration(iso, trans), trans)).toEqual({ value: iso });
      })
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), n => {
        expect(parseSeconds(formatSeconds(n / 10, trans), trans)).toEqual({ value: n / 10 });
      })
    );
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.string(), text => void parseDuration(text, trans)));
  });
});
