import { isObject, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The three parts of an escalation webhook, which is a form and has no state. */
const isEscalation = (element: unknown): boolean =>
  valueAt(element, 'message_type') === undefined && valueAt(element, 'Incident') !== undefined;
const typeOf = ({ element }: Reading): string => {
  const type = valueAt(element, 'message_type');
  return typeof type === 'string' ? type.trim().toUpperCase() : '';
};
const KNOWN = ['CRITICAL', 'WARNING', 'ACKNOWLEDGEMENT', 'RECOVERY', 'OK'];

/** The REST alert format that many tools can send, the outbound webhook with the README's template, and the escalation webhook. */
export const source = {
  id: 'splunk-oncall',
  title: 'Splunk On-Call',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['basic', 'api_key', 'query_token', 'vendor', 'none'],
    signatures: [{ headers: ['x-victorops-signature'], algorithms: ['sha1'], encoding: 'base64', signs: 'url-form' }],
    signatureHeaders: ['x-victorops-signature'],
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'form'],
  recognises: (root) => valueAt(root, 'message_type') !== undefined || isEscalation(root),
  split: (root) => [root],
  recognisesElement: () => true,
  // INFO, and a word that Splunk On-Call does not know, is a line on the timeline there and opens no incident.
  ignore: [
    {
      when: (reading) => !isEscalation(reading.element) && !KNOWN.includes(typeOf(reading)),
      reason: 'not-an-alert-state',
    },
  ],
  fields: {
    title: ['$.entity_display_name', '$.Summary', '$.entity_id', '$.state_message'],
    description: ['$.state_message', '$.Message'],
    services: ['$.service', '$.hostname', '$.host_name'],
    tags: [
      ({ element }) =>
        ['routing_key', 'monitoring_tool'].flatMap((key) => {
          const text = valueAt(element, key);
          return typeof text === 'string' && text !== '' ? [`${key}:${text}`] : [];
        }),
    ],
    source: ['$.monitoring_tool'],
    url: ['$.alert_url', '$.incident_url'],
    dedupKey: ['$.entity_id', '$.Incident'],
    firingKey: [],
    incidentType: [],
  },
  // `state_start_time` is when the state began: on a repeat it is older than what a person has done since.
  occurredAt: { from: ['$.timestamp', '$.state_start_time'], orders: true },
  status: {
    from: ['$.message_type'],
    map: {
      critical: 'triggered',
      warning: 'triggered',
      acknowledgement: 'acknowledged',
      recovery: 'resolved',
      ok: 'resolved',
    },
    absent: 'triggered',
  },
  severity: {
    from: [
      ({ element }) => valueAt(element, 'severity'),
      (reading) => (isEscalation(reading.element) ? 'medium' : typeOf(reading)),
    ],
    map: { acknowledgement: 'medium', recovery: 'info', ok: 'info' },
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
