import type { RawHeaders } from './credentials.ts';

/**
 * The one value of a header (lower-case name): undefined where it is absent, null where it came more than once. Read from the raw
 * pairs, because Node joins repeated headers into a list and keeps only the first `authorization`.
 */
export function valueOf(rawHeaders: RawHeaders, name: string): string | null | undefined {
  let value: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] as string;
    if (header.length !== name.length || header.toLowerCase() !== name) continue;
    if (value !== undefined) return null;
    value = rawHeaders[at + 1];
  }
  return value;
}
