import { timingSafeEqual } from 'node:crypto';
import type {
  Authentication,
  Carrier,
  Check,
  CredentialRule,
  LiveSecret,
  RawHeaders,
  RejectionReason,
} from './credentials.ts';
import { valueOf } from './raw-headers.ts';
import type { SignatureScheme } from './schemes.ts';
import { algorithmsOf, digestFor, signaturesIn, timeIn } from './signatures.ts';

const ACCEPTED: Authentication = { ok: true };
/** One object per reason: a refusal is made for every guess. */
const rejected = (reason: RejectionReason): Authentication => ({ ok: false, reason });
const MISSING = rejected('credential-missing');
const MALFORMED = rejected('credential-malformed');
const REPEATED = rejected('credential-repeated');
const WRONG = rejected('credential-wrong');
const STALE = rejected('credential-stale');
const NO_SECRET = rejected('no-live-secret');
const NOT_SUPPORTED = rejected('method-not-supported');

const TOLERANCE_SECONDS = 300;
const NO_URLS: readonly string[] = [];

/** What may carry the signed bytes: the body as it came, and, where it came compressed, what it inflates to. */
export interface Attempt {
  rawHeaders: RawHeaders;
  bodies: readonly Uint8Array[];
  /** Milliseconds since the epoch. */
  now: number;
  /** Request target with its query string, for credentials in the query. */
  target?: string;
  /** Addresses under which the sender may know this webhook, for signatures that cover the address. */
  urls?: () => readonly string[];
}

/**
 * Whether a request shows the credential of its webhook (product P2). Every live secret is tried, so that both credentials of a
 * rotation work; secrets of equal length are compared in constant time. Pure: the caller supplies the clock. A vendor's scheme is
 * refused here: its owner verifies it, and asks for `otherwise` where it is none of the vendor's.
 */
export const authenticate = (rule: CredentialRule, attempt: Attempt): Authentication =>
  check(rule.check, rule.secrets, attempt);

/** The same for one check; `authenticate` and the verifiers of vendors use it. */
export function check(what: Check, secrets: readonly LiveSecret[], attempt: Attempt): Authentication {
  switch (what.kind) {
    case 'open':
      return ACCEPTED;
    case 'header':
      return verifyHeader(what.carriers, secrets, attempt);
    case 'signature':
      return verifySignature(what, secrets, attempt);
    case 'basic':
      return verifyBasic(what, secrets, attempt);
    case 'query':
      return verifyQuery(what.parameters, secrets, attempt);
    case 'refuse':
    case 'vendor':
      return NOT_SUPPORTED;
    default:
      return what satisfies never;
  }
}

/** The first header that is there counts, unless it holds the credential of something else (another word in front). */
function verifyHeader(
  carriers: readonly Carrier[],
  secrets: readonly LiveSecret[],
  { rawHeaders, now }: Attempt,
): Authentication {
  let refusal = MISSING;
  for (const { header, prefix } of carriers) {
    const text = valueOf(rawHeaders, header);
    if (text === undefined) continue;
    if (text === null) return REPEATED;
    if (text.length <= prefix.length || !startsWithWord(text, prefix)) {
      refusal = MALFORMED;
      continue;
    }
    // Node decodes headers as latin1: this gives back the bytes that were sent.
    const shown = Buffer.from(text.slice(prefix.length).trim(), 'latin1');
    return answer(secrets, now, (secret) => same(shown, secret));
  }
  return refusal;
}

function verifyBasic(
  { header, username }: Extract<Check, { kind: 'basic' }>,
  secrets: readonly LiveSecret[],
  { rawHeaders, now }: Attempt,
): Authentication {
  const text = valueOf(rawHeaders, header);
  if (text === undefined) return MISSING;
  if (text === null) return REPEATED;
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(text.trim())?.[1] ?? '';
  const pair = Buffer.from(encoded, 'base64');
  const colon = pair.indexOf(0x3a);
  // Buffer.from passes over what does not fit: only what encodes back to the same text was well-formed.
  if (colon < 0 || pair.toString('base64') !== encoded) return MALFORMED;
  // Both halves are compared always, so that the time says nothing about which one was wrong.
  const fits = answer(secrets, now, (secret) => same(pair.subarray(colon + 1), secret));
  const known = username === null || same(pair.subarray(0, colon), username);
  return known || !fits.ok ? fits : WRONG;
}

function verifyQuery(
  parameters: readonly string[],
  secrets: readonly LiveSecret[],
  { target = '', now }: Attempt,
): Authentication {
  const at = target.indexOf('?');
  const query = new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
  const shown = parameters.flatMap((name) => query.getAll(name));
  if (shown.length === 0) return MISSING;
  if (shown.length > 1) return REPEATED;
  const bytes = Buffer.from(shown[0] ?? '', 'utf8');
  return bytes.length === 0 ? MALFORMED : answer(secrets, now, (secret) => same(bytes, secret));
}

function verifySignature(
  { schemes, timestampHeader }: Extract<Check, { kind: 'signature' }>,
  secrets: readonly LiveSecret[],
  attempt: Attempt,
): Authentication {
  for (const scheme of schemes) {
    for (const header of scheme.headers) {
      const text = valueOf(attempt.rawHeaders, header);
      if (text === undefined) continue;
      if (text === null) return REPEATED;
      const digests = signaturesIn(text, scheme);
      if (digests === null) return MALFORMED;
      const time = signedTime(scheme, text, timestampHeader, attempt);
      if (time !== undefined && typeof time !== 'string') return time;
      const shown = { digests, time };
      return answer(secrets, attempt.now, (secret) =>
        attempt.bodies.some((body) => signs(scheme, secret, { body, shown, attempt })),
      );
    }
  }
  return MISSING;
}

/** The time that the signature covers, undefined where it covers none, or why it is refused. */
function signedTime(
  scheme: SignatureScheme,
  text: string,
  required: string | null,
  { rawHeaders, now }: Attempt,
): string | undefined | Authentication {
  const inHeader = required ?? scheme.timestampHeader;
  const time =
    scheme.signs === 'digest-timestamp'
      ? (timeIn(text) ?? '')
      : inHeader === undefined
        ? undefined
        : valueOf(rawHeaders, inHeader);
  if (time === null) return REPEATED;
  if (time === undefined) return required === null ? undefined : MISSING;
  if (!/^\d{1,12}$/.test(time)) return MALFORMED;
  const away = Math.abs(now / 1_000 - Number(time));
  return away <= (scheme.toleranceSeconds ?? TOLERANCE_SECONDS) ? time : STALE;
}

interface Look {
  body: Uint8Array;
  shown: { digests: readonly Uint8Array[]; time: string | undefined };
  attempt: Attempt;
}

function signs(scheme: SignatureScheme, secret: Uint8Array, { body, shown, attempt }: Look): boolean {
  const urls = scheme.signs === 'url-form' ? (attempt.urls?.() ?? NO_URLS) : undefined;
  let found = false;
  for (const algorithm of algorithmsOf(scheme)) {
    for (const url of urls ?? ['']) {
      const expected = digestFor(scheme, algorithm, secret, { body, time: shown.time, url });
      for (const signature of shown.digests) found = same(signature, expected) || found;
    }
  }
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
