const ISO = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?\s*(Z|UTC|GMT|[+-]\d{2}:?\d{2})?$/i;
/** Java's `Date.toString()`: Wed Oct 07 08:25:04 GMT 2026. */
const JAVA = /^[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ([A-Z]{1,5}|[+-]\d{2}:?\d{2}) (\d{4})$/;
/** 27 Jan 2021 16:00 GMT, and RFC 1123 with its day of the week. */
const DAY_FIRST =
  /^(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? ?(Z|UTC|GMT|[+-]\d{2}:?\d{2})$/;
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
/** Names that mean one offset wherever a sender writes them; others are unreadable rather than guessed. */
const ZONES: Readonly<Record<string, string>> = {
  EST: '-05:00',
  EDT: '-04:00',
  CDT: '-05:00',
  MST: '-07:00',
  MDT: '-06:00',
  PST: '-08:00',
  PDT: '-07:00',
  CET: '+01:00',
  CEST: '+02:00',
};
const DIGITS = /^\d{9,19}(?:\.\d+)?$/;
/** What most senders write, on a day that every month has: it is, or nearly is, what it is to become. */
const PLAIN =
  /^(?:199\d|2[01]\d\d)-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):?[0-5]\d)$/;
const CANONICAL = '2026-11-21T09:00:00.000Z'.length;
const SECONDS = '2026-11-21T09:00:00'.length;
const FRACTION = SECONDS + 1;
/** Before this a time means "not set": 0, 0001-01-01 and 1970-01-01 are what senders write for it. */
const EARLIEST = Date.UTC(1990, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);

/**
 * An instant as ISO 8601 UTC with milliseconds, from RFC 3339 (any fraction, `+0000` too), `YYYY-MM-DD HH:MM:SS UTC`, or an epoch in
 * seconds, milliseconds, microseconds or nanoseconds (number or text), Java's `Wed Oct 07 08:25:04 GMT 2026`, `27 Jan 2021 16:00 GMT`. A time without a zone is UTC, never the machine's local time.
 * Undefined for what is unreadable, out of 1990–2200, or one of the "not set" values.
 */
export function instantOf(value: unknown): string | undefined {
  if (typeof value === 'string') return instantOfText(value.trim());
  return typeof value === 'number' ? instantAt(epochOf(value)) : undefined;
}

function instantOfText(text: string): string | undefined {
  if (!PLAIN.test(text)) return instantAt(millisecondsOf(text));
  if (!text.endsWith('Z')) return instantAt(Date.parse(withPlainZone(text)));
  return text.length === CANONICAL ? text : `${withMilliseconds(text, text.length - 1)}Z`;
}

/** A plain text up to its zone, with three digits of a second. */
function withMilliseconds(text: string, zoneAt: number): string {
  if (zoneAt === SECONDS) return `${text.slice(0, SECONDS)}.000`;
  return zoneAt === CANONICAL - 1
    ? text.slice(0, zoneAt)
    : `${text.slice(0, FRACTION)}${text.slice(FRACTION, Math.min(zoneAt, CANONICAL - 1)).padEnd(3, '0')}`;
}

/** The form that every engine reads by itself: milliseconds, and a colon in the zone. */
function withPlainZone(text: string): string {
  const zoneAt = text.at(-3) === ':' ? text.length - 6 : text.length - 5;
  return `${withMilliseconds(text, zoneAt)}${text.slice(zoneAt, zoneAt + 3)}:${text.slice(-2)}`;
}

function instantAt(at: number | undefined): string | undefined {
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
  const match = ISO.exec(text) ?? ISO.exec(rearranged(text));
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

/** The worded forms in the order of ISO 8601; the empty text for what is none of them. */
function rearranged(text: string): string {
  const java = JAVA.exec(text);
  const day = java ? undefined : DAY_FIRST.exec(text);
  const [year, name, date, clock, zone] = java
    ? [java[7], java[1], java[2], `${java[3]}:${java[4]}:${java[5]}`, java[6]]
    : day
      ? [day[3], day[2], day[1], `${day[4]}:${day[5]}:${day[6] ?? '00'}`, day[7]]
      : [];
  const month = MONTHS.indexOf(name ?? '') + 1;
  if (month === 0 || date === undefined || zone === undefined) return '';
  const offset = Object.hasOwn(ZONES, zone) ? ZONES[zone] : zone;
  return `${year}-${String(month).padStart(2, '0')}-${date.padStart(2, '0')} ${clock} ${offset}`;
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
