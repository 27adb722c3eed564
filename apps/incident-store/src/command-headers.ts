import { Problem } from '@tocsin/nest-shell';

const KEY_MAX = 255;

/** `If-Match: "7"` (or a bare 7); `*` and none mean any version. @throws Problem malformed-request */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^(?:W\/)?"?(\d{1,15})"?$/.exec(ifMatch.trim())?.[1];
  if (version === undefined)
    throw new Problem('malformed-request', 'If-Match must be the version of the incident, e.g. "7".');
  return Number(version);
}

/** @throws Problem malformed-request for an empty or very long key */
export function idempotencyKeyOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  if (header === '' || header.length > KEY_MAX)
    throw new Problem('malformed-request', `Idempotency-Key must have 1 to ${KEY_MAX} characters.`);
  return header;
}
