/** Never stored, whatever else says yes: credentials by name or by what the name says (product P2). */
const SECRET =
  /auth|cookie|token|secret|signature|password|passwd|credential|api[-_]?key|access[-_]?key|session|hmac|digest|jwt/;

/** What the connectors and the delivery log have a use for; everything else is left out. */
const WANTED = new Set([
  'user-agent',
  'idempotency-key',
  'webhook-id',
  'webhook-timestamp',
  'x-request-id',
  'x-correlation-id',
  'from',
]);
/** Vendor facts such as `X-GitHub-Event`, `X-GitHub-Delivery`, `X-Webhook-Subscription`, `Sentry-Hook-Resource`, `X-Amz-Sns-Topic-Arn`. */
const VENDOR_FACT =
  /(^|-)(event|events|delivery|resource|topic|topic-arn|message-type|message-id|webhook-id|subscription|subscription-arn|hook|hook-id|request-uuid|event-uuid|identifier|attempt-number|retry-count|timestamp|version)$/;

const MAX_HEADERS = 32;
const MAX_VALUE_CHARACTERS = 1_024;
const MAX_KNOWN_NAMES = 1_000;

/** Whether a header (lower-case name) may be stored with the receipt. */
export const isKept = (name: string): boolean => !SECRET.test(name) && (WANTED.has(name) || VENDOR_FACT.test(name));

const verdicts = new Map<string, string | null>();

/** The lower-case name of a header that is kept, else null. Senders use few names, so each is judged once. */
function keptName(name: string): string | null {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  const verdict = isKept(lower) ? lower : null;
  if (verdicts.size >= MAX_KNOWN_NAMES) verdicts.clear();
  verdicts.set(name, verdict);
  return verdict;
}

/**
 * The headers that go with a receipt: an allow rule, so that a credential under a name that nobody foresaw stays out.
 * @param rawHeaders names and values in turn
 * @param credentialHeaders lower-case names that carry this webhook's credential
 */
export function keptHeaders(
  rawHeaders: readonly string[],
  credentialHeaders: readonly string[],
): Record<string, string> {
  const kept: Record<string, string> = {};
  let count = 0;
  for (let at = 0; at < rawHeaders.length && count < MAX_HEADERS; at += 2) {
    const name = keptName(rawHeaders[at] as string);
    if (name === null || credentialHeaders.includes(name)) continue;
    const value = rawHeaders[at + 1] as string;
    kept[name] = value.length > MAX_VALUE_CHARACTERS ? value.slice(0, MAX_VALUE_CHARACTERS) : value;
    count += 1;
  }
  return kept;
}

/**
 * The query string of a request target without parameters whose name speaks of a credential.
 * @param credentials names of the parameters that carry this webhook's credential
 */
export function keptQuery(target: string, credentials: readonly string[] = []): string {
  const at = target.indexOf('?');
  if (at < 0) return '';
  const parameters = new URLSearchParams(target.slice(at + 1));
  for (const name of [...parameters.keys()])
    if (SECRET.test(name.toLowerCase()) || /^(key|sig|pass)$/i.test(name) || credentials.includes(name))
      parameters.delete(name);
  return parameters.toString();
}
