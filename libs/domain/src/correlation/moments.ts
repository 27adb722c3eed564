import { deriveId, type NormalizedAlert } from '@tocsin/contracts';

/** Milliseconds since the epoch. Windows compare record times, never the wall clock. */
export type Millis = number;

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** An incident takes in time-correlated alerts at most this long after it opened. Source: product P10. */
export const MAX_INCIDENT_SPAN_MS = 24 * HOUR_MS;

const DAY_MS = 24 * HOUR_MS;
/** Dates of days that were written: instants are of a few days, and finding their date is what costs. */
const dates = new Map<Millis, string>();
const DATES_MAX = 64;
/** The day that was read last. */
let day = { start: Number.NaN, date: '-' };

function dateOf(start: Millis): string {
  let date = dates.get(start);
  if (date === undefined) {
    if (dates.size === DATES_MAX) dates.clear();
    dates.set(start, (date = new Date(start).toISOString().slice(0, 11)));
  }
  return date;
}

const two = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const three = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));

/** An instant as milliseconds. Instants of ours (`2026-11-21T09:45:00.000Z`) are read without a parser. */
export function millisOf(instant: string): Millis {
  if (instant.length !== 24 || !instant.startsWith(day.date)) {
    const at = Date.parse(instant);
    const start = at - (at % DAY_MS);
    if (instant.length === 24 && at >= 0) day = { start, date: dateOf(start) };
    return at;
  }
  const digit = (index: number): number => instant.charCodeAt(index) - 48;
  const pair = (index: number): number => digit(index) * 10 + digit(index + 1);
  const at = ((pair(11) * 60 + pair(14)) * 60 + pair(17)) * 1_000 + digit(20) * 100 + pair(21);
  const read = day.start + at;
  return instantOf(read) === instant ? read : Date.parse(instant); // whatever else has this length
}

/** Milliseconds as an instant. @throws RangeError where there is no such instant */
export function instantOf(at: Millis): string {
  if (!(at >= 0 && at < 253_402_300_800_000 && Number.isInteger(at))) return new Date(at).toISOString();
  const within = at % DAY_MS;
  const seconds = Math.floor(within / 1_000);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return `${dateOf(at - within)}${two[hours]}:${two[minutes - hours * 60]}:${two[seconds - minutes * 60]}.${three[within - seconds * 1_000]}Z`;
}

/** When the alert's change happened, and by which of its times that is known. */
export interface EventTime {
  at: Millis;
  from: 'changedAt' | 'occurredAt' | 'receivedAt';
}

/**
 * The time that orders changes of one key. A source time counts only where the connector declares it as the time of
 * this change, and never lies after the receipt. Source: architecture §9.2.
 */
export function eventTimeOf(
  alert: Pick<NormalizedAlert, 'changedAt' | 'occurredAt' | 'occurredAtOrders' | 'receivedAt'>,
): EventTime {
  const received = millisOf(alert.receivedAt);
  if (alert.changedAt !== undefined) return { at: Math.min(millisOf(alert.changedAt), received), from: 'changedAt' };
  if (alert.occurredAt === null || !alert.occurredAtOrders) return { at: received, from: 'receivedAt' };
  return { at: Math.min(millisOf(alert.occurredAt), received), from: 'occurredAt' };
}

/** Longest text that is used as a key as it is; PostgreSQL refuses an index entry above about 2,700 bytes. */
const MAX_KEY_LENGTH = 256;

/** A text that a sender chose, made fit to be an index key: long or unstorable ones become their hash. */
export function boundedText(text: string): string {
  const storable = text.length <= MAX_KEY_LENGTH && !text.includes('\u0000') && text.isWellFormed();
  return storable ? text : deriveId('text', text);
}

/** Path of an entry in an index; U+0000 cannot be in any part (`boundedText`), so different parts never collide. */
export const fileUnder = (scope: string, name: string, rest?: string): string =>
  rest === undefined ? `${scope}\u0000${name}` : `${scope}\u0000${name}\u0000${rest}`;
