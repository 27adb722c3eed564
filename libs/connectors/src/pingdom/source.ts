import { isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const taggedServices = ({ element }: Reading): string[] =>
  listOf(valueAt(element, 'tags')).flatMap((tag) => (tag.startsWith('service:') ? [tag.slice('service:'.length)] : []));

/** Only a whole address: `url` is the path on the host. */
function pageOf({ element }: Reading): string | undefined {
  const { full_url: full, url } = { ...(valueAt(element, 'check_params') as object | undefined) } as Record<
    string,
    unknown
  >;
  return [full, url].map(textOf).find((text) => text !== undefined && /^https?:\/\//.test(text));
}

/** The webhook integration: uptime checks (UP, DOWN) and transaction checks (SUCCESS, FAILING). */
export const source = {
  id: 'pingdom',
  title: 'Pingdom',
  category: 'uptime',
  kind: 'alert',
  slugs: [],
  auth: { default: 'query_token', also: ['none', 'bearer', 'hmac', 'api_key', 'basic'] }, // it can neither sign nor set a header
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) && ['check_id', 'check_name'].some((key) => textOf(valueAt(root, key)) !== undefined),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: ['$.check_name'],
    description: ['$.long_description', '$.description', '$.custom_message'],
    services: [taggedServices, '$.check_params.hostname'],
    tags: ['$.tags'],
    source: ['$.first_probe.location'],
    url: [pageOf],
    dedupKey: ['$.check_id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.state_changed_timestamp', '$.state_changed_utc_time'], orders: true },
  status: { from: ['$.current_state'], absent: 'triggered' },
  severity: {
    from: ['$.importance_level', () => 'critical'],
    map: { high: 'critical', low: 'medium' },
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
  redact: ['$.check_params.header', '$.check_params.request_headers'], // headers that the check sends may hold credentials
} as const satisfies SourceConnector;
