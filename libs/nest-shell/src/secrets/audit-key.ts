import { createPrivateKey, createPublicKey, hkdfSync, sign, type KeyObject } from 'node:crypto';

/** What stands before the seed of an ed25519 key in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The signing key of audit checkpoints that belongs to a key of the ring (HKDF-SHA-256, RFC 5869): nothing more to keep or rotate. */
export function auditKeyOf(ringKey: Buffer): KeyObject {
  const seed = Buffer.from(hkdfSync('sha256', ringKey, '', 'tocsin audit checkpoint ed25519', 32));
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
}

/** base64 of the ed25519 signature. */
export const signText = (key: KeyObject, text: string): string => sign(null, Buffer.from(text), key).toString('base64');

/** PEM, for whoever verifies without the key ring. */
export const publicPem = (key: KeyObject): string =>
  createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
