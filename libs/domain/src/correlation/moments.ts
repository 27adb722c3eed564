import { deriveId, type NormalizedAlert } from '@tocsin/contracts';

/** Milliseconds since the epoch. Windows compare record times, never the wall clock. */
export type Millis = number;

export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;

/** An incident takes in time-correlated alerts at most this long after it opened. Source: product P10. */
export const MAX_INCIDENT_SPAN_MS = 24 * HOUR_MS;

export const millisOf = (instant: string): Millis => Date.parse(instant);
export const instantOf = (at: Millis): string => new Date(at).toISOString();

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
export const fileUnder = (...parts: string[]): string => parts.join('\u0000');
