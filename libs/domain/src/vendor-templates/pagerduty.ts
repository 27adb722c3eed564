import { deriveId, type EventTypeName } from '@tocsin/contracts';
import { textOf } from '../template/text-of.ts';
import { entryOf, messageOf, oneLine, within } from './message.ts';
import { recordKey } from './tickets.ts';
import { SECRET_MASK, text, type TemplateEvent, textIn, type VendorTemplate } from './vendor-template.ts';

/** What each event does to the alert in PagerDuty. Others would open it again, or say nothing there. */
const actions: Readonly<Partial<Record<EventTypeName, 'trigger' | 'acknowledge' | 'resolve'>>> = {
  'incident.created': 'trigger',
  'incident.reopened': 'trigger',
  'incident.acknowledged': 'acknowledge',
  'incident.suppressed': 'resolve',
  'incident.resolved': 'resolve',
  'finding.created': 'trigger',
  'finding.resolved': 'resolve',
};
const severities: Readonly<Record<string, string>> = {
  critical: 'critical',
  high: 'error',
  medium: 'warning',
  low: 'info',
  info: 'info',
};
const hosts: Readonly<Record<string, string>> = { us: 'events.pagerduty.com', eu: 'events.eu.pagerduty.com' };
const DEDUP_KEY_MAX = 255;

/** Trigger and resolve carry the same key: the incident's id, or what a finding calls itself. */
export function dedupKeyOf({
  type,
  workspace_id: workspace,
  data,
}: Pick<TemplateEvent, 'type' | 'workspace_id' | 'data'>): string {
  const id = textOf(data['id']);
  const key = type.startsWith('incident.') ? id : `${type.split('.')[0]}:${workspace}:${id}`;
  return key.length <= DEDUP_KEY_MAX ? key : deriveId('key', key);
}

/** Events API v2: one alert per incident. */
export const pagerduty: VendorTemplate = {
  name: 'pagerduty',
  title: 'PagerDuty',
  description: 'Triggers, acknowledges and resolves an alert of a service, by the Events API v2.',
  documentation: 'https://developer.pagerduty.com/docs/send-alert-event',
  platforms: ['pagerduty'],
  parameters: [
    text('routing_key', 'The integration key of an Events API v2 integration.', {
      secret: true,
      pattern: { test: /^[A-Za-z0-9]{20,64}$/, says: 'must be an integration key: 32 letters and digits' },
      example: 'R0000000000000000000000000000000',
    }),
    text('region', 'Where the account is.', {
      required: false,
      values: ['us', 'eu'],
      default: 'us',
      example: 'us',
    }),
    text('url', 'Another receiver of the Events API v2.', {
      type: 'url',
      required: false,
      example: 'https://pd.example/v2/enqueue',
    }),
  ],
  defaultEvents: [
    'incident.created',
    'incident.acknowledged',
    'incident.resolved',
    'incident.reopened',
    'incident.suppressed',
  ],
  supportedEvents: Object.keys(actions) as EventTypeName[],
  body: (event) => {
    const action = actions[event.type as EventTypeName] ?? 'trigger';
    const common = { routing_key: SECRET_MASK, event_action: action, dedup_key: dedupKeyOf(event) };
    return action === 'trigger' ? { ...common, ...triggerOf(event) } : common;
  },
  target: (parameters) => ({
    url: textIn(parameters, 'url') || `https://${entryOf(hosts, parameters['region']) ?? hosts['us']}/v2/enqueue`,
    headers: {},
  }),
  secretFields: { routing_key: 'routing_key' },
  // The alert of a finding is no record of an incident: only what was opened for one is linked.
  linkOf: ({ sent, answered }) => {
    const key = sent?.['event_action'] === 'trigger' ? recordKey(answered?.['dedup_key']) : undefined;
    return key === undefined ? undefined : { id: key, url: null };
  },
};

function triggerOf(event: TemplateEvent) {
  const { data } = event;
  const { link } = messageOf(event);
  const [service] = Array.isArray(data['services']) ? (data['services'] as unknown[]) : [];
  const component = oneLine(textOf(service ?? data['resource']));
  const kind = oneLine(textOf(data['incident_type']));
  return {
    payload: {
      summary: within(oneLine(textOf(data['title'])) || 'Untitled', 1_024),
      source: within(oneLine(textOf(data['source'])) || component || 'tocsin', 500),
      severity: entryOf(severities, data['severity']) ?? 'warning',
      timestamp: event.timestamp,
      ...(component === '' ? {} : { component: within(component, 500) }),
      ...(kind === '' ? {} : { class: within(kind, 500) }),
      custom_details: detailsOf(data),
    },
    client: 'Tocsin',
    ...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'Open in Tocsin' }] }),
  };
}

/** Short fields as they are; long ones would make the request larger than the vendor takes (512 KB). */
function detailsOf(data: TemplateEvent['data']): Record<string, unknown> {
  const names = ['number', 'description', 'services', 'tags', 'custom_fields', 'urgency', 'source_url', 'details'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = data[name];
      const written = JSON.stringify(value ?? null);
      if (value === undefined || value === null || written.length <= 2) return [];
      return [[name, written.length > 20_000 ? within(textOf(value), 10_000) : value]];
    }),
  );
}
