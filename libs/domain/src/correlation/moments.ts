import { deriveId, type NormalizedAlert } from '@tocsin/contracts';

/** Milliseconds since the epoch. Windows compare record times, never the wall clock. */
export type Millis = number;

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** An incident takes in time-correlated alerts at most this long after it opened. Source: product P10. */
export const MAX_INCIDENT_SPAN_MS = 24 * HOUR_MS;

/** The day that was read last: instants are of a few days, and reading a date is what costs. */
let day = { start: Number.NaN, date: '-' };
/** What was read last: one alert's times are read, and written again, in several places. */
let lastText = '';
let lastAt: Millis = Number.NaN;
/** Whether it is written as we write it. */
let isOurs = false;
const DAY_MS = 24 * HOUR_MS;
/** The year 10000, which is written in another way. */
const END = 253_402_300_800_000;

/** An instant as milliseconds. Instants of ours (`2026-11-21T09:45:00.000Z`) are read without a parser. */
export function millisOf(instant: string): Millis {
  if (instant === lastText) return lastAt;
  const within = instant.startsWith(day.date) ? withinDay(instant) : -1;
  const at = within >= 0 ? day.start + within : Date.parse(instant);
  if (within < 0 && at >= 0 && at < END)
    day = { start: at - (at % DAY_MS), date: new Date(at).toISOString().slice(0, 11) };
  lastText = instant;
  isOurs = within >= 0;
  return (lastAt = at);
}

const pairAt = (text: string, index: number, below: number): number => {
  const [tens, ones] = [text.charCodeAt(index) - 48, text.charCodeAt(index + 1) - 48];
  const value = tens * 10 + ones;
  return tens >= 0 && ones >= 0 && ones <= 9 && value < below ? value : Number.NaN;
};

/** Milliseconds since midnight of `…T09:45:00.000Z`; -1 where it is written in another way. */
function withinDay(instant: string): number {
  if (instant.length !== 24) return -1;
  const marks = instant[13] === ':' && instant[16] === ':' && instant[19] === '.' && instant[23] === 'Z';
  const hundreds = instant.charCodeAt(20) - 48;
  if (!marks || hundreds < 0 || hundreds > 9) return -1;
  const minutes = pairAt(instant, 11, 24) * 60 + pairAt(instant, 14, 60);
  const at = (minutes * 60 + pairAt(instant, 17, 60)) * 1_000 + hundreds * 100 + pairAt(instant, 21, 100);
  return Number.isNaN(at) ? -1 : at;
}

const seconds = Array.from({ length: 60 }, (_, number) => `${String(number).padStart(2, '0')}.`);
const millis = Array.from({ length: 1_000 }, (_, number) => `${String(number).padStart(3, '0')}Z`);
/** Minutes that were written, each in its place by its number: the times around an alert are of a few thousand. */
const MINUTES_KEPT = 4_096;
const minutes: { minute: number; text: string }[] = [];

function minuteText(minute: number): string {
  const kept = minutes[minute % MINUTES_KEPT];
  if (kept?.minute === minute) return kept.text;
  const text = new Date(minute * MINUTE_MS).toISOString().slice(0, 17);
  minutes[minute % MINUTES_KEPT] = { minute, text };
  return text;
}

/** Milliseconds as an instant. @throws RangeError where there is no such instant */
export function instantOf(at: Millis): string {
  if (at === lastAt && isOurs) return lastText;
  if (!(at >= 0 && at < END && Number.isInteger(at))) return new Date(at).toISOString();
  const minute = Math.floor(at / MINUTE_MS);
  const within = at - minute * MINUTE_MS;
  const second = Math.floor(within / 1_000);
  return `${minuteText(minute)}${seconds[second]}${millis[within - second * 1_000]}`;
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
