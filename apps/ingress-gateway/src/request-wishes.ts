import type { IncomingHttpHeaders } from 'node:http';

/** Longest time that `Prefer: wait=N` can ask for, in milliseconds. */
export const MAX_WAIT_MS = 10_000;

/**
 * Milliseconds that this sender wants to wait for the outcome; 0 = it wants its 202 at once (RFC 7240; http-api, Ingest).
 * `respond-async` wins over `wait=N`, which wins over the webhook's `respond`. A preference that cannot be read is passed over.
 */
export function waitWishOf(
  prefer: string | string[] | undefined,
  respond: 'wait' | 'accept',
  defaultMs: number,
): number {
  const usual = respond === 'wait' ? defaultMs : 0;
  if (prefer === undefined) return usual;
  let wish = usual;
  for (const preference of String(prefer).toLowerCase().split(',')) {
    const [name = '', value = ''] = preference.split(/[=;]/).map((part) => part.trim().replaceAll('"', ''));
    if (name === 'respond-async') return 0;
    if (name === 'wait' && /^\d{1,9}$/.test(value)) wish = Math.min(Number(value) * 1_000, MAX_WAIT_MS);
  }
  return wish;
}

/** What a sender says to make a resend recognisable: the first of the given headers that it sent; undefined where it sent none. */
export function deliveryIdOf(headers: IncomingHttpHeaders, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The sender's W3C trace context where it is valid, else a new one from 24 random bytes. */
export function traceparentOf(headers: IncomingHttpHeaders, random: (bytes: number) => Buffer): string {
  const sent = headers.traceparent;
  if (typeof sent === 'string' && TRACEPARENT.test(sent)) return sent;
  const fresh = random(24).toString('hex');
  return `00-${fresh.slice(0, 32)}-${fresh.slice(32)}-01`;
}
