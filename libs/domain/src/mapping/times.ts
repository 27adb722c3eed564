const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;
const DIGITS = /^\d{9,19}(?:\.\d+)?$/;
/** Before this a time means "not set": 0, 0001-01-01 and 1970-01-01 are what senders write for it. */
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/**
 * An instant as ISO 8601 UTC with milliseconds, from RFC 3339 (any fraction, `+0000` too), `YYYY-MM-DD HH:MM:SS UTC`, or an epoch in
 * seconds, milliseconds, microseconds or nanoseconds (number or text). A time without a zone is UTC, never the machine's local time.
 * Undefined for what is unreadable, out of 1990–2200, or one of the "not set" values.
 */
export function instantOf(value: unknown): string | undefined {
  const at =
    typeof value === 'number' ? epochOf(value) : typeof value === 'string' ? millisecondsOf(value.trim()) : undefined;
  return at === undefined || at < EARLIEST || at > LATEST ? undefined : new Date(at).toISOString();
}

/** Values by which senders say that a time is not set; they are no reason for a note. */
export const isUnsetTime = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === 0 ||
  value === -1 ||
  (typeof value === 'string' && /^(?:|0|-1|0001-01-01[T ].*|1970-01-01T00:00:00(?:\.0+)?Z)$/.test(value.trim()));

function millisecondsOf(text: string): number | undefined {
  if (DIGITS.test(text)) return epochOf(Number(text));
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone = 'Z'] = match;
  const parts = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31 || parts[3] > 24 || parts[4] > 59 || parts[5] > 60)
    return undefined;
  const milliseconds = Number(fraction.slice(0, 3).padEnd(3, '0'));
  return Date.UTC(parts[0], parts[1] - 1, parts[2], parts[3], parts[4], parts[5], milliseconds) - offsetOf(zone);
}

function offsetOf(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})$/.exec(zone);
  if (!match) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) * 60_000;
}

function epochOf(value: number): number | undefined {
  if (!Number.isFinite(value) || value <= 0) return undefined;
  if (value < 1e11) return Math.round(value * 1_000);
  if (value < 1e14) return Math.round(value);
  return Math.floor(value < 1e17 ? value / 1e3 : value / 1e6);
}
