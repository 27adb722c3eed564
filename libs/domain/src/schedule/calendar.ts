import { weekdays, type Recurrence } from '@tocsin/contracts';
import { DAY_MS } from './time-zone.ts';

// Days are counted from 1970-01-01 (a Thursday), without any time zone.

interface MonthDay {
  /** Months since year 0. */
  month: number;
  /** 1…31. */
  date: number;
  /** Days in that month. */
  length: number;
}

function monthDayOf(day: number): MonthDay {
  const at = new Date(day * DAY_MS);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return {
    month: year * 12 + month,
    date: at.getUTCDate(),
    length: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
  };
}

/** 0 = Monday. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;
const weekOf = (day: number): number => Math.floor((day + 3) / 7);

/** Whether a period begins on this day. `first` is the day of the first period. */
export function startsOn(recurrence: Recurrence, first: number, day: number): boolean {
  if (day < first) return false;
  if (day === first) return true;
  const { frequency, interval } = recurrence;
  switch (frequency) {
    case 'daily':
      return (day - first) % interval === 0;
    case 'weekly':
      return (weekOf(day) - weekOf(first)) % interval === 0 && isWeekday(recurrence.weekdays, first, day);
    case 'monthly':
      return isDayOfMonth(recurrence, monthDayOf(first), day);
    default:
      return frequency satisfies never;
  }
}

function isWeekday(names: readonly string[], first: number, day: number): boolean {
  if (names.length === 0) return weekdayOf(day) === weekdayOf(first);
  return names.includes(weekdays[weekdayOf(day)] ?? '');
}

function isDayOfMonth({ interval, monthDays, weekdays: names }: Recurrence, first: MonthDay, day: number): boolean {
  const here = monthDayOf(day);
  if ((here.month - first.month) % interval !== 0) return false;
  if (monthDays.length === 0 && names.length === 0) return here.date === first.date;
  if (monthDays.includes(here.date) || monthDays.includes(here.date - here.length - 1)) return true;
  const name = weekdays[weekdayOf(day)] ?? '';
  const fromStart = Math.ceil(here.date / 7);
  const fromEnd = -Math.ceil((here.length - here.date + 1) / 7);
  return names.includes(`${fromStart}${name}`) || names.includes(`${fromEnd}${name}`);
}
