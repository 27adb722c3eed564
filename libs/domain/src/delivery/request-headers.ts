import { signatureHeaders, type Signing } from './sign.ts';

/** Custom headers per subscription (product P12). */
export const MAX_CUSTOM_HEADERS = 20;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/;
// Visible ASCII, space and tab, and what Latin-1 has above: a line break would begin a header of the attacker's choice.
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]{0,4096}$/;

const refusedNames = new Set([
  'host',
  'content-length',
  'content-type',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'expect',
  'te',
  'trailer',
  'proxy-authorization',
  'proxy-connection',
  'x-cloudthinker-signature',
  'x-webhook-signature',
  'x-webhook-event',
]);
const refusedPrefixes = ['webhook-', 'x-tocsin-', 'ce-'];

export type HeaderRefusal = 'header-name' | 'header-value' | 'header-reserved' | 'header-repeated' | 'too-many-headers';

/** First thing that is wrong with a subscription's custom headers, or undefined. Both doors use it: at save and at send. */
export function checkCustomHeaders(
  headers: readonly { name: string; value: string }[],
): { reason: HeaderRefusal; name: string; message: string } | undefined {
  if (headers.length > MAX_CUSTOM_HEADERS) {
    return { reason: 'too-many-headers', name: '', message: `at most ${MAX_CUSTOM_HEADERS} custom headers` };
  }
  const seen = new Set<string>();
  for (const { name, value } of headers) {
    const lower = name.toLowerCase();
    if (!HEADER_NAME.test(name)) return { reason: 'header-name', name, message: 'not a valid header name' };
    if (!HEADER_VALUE.test(value))
      return { reason: 'header-value', name, message: 'the value has a character that a header cannot carry' };
    if (refusedNames.has(lower) || refusedPrefixes.some((prefix) => lower.startsWith(prefix))) {
      return { reason: 'header-reserved', name, message: 'this header is set by Tocsin' };
    }
    if (seen.has(lower)) return { reason: 'header-repeated', name, message: 'given twice' };
    seen.add(lower);
  }
  return undefined;
}

/** Everything that decides the headers of one attempt. */
export interface RequestFacts {
  eventId: string;
  eventType: string;
  deliveryId: string;
  attempt: number;
  /** Incident version; null for events that belong to no incident. */
  sequence: number | null;
  body: string;
  /** Seconds since the epoch. */
  timestamp: number;
  signing: Signing;
  /** Of the body's form. */
  contentType: string;
  contentHeaders: Readonly<Record<string, string>>;
  customHeaders: readonly { name: string; value: string }[];
  userAgent: string;
  /** Somebody asked for it to try the receiver: nothing has happened. */
  test?: boolean;
}

/** Headers of one attempt (product P12), lower-case names. A custom header never replaces one of ours, except User-Agent. */
export function requestHeaders(facts: RequestFacts): Record<string, string> {
  const custom = Object.fromEntries(facts.customHeaders.map(({ name, value }) => [name.toLowerCase(), value]));
  return {
    'user-agent': facts.userAgent,
    ...custom,
    ...facts.contentHeaders,
    'content-type': facts.contentType,
    'x-webhook-event': facts.eventType,
    'x-tocsin-delivery': facts.deliveryId,
    'x-tocsin-attempt': String(facts.attempt),
    ...(facts.test ? { 'x-tocsin-test': 'true' } : {}),
    ...(facts.sequence === null ? {} : { 'x-tocsin-sequence': String(facts.sequence) }),
    ...signatureHeaders({ id: facts.eventId, timestamp: facts.timestamp, body: facts.body }, facts.signing),
  };
}

const MASK = '***';
const secretResponseHeaders = new Set([
  'set-cookie',
  'authorization',
  'www-authenticate',
  'proxy-authenticate',
  'x-api-key',
]);

/** Request headers as the log keeps them: values of custom headers are sealed in the configuration and stay unseen here. */
export function maskRequestHeaders(
  headers: Record<string, string>,
  customNames: readonly string[],
): Record<string, string> {
  const custom = new Set(customNames.map((name) => name.toLowerCase()));
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, custom.has(name) ? MASK : value]));
}

/** Response headers as the log keeps them, at most 50 of at most 1,000 characters. */
export function maskResponseHeaders(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers)
      .slice(0, 50)
      .map(([name, value]) => [name, secretResponseHeaders.has(name.toLowerCase()) ? MASK : value.slice(0, 1000)]),
  );
}
