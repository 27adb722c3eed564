import { createHash, createHmac, createSecretKey, type Hmac } from 'node:crypto';
import type { DigestAlgorithm, SignatureScheme } from './schemes.ts';

const DIGEST_BYTES: Record<DigestAlgorithm, number> = { sha256: 32, sha1: 20 };
const SHA256: readonly DigestAlgorithm[] = ['sha256'];
/** Two secrets in rotation make two entries; more than this is not a sender of ours. */
const MAX_ENTRIES = 16;

export const algorithmsOf = (scheme: SignatureScheme): readonly DigestAlgorithm[] => scheme.algorithms ?? SHA256;

/** One digest from text; null for any other length or digit. */
function digestOf(text: string, encoding: 'hex' | 'base64', bytes: readonly number[]): Uint8Array | null {
  const decoded = Buffer.from(text, encoding);
  if (!bytes.includes(decoded.length)) return null;
  // Buffer.from stops at the first wrong digit and passes over others: only what encodes back to the same text was well-formed.
  return decoded.toString(encoding) === (encoding === 'hex' ? text.toLowerCase() : text) ? decoded : null;
}

/**
 * The digests that a signature header shows: bare, `sha256=`, or a comma list of `v1=` in which other entries are passed over
 * (product P2). Null where no well-formed digest is in it.
 */
export function signaturesIn(header: string, scheme: SignatureScheme = { headers: [] }): Uint8Array[] | null {
  const text = header.trim();
  const algorithms = algorithmsOf(scheme);
  const sizes = algorithms.map((algorithm) => DIGEST_BYTES[algorithm]);
  const encoding = scheme.encoding ?? 'hex';
  for (const algorithm of algorithms) {
    if (text.startsWith(`${algorithm}=`))
      return only(digestOf(text.slice(algorithm.length + 1), encoding, [DIGEST_BYTES[algorithm]]));
  }
  if (encoding === 'base64' || !text.includes('=')) return only(digestOf(text, encoding, sizes));
  const entries = text.split(',', MAX_ENTRIES + 1);
  if (entries.length > MAX_ENTRIES) return null;
  const digests: Uint8Array[] = [];
  for (const entry of entries) {
    const trimmed = entry.trim();
    const digest = trimmed.startsWith('v1=') ? digestOf(trimmed.slice('v1='.length), encoding, sizes) : null;
    if (digest) digests.push(digest);
  }
  return digests.length > 0 ? digests : null;
}

const only = (digest: Uint8Array | null): Uint8Array[] | null => (digest ? [digest] : null);

/** The `t=` entry of a signature header; undefined where there is none. */
export function timeIn(header: string): string | undefined {
  for (const entry of header.split(',', MAX_ENTRIES)) {
    const trimmed = entry.trim();
    if (trimmed.startsWith('t=')) return trimmed.slice('t='.length);
  }
  return undefined;
}

/** What a scheme signs, apart from the secret. `time` is set where the signature covers one. */
export interface Signed {
  body: Uint8Array;
  time: string | undefined;
  /** The address as the sender knows it; only `url-form` looks at it. */
  url: string;
}

/** The digest that the owner of the secret would have made. */
export function digestFor(
  scheme: SignatureScheme,
  algorithm: DigestAlgorithm,
  secret: Uint8Array,
  signed: Signed,
): Buffer {
  // A key object: given the bytes, Node takes five times as long (17 µs), a sixth of what a request costs the gateway.
  return feed(createHmac(algorithm, createSecretKey(secret)), scheme, signed).digest();
}

function feed(hmac: Hmac, scheme: SignatureScheme, { body, time, url }: Signed): Hmac {
  switch (scheme.signs ?? 'body') {
    case 'body':
      return time === undefined ? hmac.update(body) : hmac.update(`${time}:`).update(body);
    case 'digest-timestamp':
      return hmac.update(`${createHash('sha256').update(body).digest('base64')}:${time ?? ''}:v1`);
    case 'url-form':
      return hmac.update(`${url}${sortedPairs(body)}`);
  }
}

function sortedPairs(body: Uint8Array): string {
  const pairs = [...new URLSearchParams(Buffer.from(body).toString('utf8'))];
  return pairs
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, value]) => key + value)
    .join('');
}
