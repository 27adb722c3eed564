import {
  frequencies,
  weekdays,
  type Frequency,
  type ProblemDetail,
  type Recurrence,
  type Schedule,
} from '@tocsin/contracts';
import { isTimeZone } from './time-zone.ts';

const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;

/** Bounds of a schedule. */
export const SCHEDULE_LIMITS = { days: 366, recurringDays: 7, interval: 99, list: 31 } as const;

/** A schedule as people give it. */
export interface GivenSchedule {
  from: string;
  to: string;
  timeZone: string;
  recurrence?: {
    frequency: Frequency;
    interval?: number;
    weekdays?: readonly string[];
    monthDays?: readonly number[];
    until?: string | null;
  } | null;
}

export type ReadSchedule = { ok: true; schedule: Schedule } | { ok: false; problems: ProblemDetail[] };

const instant = (text: string): string => new Date(text).toISOString();
const PLACED = /^(-?[1-5])(mo|tu|we|th|fr|sa|su)$/;

/** Reads a schedule, with all that is wrong with it. Paths are those of the REST body. */
export function readSchedule(given: GivenSchedule): ReadSchedule {
  const problems: ProblemDetail[] = [];
  const refuse = (path: string, code: string, message: string): void => void problems.push({ path, code, message });
  const [from, to] = [Date.parse(given.from), Date.parse(given.to)];
  if (!(from < to)) refuse('to', 'not-after-from', 'must be after from');
  if (!isTimeZone(given.timeZone))
    refuse('time_zone', 'unknown-time-zone', 'must be an IANA name such as Europe/Berlin');
  const { days, recurringDays } = SCHEDULE_LIMITS;
  const most = given.recurrence ? recurringDays : days;
  if (to - from > most * DAY_HOURS * HOUR_MS) refuse('to', 'too-long', `must be at most ${most} days after from`);
  const recurrence = given.recurrence ? readRecurrence(given.recurrence, from, refuse) : null;
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    schedule: { from: instant(given.from), to: instant(given.to), timeZone: given.timeZone, recurrence },
  };
}

type Refuse = (path: string, code: string, message: string) => void;

function readRecurrence(given: NonNullable<GivenSchedule['recurrence']>, from: number, refuse: Refuse): Recurrence {
  const { frequency, interval = 1, until = null } = given;
  const names = (given.weekdays ?? []).map((name) => name.toLowerCase());
  const dates = [...(given.monthDays ?? [])];
  if (!frequencies.includes(frequency))
    refuse('recurrence.frequency', 'is-in', `must be one of ${frequencies.join(', ')}`);
  if (!Number.isInteger(interval) || interval < 1 || interval > SCHEDULE_LIMITS.interval)
    refuse('recurrence.interval', 'out-of-range', `must be a whole number from 1 to ${SCHEDULE_LIMITS.interval}`);
  checkWeekdays(frequency, names, refuse);
  if (dates.length > 0 && frequency !== 'monthly')
    refuse('recurrence.month_days', 'not-applicable', 'belongs to a monthly recurrence');
  if (!dates.every((date) => Number.isInteger(date) && date !== 0 && date >= -31 && date <= 31))
    refuse('recurrence.month_days', 'out-of-range', 'must be whole numbers from 1 to 31, or -1 to -31 from the end');
  if (until !== null && !(Date.parse(until) > from)) refuse('recurrence.until', 'not-after-from', 'must be after from');
  const end = until === null || Number.isNaN(Date.parse(until)) ? null : instant(until);
  return { frequency, interval, weekdays: names, monthDays: dates, until: end };
}

function checkWeekdays(frequency: Frequency, names: readonly string[], refuse: Refuse): void {
  if (names.length === 0) return;
  const path = 'recurrence.weekdays';
  if (frequency === 'daily') refuse(path, 'not-applicable', 'belongs to a weekly or monthly recurrence');
  if (frequency === 'weekly' && !names.every((name) => weekdays.some((day) => day === name)))
    refuse(path, 'unknown-weekday', `must be among ${weekdays.join(', ')}`);
  if (frequency === 'monthly' && !names.every((name) => PLACED.test(name)))
    refuse(
      path,
      'unknown-weekday',
      'must name a place in the month, e.g. 2tu for the second Tuesday, -1fr for the last Friday',
    );
}
