import type { ConditionDocument, Schedule } from '@tocsin/contracts';
import { readSchedule, type GivenSchedule } from '@tocsin/domain/schedule';
import { Problem } from '@tocsin/nest-shell';
import { checkedCondition } from '../correlation/read-rules.ts';
import { invalidField } from '../fields.ts';
import type { CreateSilence, RecurrenceInput } from './mute.dto.ts';

export type Times = Pick<CreateSilence, 'from' | 'to' | 'duration_minutes' | 'time_zone' | 'recurrence'>;

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Matchers as they are stored: one condition. A list means that all of it must hold. @throws Problem with the path of each part that is wrong */
export function checkedMatchers(matchers: unknown): ConditionDocument {
  if (!isObject(matchers))
    throw invalidField('matchers', 'not-a-condition', 'must be a condition, or a list of conditions');
  if (!Array.isArray(matchers)) return checkedCondition(matchers, 'matchers', false);
  const [only, ...others] = matchers as unknown[];
  const document = others.length === 0 && isObject(only) ? only : { operator: 'and', items: matchers as unknown[] };
  return checkedCondition(document, 'matchers', false);
}

const recurrenceOf = (given: RecurrenceInput | null | undefined): GivenSchedule['recurrence'] =>
  given
    ? {
        ...given,
        ...(given.month_days && { monthDays: given.month_days }),
      }
    : null;

/** The schedule of a new one. @throws Problem with everything that is wrong with it */
export function newSchedule(given: Times, now: Date): Schedule {
  const from = given.from ?? now.toISOString();
  return checkedSchedule({
    from,
    to: endOf(given, from),
    timeZone: given.time_zone ?? 'UTC',
    recurrence: recurrenceOf(given.recurrence),
  });
}

/** The schedule after a change; what is not given stays, and a new start without a new end keeps the length. @throws Problem as above */
export function scheduleAfter(before: Schedule, given: Times): Schedule {
  const from = given.from ?? before.from;
  const length = Date.parse(before.to) - Date.parse(before.from);
  const moved = given.from === undefined ? before.to : new Date(Date.parse(from) + length).toISOString();
  const to = given.to === undefined && given.duration_minutes === undefined ? moved : endOf(given, from);
  return checkedSchedule({
    ...{ from, to },
    timeZone: given.time_zone ?? before.timeZone,
    recurrence: given.recurrence === undefined ? before.recurrence : recurrenceOf(given.recurrence),
  });
}

function endOf({ to, duration_minutes: minutes }: Times, from: string): string {
  if (to !== undefined && minutes !== undefined)
    throw invalidField('duration_minutes', 'contradiction', 'cannot be given beside to');
  if (to !== undefined) return to;
  if (minutes === undefined) throw invalidField('to', 'is-needed', 'is needed, or duration_minutes');
  return new Date(Date.parse(from) + minutes * 60_000).toISOString();
}

function checkedSchedule(given: GivenSchedule): Schedule {
  const read = readSchedule(given);
  if (read.ok) return read.schedule;
  const [first] = read.problems;
  throw new Problem('validation-failed', `${first?.path}: ${first?.message}`, { errors: read.problems });
}

/** It ends at this instant: nothing of it lies later. */
export function endedAt({ recurrence, ...schedule }: Schedule, now: Date): Schedule {
  const at = now.toISOString();
  if (recurrence) {
    const until = recurrence.until !== null && recurrence.until < at ? recurrence.until : at;
    return { ...schedule, recurrence: { ...recurrence, until } };
  }
  return {
    ...schedule,
    from: schedule.from < at ? schedule.from : at,
    to: schedule.to < at ? schedule.to : at,
    recurrence,
  };
}

/** When it is over; null = it goes on. */
export const endOfSchedule = ({ to, recurrence }: Schedule): Date | null => {
  if (!recurrence) return new Date(to);
  return recurrence.until === null ? null : new Date(recurrence.until);
};
