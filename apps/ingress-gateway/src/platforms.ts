/** Address slug → connector (product P3). Every connector id is a slug too. */
const CONNECTOR_OF_SLUG: ReadonlyMap<string, string> = new Map([
  ['webhook', 'generic'],
  ['generic', 'generic'],
  ['prometheus', 'prometheus'],
  ['pagerduty', 'pagerduty'],
]);

/** The connector that `/api/integrations/{slug}` stands for; undefined for a platform that Tocsin does not know. */
export const connectorOfSlug = (slug: string): string | undefined => CONNECTOR_OF_SLUG.get(slug.toLowerCase());

export const slugs = [...CONNECTOR_OF_SLUG.keys()];

const ALERTS = Buffer.from('alerts');
const NOTHING = Buffer.alloc(0);

/** Key of the root object under which a connector lists its alerts; empty where only a root array is a list. */
export const listKeyOf = (connector: string): Uint8Array => (connector === 'prometheus' ? ALERTS : NOTHING);

const STANDARD_DELIVERY_HEADERS = ['idempotency-key', 'webhook-id'] as const;

/**
 * Headers that make a resend the same receipt, strongest first (http-api, Ingest). PagerDuty's `X-Webhook-Id` names the
 * delivery and stays the same over its retries.
 */
export const deliveryHeadersOf = (connector: string): readonly string[] =>
  connector === 'pagerduty' ? [...STANDARD_DELIVERY_HEADERS, 'x-webhook-id'] : STANDARD_DELIVERY_HEADERS;
