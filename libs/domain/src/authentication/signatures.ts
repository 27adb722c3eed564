const DIGEST_BYTES = 32;
const HEX_DIGITS = DIGEST_BYTES * 2;
/** Two secrets in rotation make two entries; more than this is not a sender of ours. */
const MAX_ENTRIES = 16;

/** One SHA-256 digest from hex in either case; null for any other length or digit. */
function digestOf(hex: string): Uint8Array | null {
  if (hex.length !== HEX_DIGITS) return null;
  // Buffer.from stops at the first wrong digit, so that a shorter result means a malformed text.
  const bytes = Buffer.from(hex, 'hex');
  return bytes.length === DIGEST_BYTES ? bytes : null;
}

/**
 * The digests that a signature header shows: bare hex, `sha256=` hex, or a comma list of `v1=` hex in which other versions
 * are passed over (product P2). Null where no well-formed digest is in it.
 */
export function signaturesIn(header: string): Uint8Array[] | null {
  const text = header.trim();
  if (text.startsWith('sha256=')) return only(digestOf(text.slice('sha256='.length)));
  if (!text.includes('=')) return only(digestOf(text));
  const entries = text.split(',', MAX_ENTRIES + 1);
  if (entries.length > MAX_ENTRIES) return null;
  const digests: Uint8Array[] = [];
  for (const entry of entries) {
    const trimmed = entry.trim();
    if (!trimmed.startsWith('v1=')) continue;
    const digest = digestOf(trimmed.slice('v1='.length));
    if (digest) digests.push(digest);
  }
  return digests.length > 0 ? digests : null;
}

const only = (digest: Uint8Array | null): Uint8Array[] | null => (digest ? [digest] : null);
