import type { Schedule } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileSchedule, nextPeriod, readSchedule, type GivenSchedule } from './index.ts';

const given = (schedule: GivenSchedule): Schedule => {
  const read = readSchedule(schedule);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.schedule;
};
const at = (text: string): number => Date.parse(text);
const iso = (period: { from: number; to: number } | null) =>
  period && [new Date(period.from).toISOString(), new Date(period.to).toISOString()];
/** The first periods, one after the other. */
const periodsOf = (schedule: Schedule, count: number, from = '2020-01-01T00:00:00Z'): (string[] | null)[] => {
  const found: (string[] | null)[] = [];
  for (let now = at(from); found.length < count;) {
    const period = nextPeriod(schedule, now);
    found.push(iso(period));
    if (!period) break;
    now = period.to;
  }
  return found;
};

describe('a schedule without recurrence', () => {
  const once = given({ from: '2026-03-01T10:00:00+01:00', to: '2026-03-01T12:00:00Z', timeZone: 'UTC' });

  it('holds from its start until just before its end', () => {
    const holds = compileSchedule(once);
    expect(iso(holds(at('2026-03-01T09:00:00Z')))).toEqual(['2026-03-01T09:00:00.000Z', '2026-03-01T12:00:00.000Z']);
    expect(holds(at('2026-03-01T08:59:59.999Z'))).toBeNull();
    expect(holds(at('2026-03-01T12:00:00Z'))).toBeNull();
  });

  it('is next until it is over', () => {
    expect(iso(nextPeriod(once, at('2026-02-01T00:00:00Z')))?.[0]).toBe('2026-03-01T09:00:00.000Z');
    expect(nextPeriod(once, at('2026-03-01T12:00:00Z'))).toBeNull();
  });
});

describe('a recurrence', () => {
  it('begins at the local time of its start on both sides of a clock change', () => {
    const nightly = given({
      ...{ from: '2026-03-27T22:00:00+01:00', to: '2026-03-27T23:00:00+01:00', timeZone: 'Europe/Berlin' },
      recurrence: { frequency: 'daily' },
    });
    expect(periodsOf(nightly, 4).map((period) => period?.[0])).toEqual([
      '2026-03-27T21:00:00.000Z',
      '2026-03-28T21:00:00.000Z',
      '2026-03-29T20:00:00.000Z', // clocks went forward in the night before
      '2026-03-30T20:00:00.000Z',
    ]);
  });

  it('takes a time that the clocks skip as if they had not changed yet, and of two the first', () => {
    const daily = (from: string, to: string) =>
      given({ from, to, timeZone: 'America/New_York', recurrence: { frequency: 'daily' } });
    const skipped = daily('2026-03-07T02:30:00-05:00', '2026-03-07T03:00:00-05:00');
    expect(periodsOf(skipped, 3).map((period) => period?.[0])).toEqual([
      '2026-03-07T07:30:00.000Z',
      '2026-03-08T07:30:00.000Z', // 02:30 is not there; 03:30 daylight time
      '2026-03-09T06:30:00.000Z',
    ]);
    const twice = daily('2026-10-31T01:30:00-04:00', '2026-10-31T02:00:00-04:00');
    expect(periodsOf(twice, 2).map((period) => period?.[0])).toEqual([
      '2026-10-31T05:30:00.000Z',
      '2026-11-01T05:30:00.000Z', // 01:30 comes twice
    ]);
  });

  it('by week names its days, and skips weeks', () => {
    const schedule = given({
      ...{ from: '2026-11-04T08:00:00Z', to: '2026-11-04T09:00:00Z', timeZone: 'UTC' }, // a Wednesday
      recurrence: { frequency: 'weekly', interval: 2, weekdays: ['MO', 'we'] },
    });
    expect(periodsOf(schedule, 4).map((period) => period?.[0]?.slice(0, 10))).toEqual([
      '2026-11-04',
      '2026-11-16',
      '2026-11-18',
      '2026-11-30',
    ]);
  });

  it('by month names dates from both ends, and weekdays by their place', () => {
    const monthly = (from: string, more: object) =>
      given({
        from,
        to: `${from.slice(0, 11)}06:00:00Z`,
        timeZone: 'UTC',
        recurrence: { frequency: 'monthly', ...more },
      });
    const days = (schedule: Schedule, count: number) => periodsOf(schedule, count).map((one) => one?.[0]?.slice(0, 10));
    expect(days(monthly('2026-01-31T05:00:00Z', {}), 3)).toEqual(['2026-01-31', '2026-03-31', '2026-05-31']);
    expect(days(monthly('2026-01-31T05:00:00Z', { monthDays: [-1] }), 3)).toEqual([
      '2026-01-31',
      '2026-02-28',
      '2026-03-31',
    ]);
    expect(days(monthly('2026-11-10T05:00:00Z', { weekdays: ['2tu'] }), 3)).toEqual([
      '2026-11-10',
      '2026-12-08',
      '2027-01-12',
    ]);
    expect(days(monthly('2026-11-27T05:00:00Z', { weekdays: ['-1fr'] }), 2)).toEqual(['2026-11-27', '2026-12-25']);
  });

  it('ends at "until": a period that is running is cut there', () => {
    const schedule = given({
      ...{ from: '2026-11-01T08:00:00Z', to: '2026-11-01T10:00:00Z', timeZone: 'UTC' },
      recurrence: { frequency: 'daily', until: '2026-11-02T09:00:00Z' },
    });
    expect(periodsOf(schedule, 5)).toEqual([
      ['2026-11-01T08:00:00.000Z', '2026-11-01T10:00:00.000Z'],
      ['2026-11-02T08:00:00.000Z', '2026-11-02T09:00:00.000Z'],
      null,
    ]);
  });

  it('that lasts over midnight holds in the morning after', () => {
    const schedule = given({
      ...{ from: '2026-11-07T22:00:00Z', to: '2026-11-09T06:00:00Z', timeZone: 'UTC' },
      recurrence: { frequency: 'weekly' },
    });
    expect(compileSchedule(schedule)(at('2026-11-16T05:59:00Z'))).not.toBeNull();
    expect(compileSchedule(schedule)(at('2026-11-16T06:00:00Z'))).toBeNull();
  });

  it('with a leap day as its date comes back in the next leap year', () => {
    const schedule = given({
      ...{ from: '2024-02-29T00:00:00Z', to: '2024-02-29T01:00:00Z', timeZone: 'UTC' },
      recurrence: { frequency: 'monthly', interval: 12 },
    });
    expect(iso(nextPeriod(schedule, at('2024-03-01T00:00:00Z')))?.[0]).toBe('2028-02-29T00:00:00.000Z');
  });
});

