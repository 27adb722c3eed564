import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Authentication, CredentialRule, LiveSecret, RawHeaders, RejectionReason } from './credentials.ts';
import { signaturesIn } from './signatures.ts';

const ACCEPTED: Authentication = { ok: true };
const rejected = (reason: RejectionReason): Authentication => ({ ok: false, reason });
const MISSING = rejected('credential-missing');
const MALFORMED = rejected('credential-malformed');
const REPEATED = rejected('credential-repeated');
const WRONG = rejected('credential-wrong');
const NO_SECRET = rejected('no-live-secret');
const NOT_SUPPORTED = rejected('method-not-supported');

/** What may carry the signed bytes: the body as it came, and, where it came compressed, what it inflates to. */
export interface Attempt {
  rawHeaders: RawHeaders;
  bodies: readonly Uint8Array[];
  /** Milliseconds since the epoch. */
  now: number;
}

/**
 * Whether a request shows the credential of its webhook (product P2). Every live secret is tried, so that both credentials of a
 * rotation work; secrets of equal length are compared in constant time. Pure: the caller supplies the clock.
 */
export function authenticate(rule: CredentialRule, attempt: Attempt): Authentication {
  switch (rule.method) {
    case 'none':
      return ACCEPTED;
    case 'bearer':
      return verifyBearer(rule, attempt);
    case 'hmac':
      return verifySignature(rule, attempt);
    case 'api_key':
    case 'basic':
    case 'query_token':
    case 'vendor':
      return NOT_SUPPORTED;
    default:
      return rule.method satisfies never;
  }
}

function verifyBearer(rule: CredentialRule, { rawHeaders, now }: Attempt): Authentication {
  const text = valueOf(rawHeaders, rule.headers[0] ?? '');
  if (text === undefined) return MISSING;
  if (text === null) return REPEATED;
  if (text.length <= rule.prefix.length || !startsWithWord(text, rule.prefix)) return MALFORMED;
  // Node decodes headers as latin1: this gives back the bytes that were sent.
  const shown = Buffer.from(text.slice(rule.prefix.length).trim(), 'latin1');
  return answer(rule.secrets, now, (secret) => same(shown, secret));
}

function verifySignature(rule: CredentialRule, { rawHeaders, bodies, now }: Attempt): Authentication {
  const shown: Uint8Array[] = [];
  let present = false;
  for (const header of rule.headers) {
    const text = valueOf(rawHeaders, header);
    if (text === undefined) continue;
    if (text === null) return REPEATED;
    present = true;
    const found = signaturesIn(text);
    if (found === null) return MALFORMED;
    shown.push(...found);
  }
  if (!present) return MISSING;
  return answer(rule.secrets, now, (secret) => bodies.some((body) => signs(secret, body, shown)));
}

function signs(secret: Uint8Array, body: Uint8Array, shown: readonly Uint8Array[]): boolean {
  const expected = createHmac('sha256', secret).update(body).digest();
  let found = false;
  for (const signature of shown) found = same(signature, expected) || found;
  return found;
}

function answer(secrets: readonly LiveSecret[], now: number, fits: (secret: Uint8Array) => boolean): Authentication {
  let live = 0;
  for (const secret of secrets) {
    if (secret.notAfter !== null && secret.notAfter <= now) continue;
    // An empty secret would make everybody's empty credential right.
    if (secret.bytes.length === 0) continue;
    live += 1;
    if (fits(secret.bytes)) return ACCEPTED;
  }
  return live === 0 ? NO_SECRET : WRONG;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

const startsWithWord = (text: string, word: string): boolean => text.slice(0, word.length).toLowerCase() === word;

/**
 * The one value of a header: undefined where it is absent, null where it came more than once. Read from the raw pairs, because
 * Node joins repeated headers into a list and keeps only the first `authorization`.
 */
function valueOf(rawHeaders: RawHeaders, name: string): string | null | undefined {
  let value: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const header = rawHeaders[at] as string;
    if (header.length !== name.length || header.toLowerCase() !== name) continue;
    if (value !== undefined) return null;
    value = rawHeaders[at + 1];
  }
  return value;
}
