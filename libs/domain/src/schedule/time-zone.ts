/** Milliseconds since the epoch. */
type Millis = number;

export const DAY_MS = 86_400_000;

/** What a clock on the wall shows: days since 1970-01-01 in that place, and milliseconds since its midnight. */
export interface WallTime {
  day: number;
  ofDay: Millis;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone: zone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  formats.set(zone, format);
  return format;
}

/** Whether this is the name of a time zone (IANA), or `UTC`. Offsets such as `+02:00` are none: they know no clock changes. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false; // RangeError: no such zone
  }
}

/** How far the clocks there are ahead of UTC at this instant. */
function offsetAt(zone: string, at: Millis): Millis {
  const whole = Math.floor(at / 1_000) * 1_000;
  const parts = new Map(
    formatOf(zone)
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const shown = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return shown - whole;
}

export function wallTimeAt(zone: string, at: Millis): WallTime {
  const local = at + offsetAt(zone, at);
  const day = Math.floor(local / DAY_MS);
  return { day, ofDay: local - day * DAY_MS };
}

/**
 * The instant at which the clocks there show this. Of two (clocks go back) the first; a time that is skipped (clocks go forward)
 * counts as if they had not changed yet. Source: RFC 5545 §3.3.5.
 */
export function instantOfWall(zone: string, { day, ofDay }: WallTime): Millis {
  const local = day * DAY_MS + ofDay;
  const before = offsetAt(zone, local - DAY_MS);
  const first = local - before;
  if (offsetAt(zone, first) === before) return first;
  const second = local - offsetAt(zone, local + DAY_MS);
  return offsetAt(zone, second) === local - second ? second : first;
}