describe('a compiled schedule', () => {
  const zone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu');
  const start = fc.integer({ min: at('2025-01-01T00:00:00Z'), max: at('2027-01-01T00:00:00Z') });
  const recurrence = fc.oneof(
    fc.record({ frequency: fc.constant('daily' as const), interval: fc.integer({ min: 1, max: 9 }) }),
    fc.record({
      frequency: fc.constant('weekly' as const),
      interval: fc.integer({ min: 1, max: 3 }),
      weekdays: fc.uniqueArray(fc.constantFrom('mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'), { maxLength: 3 }),
    }),
    fc.record({
      frequency: fc.constant('monthly' as const),
      interval: fc.integer({ min: 1, max: 3 }),
      monthDays: fc.uniqueArray(fc.constantFrom(1, 15, 29, 31, -1), { maxLength: 3 }),
    }),
  );
  const schedules = fc
    .record({ zone, start, minutes: fc.integer({ min: 1, max: 3_000 }), recurrence })
    .map(({ zone: timeZone, start: from, minutes, recurrence: rule }) =>
      given({
        ...{ from: new Date(from).toISOString(), to: new Date(from + minutes * 60_000).toISOString(), timeZone },
        recurrence: rule,
      }),
    );

  it('answers the same whatever it was asked before', () => {
    fc.assert(
      fc.property(schedules, fc.array(start, { minLength: 1, maxLength: 30 }), (schedule, instants) => {
        const asked = compileSchedule(schedule);
        for (const instant of instants) {
          const fresh = compileSchedule(schedule)(instant);
          const answer = asked(instant);
          expect(answer === null).toBe(fresh === null);
          if (answer) expect(answer.from <= instant && instant < answer.to).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('holds nothing before its next period, and all of it from there', () => {
    fc.assert(
      fc.property(schedules, start, fc.double({ min: 0, max: 0.999, noNaN: true }), (schedule, instant, share) => {
        const next = nextPeriod(schedule, instant);
        const holds = compileSchedule(schedule);
        if (!next) return;
        expect(holds(next.from)).not.toBeNull();
        expect(holds(next.to - 1)).not.toBeNull();
        if (next.from > instant) expect(holds(instant + Math.floor((next.from - instant) * share))).toBeNull();
      }),
      { numRuns: 200 },
    );
  });
});

describe('a schedule that cannot be', () => {
  const base: GivenSchedule = { from: '2026-11-01T08:00:00Z', to: '2026-11-01T10:00:00Z', timeZone: 'UTC' };
  it.each<[string, Partial<GivenSchedule>, string[]]>([
    ['ends before it begins', { to: '2026-11-01T08:00:00Z' }, ['to: not-after-from']],
    ['lasts more than a year', { to: '2027-12-01T08:00:00Z' }, ['to: too-long']],
    ['names no time zone', { timeZone: 'Mars/Olympus' }, ['time_zone: unknown-time-zone']],
    ['names an offset as its time zone', { timeZone: '+02:00' }, ['time_zone: unknown-time-zone']],
    [
      'comes back before it is over, in a way that nobody means',
      { to: '2026-11-20T08:00:00Z', recurrence: { frequency: 'daily' } },
      ['to: too-long'],
    ],
    [
      'names days that its frequency does not have',
      { recurrence: { frequency: 'weekly', weekdays: ['2tu'], monthDays: [1] } },
      ['recurrence.weekdays: unknown-weekday', 'recurrence.month_days: not-applicable'],
    ],
    [
      'names days that are none',
      { recurrence: { frequency: 'monthly', weekdays: ['xx'], monthDays: [0, 32] } },
      ['recurrence.weekdays: unknown-weekday', 'recurrence.month_days: out-of-range'],
    ],
    [
      'names weekdays by day',
      { recurrence: { frequency: 'daily', weekdays: ['mo'] } },
      ['recurrence.weekdays: not-applicable'],
    ],
    [
      'ends before its first period',
      { recurrence: { frequency: 'daily', until: base.from } },
      ['recurrence.until: not-after-from'],
    ],
    ['never comes', { recurrence: { frequency: 'daily', interval: 0 } }, ['recurrence.interval: out-of-range']],
  ])('because it %s is refused with the path', (_what, change, problems) => {
    const read = readSchedule({ ...base, ...change });
    expect(read.ok ? [] : read.problems.map(({ path, code }) => `${path}: ${code}`)).toEqual(problems);
  });
});
