import type { AuthMethod } from '@tocsin/contracts';

/** Why a credential was refused. Operators see it in the log; the sender sees one answer for all of them (product P2). */
export const rejectionReasons = [
  'credential-missing',
  'credential-malformed',
  'credential-repeated',
  'credential-wrong',
  'no-live-secret',
  'method-not-supported',
] as const;
export type RejectionReason = (typeof rejectionReasons)[number];

export type Authentication = { ok: true } | { ok: false; reason: RejectionReason };

/** A secret as bytes, opened and ready to compare; it counts until `notAfter` (milliseconds since the epoch, null = no end). */
export interface LiveSecret {
  bytes: Uint8Array;
  notAfter: number | null;
}

/** How one webhook authenticates its senders, with everything that does not depend on the request worked out before. */
export interface CredentialRule {
  method: AuthMethod;
  /** Lower-case names of the headers that may carry the credential. */
  headers: readonly string[];
  /** Text in front of a bearer credential, lower-case and with its space; '' where the header holds the bare secret. */
  prefix: string;
  secrets: readonly LiveSecret[];
}

/** Header names and values in turn, as they came over the wire (`IncomingMessage.rawHeaders`). */
export type RawHeaders = readonly string[];

/** Where the generic connector looks for a signature, and every connector that names no header of its own (product P2). */
const GENERIC_SIGNATURE_HEADERS = ['x-signature', 'x-webhook-signature'] as const;

interface AuthSettings {
  method: AuthMethod;
  header: string | null;
  prefix: string | null;
}

/**
 * What a webhook's `auth` settings ask of a request; `signatureHeaders` are those of its connector, lower-case. `none` with a secret is the preset "URL only, optional signature":
 * the signature is checked because a secret is set (product P2).
 */
export function credentialRuleOf(
  signatureHeaders: readonly string[] | undefined,
  auth: AuthSettings,
  secrets: readonly LiveSecret[],
): CredentialRule {
  const named = auth.header?.trim().toLowerCase();
  const method = auth.method === 'none' && secrets.length > 0 ? 'hmac' : auth.method;
  if (method === 'hmac') {
    const headers = named ? [named] : (signatureHeaders ?? GENERIC_SIGNATURE_HEADERS);
    return { method, headers, prefix: '', secrets };
  }
  const header = named || 'authorization';
  const word = auth.prefix?.trim() || (header === 'authorization' ? 'bearer' : '');
  return { method, headers: [header], prefix: word === '' ? '' : `${word.toLowerCase()} `, secrets };
}
