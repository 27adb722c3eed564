import { connectorBySlug, connectorOf, connectors } from '@tocsin/connectors';
import type { ConnectorAuth } from '@tocsin/domain/authentication';
import type { BodyKinds } from './body.ts';

/** The connector that `/api/integrations/{slug}` stands for (product P3); undefined for a platform that Tocsin does not know. */
export const connectorIdOfSlug = (slug: string): string | undefined => connectorBySlug(slug.toLowerCase())?.source.id;

export const knownSlugs = (): string[] => connectors.flatMap(({ source }) => [source.id, ...source.slugs]);

const ALERTS = Buffer.from('alerts');
const NOTHING = Buffer.alloc(0);
const LISTING: ReadonlySet<string> = new Set(['prometheus', 'grafana']);

/** Key of the root object under which a connector lists its alerts; empty where only a root array is a list. */
export const listKeyOf = (connector: string): Uint8Array => (LISTING.has(connector) ? ALERTS : NOTHING);

/** How a connector's senders can prove who they are; undefined for a connector that this version does not have. */
export const connectorAuthOf = (connector: string): ConnectorAuth | undefined => connectorOf(connector)?.source.auth;

const STANDARD_DELIVERY_HEADERS = ['idempotency-key', 'webhook-id'] as const;

/** Headers that make a resend the same receipt, strongest first: the standard ones, then the vendor's (http-api, Ingest). */
export const deliveryHeadersOf = (connector: string): readonly string[] => [
  ...STANDARD_DELIVERY_HEADERS,
  ...(connectorOf(connector)?.source.deliveryIdHeaders ?? []),
];

const JSON_ONLY: BodyKinds = { forms: false, query: false, looseJson: false };

/** What a connector's senders send, from its declared decodings. */
export function bodyKindsOf(connector: string): BodyKinds {
  const decodings = connectorOf(connector)?.source.decode;
  if (!decodings) return JSON_ONLY;
  return {
    forms: decodings.some((decoding) => decoding === 'form' || typeof decoding === 'object'),
    query: decodings.includes('query'),
    looseJson: decodings.includes('json-sequence') || decodings.includes('repaired-json'),
  };
}

/** Whether the platform sends again after a 429; where not, 503 is the answer over a limit (payload facts 0.3). */
export const retriesOn429 = (connector: string): boolean => connectorOf(connector)?.source.retries.on429 ?? true;
