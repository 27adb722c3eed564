import type { Schedule } from '@tocsin/contracts';
import { startsOn } from './calendar.ts';
import { DAY_MS, instantOfWall, wallTimeAt, type WallTime } from './time-zone.ts';

/** Milliseconds since the epoch. */
type Millis = number;

/** From `from` (inclusive) to `to` (exclusive). */
export interface Period {
  from: Millis;
  to: Millis;
}

/** The period that holds an instant, or null. */
export type PeriodAt = (at: Millis) => Period | null;

/** A recurrence whose next day is farther away than this has none: a monthly one with an interval of 12 finds its 29 February. */
const SEARCH_DAYS = 8 * 366;

interface Recurring {
  zone: string;
  first: WallTime;
  length: Millis;
  until: Millis;
  startsOn(day: number): boolean;
}

function recurringOf({ from, to, timeZone, recurrence }: Schedule): Recurring | null {
  if (!recurrence) return null;
  const first = wallTimeAt(timeZone, Date.parse(from));
  return {
    ...{ zone: timeZone, first, length: Date.parse(to) - Date.parse(from) },
    until: recurrence.until === null ? Infinity : Date.parse(recurrence.until),
    startsOn: (day) => startsOn(recurrence, first.day, day),
  };
}

/** The period that begins on this day, cut at the end of the recurrence; null where nothing is left of it. */
function periodOn({ zone, first, length, until }: Recurring, day: number): Period | null {
  const from = instantOfWall(zone, { day, ofDay: first.ofDay });
  return from < until ? { from, to: Math.min(from + length, until) } : null;
}

function periodHolding(recurring: Recurring, at: Millis): Period | null {
  const today = wallTimeAt(recurring.zone, at).day;
  const longest = Math.ceil(recurring.length / DAY_MS) + 1;
  for (let day = today; day >= today - longest; day--) {
    if (!recurring.startsOn(day)) continue;
    const period = periodOn(recurring, day);
    if (period && period.from <= at && at < period.to) return period;
  }
  return null;
}

function periodAfter(recurring: Recurring, at: Millis): Period | null {
  if (at >= recurring.until) return null;
  const today = Math.max(wallTimeAt(recurring.zone, at).day, recurring.first.day);
  for (let day = today; day <= today + SEARCH_DAYS; day++) {
    if (!recurring.startsOn(day)) continue;
    const period = periodOn(recurring, day);
    if (!period) return null;
    if (period.from > at) return period;
  }
  return null;
}

/** The period that holds `at`, else the next one; null where it is over. */
export function nextPeriod(schedule: Schedule, at: Millis): Period | null {
  const recurring = recurringOf(schedule);
  if (recurring) return periodHolding(recurring, at) ?? periodAfter(recurring, at);
  const once = { from: Date.parse(schedule.from), to: Date.parse(schedule.to) };
  return once.from < once.to && at < once.to ? once : null;
}

/**
 * Answers for one schedule which period holds an instant. Asked in the order of time, as alerts come, a look at the calendar is
 * needed only when a period ends or begins; any other order gives the same answers.
 */
export function compileSchedule(schedule: Schedule): PeriodAt {
  const recurring = recurringOf(schedule);
  if (!recurring) {
    const once = { from: Date.parse(schedule.from), to: Date.parse(schedule.to) };
    return (at) => (once.from <= at && at < once.to ? once : null);
  }
  let known: Period & { period: Period | null } = { from: 0, to: 0, period: null };
  return (at) => {
    if (known.from <= at && at < known.to) return known.period;
    const period = periodHolding(recurring, at);
    known = period
      ? { ...period, period }
      : { from: at, to: periodAfter(recurring, at)?.from ?? Infinity, period: null };
    return period;
  };
}
