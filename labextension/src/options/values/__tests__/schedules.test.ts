import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EVERY, fromCron, readClock, toCron, turnInto, writeClock } from '../schedules';
import type { Plan } from '../schedules';

const at = fc.record({ hour: fc.nat(23), minute: fc.nat(59) });
const plan: fc.Arbitrary<Plan> = fc.oneof(
  fc.record({ every: fc.constant('hour' as const), minute: fc.nat(59) }),
  fc.record({ every: fc.constant('day' as const), at }),
  fc.record({
    every: fc.constant('week' as const),
    days: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
    at
  }),
  fc.record({
    every: fc.constant('month' as const),
    day: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant('last' as const)),
    at
  })
);

describe('schedules', () => {
  it('reads what it writes', () => {
    fc.assert(fc.property(plan, one => void expect(fromCron(toCron(one))).toEqual(one)));
  });

  it.each([
    ['0 9 * * 1', { every: 'week', days: [1], at: { hour: 9, minute: 0 } }],
    ['30 18 * * MON-FRI', { every: 'week', days: [1, 2, 3, 4, 5], at: { hour: 18, minute: 30 } }],
    ['0 9 * * sun,6', { every: 'week', days: [0, 6], at: { hour: 9, minute: 0 } }],
    ['0 9 * * 7', { every: 'week', days: [0], at: { hour: 9, minute: 0 } }],
    ['  0   9 * * *  ', { every: 'day', at: { hour: 9, minute: 0 } }],
    ['15 * * * *', { every: 'hour', minute: 15 }],
    ['0 0 L * *', { every: 'month', day: 'last', at: { hour: 0, minute: 0 } }]
  ])('understands %s', (cron, expected) => {
    expect(fromCron(cron)).toEqual(expected);
  });

  it.each([
    '*/5 * * * *',
    '0 9 1 * 1',
    '0 9 * 1 *',
    '0 0 9 * * *',
    '60 * * * *',
    '0 9 * * 5-1',
    '',
    '0 9 32 * *',
    '0 * * * 1'
  ])('leaves %j as it is', cron => {
    expect(fromCron(cron)).toEqual({ every: 'cron', cron });
  });

  it('never throws, and keeps what it does not understand', () => {
    fc.assert(
      fc.property(fc.string(), cron => {
        const read = fromCron(cron);
        expect(read.every === 'cron' ? read.cron : fromCron(toCron(read))).toEqual(
          read.every === 'cron' ? cron : read
        );
      })
    );
  });

  it('turns any plan into any other', () => {
    fc.assert(
      fc.property(plan, fc.constantFrom(...EVERY), (one, every) => {
        const turned = turnInto(one, every);
        expect(turned.every).toBe(every);
        expect(toCron(turned).split(' ')).toHaveLength(5);
      })
    );
  });

  it('reads times of the day', () => {
    fc.assert(fc.property(at, time => void expect(readClock(writeClock(time))).toEqual(time)));
    expect(readClock('24:00')).toBeNull();
    expect(readClock('')).toBeNull();
  });
});
