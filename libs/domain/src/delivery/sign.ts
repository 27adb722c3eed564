import { createHmac } from 'node:crypto';

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
  `sha256=${createHmac('sha256', Buffer.from(secret, 'utf8')).update(body).digest('hex')}`;

/** One `v1,…` of Standard Webhooks 1.0: HMAC-SHA-256 over `id.timestamp.body`. */
export const standardSignature = (secret: string, attempt: Omit<SignedAttempt, 'secrets'>): string =>
  `v1,${createHmac('sha256', standardKey(secret)).update(`${attempt.id}.${attempt.timestamp}.`).update(attempt.body).digest('base64')}`;

/**
 * Default signatures of product P12. A legacy header holds one value, so it is made with the current secret;
 * Standard Webhooks carries one signature per live secret, so a receiver may change over at any time. No secret: unsigned.
 */
export function signatureHeaders(attempt: SignedAttempt): Record<string, string> {
  const identity = { 'webhook-id': attempt.id, 'webhook-timestamp': String(attempt.timestamp) };
  const [current] = attempt.secrets;
  if (current === undefined) return identity;
  const legacy = legacySignature(current, attempt.body);
  return {
    ...identity,
    'webhook-signature': attempt.secrets.map((secret) => standardSignature(secret, attempt)).join(' '),
    'x-cloudthinker-signature': legacy,
    'x-webhook-signature': legacy,
  };
}
