import { createHmac, createSecretKey } from 'node:crypto';
import type { SignatureScheme } from '@tocsin/contracts';
import { asymmetricSignature } from './signing-key.ts';

/** What one attempt signs. `secrets` are the live ones as they were shown, the current one first; more than one during a rotation. */
export interface SignedAttempt {
  id: string;
  /** Seconds since the epoch, new for each attempt. */
  timestamp: number;
  body: string | Uint8Array;
  secrets: readonly string[];
}

const STANDARD_PREFIX = 'whsec_';

/** Key bytes of Standard Webhooks: the base64 after `whsec_`, else the UTF-8 bytes of the text (settled, Outbound). */
function standardKey(secret: string): Buffer {
  if (!secret.startsWith(STANDARD_PREFIX)) return Buffer.from(secret, 'utf8');
  const key = Buffer.from(secret.slice(STANDARD_PREFIX.length), 'base64');
  return key.length > 0 ? key : Buffer.from(secret, 'utf8');
}

/** `sha256=` and the hex HMAC of the body under the UTF-8 bytes of the secret as it was shown. */
export const legacySignature = (secret: string, body: string | Uint8Array): string =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;

/** One `v1,…` of Standard Webhooks 1.0: HMAC-SHA-256 over `id.timestamp.body`. */
export const standardSignature = (secret: string, attempt: Omit<SignedAttempt, 'secrets'>): string =>
  `v1,${createHmac('sha256', createSecretKey(standardKey(secret)))
    .update(`${attempt.id}.${attempt.timestamp}.`)
    .update(attempt.body)
    .digest('base64')}`;

/** Product P12: both legacy headers and Standard Webhooks. */
export const defaultSignatures: readonly SignatureScheme[] = ['x-cloudthinker', 'x-webhook', 'standard-v1'];

/** How one attempt is signed. `signingKeys` are ed25519 keys (`whsk_`) for `standard-v1a`, the current one first. */
export interface Signing {
  schemes: readonly SignatureScheme[];
  secrets: readonly string[];
  signingKeys: readonly string[];
}

/**
 * Signature headers of an attempt (product P12). A legacy header holds one value, so it is made with the current secret;
 * Standard Webhooks carries one signature per live secret and key, so a receiver may change over at any time. No secret: unsigned.
 */
export function signatureHeaders(
  attempt: Omit<SignedAttempt, 'secrets'>,
  { schemes, secrets, signingKeys }: Signing,
): Record<string, string> {
  const headers: Record<string, string> = {
    'webhook-id': attempt.id,
    'webhook-timestamp': String(attempt.timestamp),
  };
  const [current] = secrets;
  const standard = [
    ...(schemes.includes('standard-v1') ? secrets.map((secret) => standardSignature(secret, attempt)) : []),
    ...(schemes.includes('standard-v1a')
      ? signingKeys.map((key) => asymmetricSignature(key, `${attempt.id}.${attempt.timestamp}.${textOf(attempt.body)}`))
      : []),
  ];
  if (standard.length > 0) headers['webhook-signature'] = standard.join(' ');
  if (current === undefined) return headers;
  if (schemes.includes('x-cloudthinker')) headers['x-cloudthinker-signature'] = legacySignature(current, attempt.body);
  if (schemes.includes('x-webhook')) headers['x-webhook-signature'] = legacySignature(current, attempt.body);
  return headers;
}

const textOf = (body: string | Uint8Array): string => (typeof body === 'string' ? body : Buffer.from(body).toString());
