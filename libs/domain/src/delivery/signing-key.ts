import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';

/**
 * Keys of Standard Webhooks v1a (ed25519): the private one is `whsk_` and the base64 of its 32-byte seed, the public one, which
 * receivers get, `whpk_` and the base64 of its 32 bytes. Source: Standard Webhooks 1.0, "Asymmetric signatures".
 */
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
/** What stands before the raw bytes in PKCS #8 and SPKI (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_HEAD_BYTES = 12;

/** A private key from 32 random bytes. */
export const signingKeyFrom = (seed: Uint8Array): string => `${PRIVATE_PREFIX}${Buffer.from(seed).toString('base64')}`;

function privateKeyOf(signingKey: string): KeyObject {
  const seed = Buffer.from(signingKey.slice(PRIVATE_PREFIX.length), 'base64');
  if (!signingKey.startsWith(PRIVATE_PREFIX) || seed.length !== 32) throw new Error('not an ed25519 signing key');
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** The key with which a receiver verifies. @throws Error for a text that is no signing key */
export function publicKeyOf(signingKey: string): string {
  const spki = createPublicKey(privateKeyOf(signingKey)).export({ format: 'der', type: 'spki' });
  return `${PUBLIC_PREFIX}${spki.subarray(SPKI_HEAD_BYTES).toString('base64')}`;
}

/** One `v1a,…` signature. @throws Error for a text that is no signing key */
export const asymmetricSignature = (signingKey: string, text: string): string =>
  `v1a,${sign(null, Buffer.from(text, 'utf8'), privateKeyOf(signingKey)).toString('base64')}`;
