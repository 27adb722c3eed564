import type { AuthMethod } from '@tocsin/contracts';
import type { ConnectorAuth, KeyHeader, SignatureScheme, VendorScheme } from './schemes.ts';

/** Why a credential was refused. Operators see it in the log; the sender sees one answer for all of them (product P2). */
export const rejectionReasons = [
  'credential-missing',
  'credential-malformed',
  'credential-repeated',
  'credential-wrong',
  'credential-stale',
  'subject-not-allowed',
  'vendor-key-refused',
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

/** Where a bare secret is shown: a header and, lower-case and with its space, the word in front ('' = none). */
export interface Carrier {
  header: string;
  prefix: string;
}

/** What is looked at. `vendor` is verified by its owner, outside of this library; what is none of the vendor's goes to `otherwise`. */
export type SynchronousCheck =
  | { kind: 'open' }
  | { kind: 'refuse' }
  | { kind: 'header'; carriers: readonly Carrier[] }
  | { kind: 'basic'; header: string; username: Uint8Array | null }
  | { kind: 'query'; parameters: readonly string[] }
  | { kind: 'signature'; schemes: readonly SignatureScheme[]; timestampHeader: string | null };
export type Check = SynchronousCheck | { kind: 'vendor'; scheme: VendorScheme; otherwise: SynchronousCheck };

/** How one webhook authenticates its senders, with everything that does not depend on the request worked out before. */
export interface CredentialRule {
  method: AuthMethod;
  /** Lower-case names of the headers that may carry the credential: never stored. */
  headers: readonly string[];
  /** Names of the query parameters that may carry the credential: never stored. */
  parameters: readonly string[];
  check: Check;
  secrets: readonly LiveSecret[];
}

/** Header names and values in turn, as they came over the wire (`IncomingMessage.rawHeaders`). */
export type RawHeaders = readonly string[];

/** Where the generic connector looks for a signature, and every connector that names no header of its own (product P2). */
const GENERIC_SIGNATURE_HEADERS = ['x-signature', 'x-webhook-signature'] as const;
const KEY_HEADERS: readonly KeyHeader[] = [{ header: 'x-api-key' }, { header: 'api-key' }];
const QUERY_PARAMETERS = ['token', 'auth_token'] as const;
/** A connector that says nothing about itself. */
const NO_SCHEMES: ConnectorAuth = { default: 'bearer', also: [] };

export interface AuthSettings {
  method: AuthMethod;
  header: string | null;
  prefix: string | null;
  username: string | null;
  /** Header with the signed time (Grafana lets its users choose the name); where set, it must be there. */
  timestampHeader?: string | null;
}

/**
 * What a webhook's `auth` settings ask of a request. `none` with a secret is the preset "URL only, optional signature": the signature
 * is checked because a secret is set; and a signature of SNS is verified under `none` as well (product P2).
 * @param connector the `auth` data of the webhook's connector
 */
export function credentialRuleOf(
  connector: ConnectorAuth | undefined,
  auth: AuthSettings,
  secrets: readonly LiveSecret[],
): CredentialRule {
  const check = checkOf(connector ?? NO_SCHEMES, auth, secrets.length > 0);
  const parts = check.kind === 'vendor' ? [check, check.otherwise] : [check];
  return {
    method: auth.method === 'none' && check.kind === 'signature' ? 'hmac' : auth.method,
    headers: parts.flatMap(headersOf),
    parameters: parts.flatMap((part) => (part.kind === 'query' ? part.parameters : [])),
    check,
    secrets,
  };
}

function checkOf(connector: ConnectorAuth, auth: AuthSettings, hasSecret: boolean): Check {
  switch (auth.method) {
    case 'none':
      return openCheck(connector, auth, hasSecret);
    case 'bearer':
      return { kind: 'header', carriers: bearerCarriers(connector, auth) };
    case 'api_key':
      return keyCheck(connector, auth);
    case 'basic':
      return {
        kind: 'basic',
        header: named(auth) ?? 'authorization',
        username: auth.username === null ? null : Buffer.from(auth.username, 'utf8'),
      };
    case 'query_token':
      return { kind: 'query', parameters: connector.queryParameters ?? QUERY_PARAMETERS };
    case 'hmac':
      return signatureCheck(connector, auth);
    case 'vendor':
      return vendorCheck(connector, auth, hasSecret);
    default:
      return auth.method satisfies never;
  }
}

function openCheck(connector: ConnectorAuth, auth: AuthSettings, hasSecret: boolean): Check {
  const otherwise: SynchronousCheck = hasSecret ? signatureCheck(connector, auth) : { kind: 'open' };
  return connector.vendor?.kind === 'sns' ? { kind: 'vendor', scheme: connector.vendor, otherwise } : otherwise;
}

function vendorCheck(connector: ConnectorAuth, auth: AuthSettings, hasSecret: boolean): Check {
  const { vendor, signatures, signatureHeaders, secretHeaders } = connector;
  if (vendor) {
    const otherwise: SynchronousCheck =
      vendor.kind === 'sns' && hasSecret ? keyCheck(connector, auth) : { kind: 'refuse' };
    return { kind: 'vendor', scheme: vendor, otherwise };
  }
  if (signatures ?? signatureHeaders) return signatureCheck(connector, auth);
  // The secret is the same one: a proxy that can only set Authorization may show it there.
  if (secretHeaders)
    return { kind: 'header', carriers: [...bareCarriers(connector), carrierOf('authorization', 'bearer')] };
  return { kind: 'refuse' };
}

function signatureCheck(connector: ConnectorAuth, auth: AuthSettings): SynchronousCheck {
  const usual: SignatureScheme = { headers: connector.signatureHeaders ?? GENERIC_SIGNATURE_HEADERS };
  const schemes = connector.signatures ?? [usual];
  const header = named(auth);
  return {
    kind: 'signature',
    schemes: header === undefined ? schemes : schemes.map((scheme) => ({ ...scheme, headers: [header] })),
    timestampHeader: auth.timestampHeader?.trim().toLowerCase() || null,
  };
}

function bearerCarriers(connector: ConnectorAuth, auth: AuthSettings): Carrier[] {
  const header = named(auth);
  const first = carrierOf(
    header ?? 'authorization',
    auth.prefix?.trim() || (header && header !== 'authorization' ? '' : 'bearer'),
  );
  return header === undefined ? [first, ...bareCarriers(connector)] : [first];
}

function keyCheck(connector: ConnectorAuth, auth: AuthSettings): SynchronousCheck {
  const header = named(auth);
  const prefix = auth.prefix?.trim();
  if (header !== undefined)
    return { kind: 'header', carriers: [carrierOf(header, prefix ?? prefixFor(connector, header))] };
  // A word alone belongs into the header where words stand.
  if (prefix) return { kind: 'header', carriers: [carrierOf(connector.apiKey?.header ?? 'authorization', prefix)] };
  const keys = connector.apiKey ? [connector.apiKey, ...KEY_HEADERS] : KEY_HEADERS;
  const carriers = keys.map((key) => carrierOf(key.header, key.prefix ?? ''));
  const unlike = carriers.filter(
    (carrier, at) => carriers.findIndex((other) => other.header === carrier.header) === at,
  );
  return { kind: 'header', carriers: [...unlike, ...bareCarriers(connector)] };
}

const prefixFor = ({ apiKey }: ConnectorAuth, header: string): string =>
  apiKey?.header === header ? (apiKey.prefix ?? '') : '';
const bareCarriers = ({ secretHeaders = [] }: ConnectorAuth): Carrier[] =>
  secretHeaders.map((header) => ({ header, prefix: '' }));
const carrierOf = (header: string, word: string): Carrier => ({
  header,
  prefix: word === '' ? '' : `${word.toLowerCase()} `,
});
const named = ({ header }: AuthSettings): string | undefined => header?.trim().toLowerCase() || undefined;

function headersOf(check: Check): string[] {
  switch (check.kind) {
    case 'header':
      return check.carriers.map(({ header }) => header);
    case 'basic':
      return [check.header];
    case 'signature':
      return check.schemes.flatMap(({ headers }) => headers);
    case 'vendor':
      return check.scheme.kind === 'travis' ? ['signature'] : check.scheme.kind === 'jwt' ? ['authorization'] : [];
    default:
      return [];
  }
}
