import { createHmac, timingSafeEqual } from 'node:crypto';

/** What the sink found out about one signature header; null = not sent. */
export interface SignatureVerdicts {
  'x-cloudthinker-signature': boolean | null;
  'x-webhook-signature': boolean | null;
  'webhook-signature': boolean | null;
}

type Headers = Record<string, string | string[] | undefined>;

const equal = (a: string, b: string) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
const header = (headers: Headers, name: string) => {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** The legacy headers: `sha256=` and the hex HMAC of the body, keyed with the UTF-8 bytes of the secret as it was shown. */
function legacy(headers: Headers, name: string, secret: string, body: Buffer): boolean | null {
  const given = header(headers, name);
  if (given === undefined) return null;
  return equal(given, `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
}

/** Standard Webhooks 1.0: HMAC over `id.timestamp.body`; the key is the base64 after `whsec_`, else the UTF-8 bytes. */
function standard(headers: Headers, secret: string, body: Buffer): boolean | null {
  const given = header(headers, 'webhook-signature');
  if (given === undefined) return null;
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret, 'utf8');
  const signed = `${header(headers, 'webhook-id') ?? ''}.${header(headers, 'webhook-timestamp') ?? ''}.`;
  const expected = `v1,${createHmac('sha256', key).update(signed).update(body).digest('base64')}`;
  return given.split(' ').some((one) => equal(one, expected));
}

/** Checks every signature header of a request, the way a receiver would. */
export const verifySignatures = (headers: Headers, secret: string, body: Buffer): SignatureVerdicts => ({
  'x-cloudthinker-signature': legacy(headers, 'x-cloudthinker-signature', secret, body),
  'x-webhook-signature': legacy(headers, 'x-webhook-signature', secret, body),
  'webhook-signature': standard(headers, secret, body),
});
