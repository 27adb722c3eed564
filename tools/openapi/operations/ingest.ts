import type { Description, Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer } from './answers.ts';

const sender: Pick<Description, 'tag' | 'security' | 'answers' | 'problems' | 'headers'> = {
  tag: 'Ingest',
  security: [{ webhookBearer: [] }, { webhookBasic: [] }, {}],
  headers: {
    prefer: {
      description:
        '`wait=N` waits up to N seconds for the outcome; `respond-async` does not wait. Default: as the webhook says.',
      example: 'wait=10',
    },
    'idempotency-key': { description: 'A repeat with the same key and body is the same receipt.' },
  },
  problems: [
    'malformed-body',
    'malformed-request',
    'authentication-failed',
    'unknown-webhook',
    'body-too-large',
    'unsupported-media-type',
    'unrecognised-payload',
    'rate-limited',
    'locked-out',
  ],
  answers: {
    200: answer('TriggerOutcome', 'The sender waited: what became of each alert.'),
    202: answer('TriggerAccepted', 'Durable; the outcome is at `status_url`.'),
  },
};

const payload = {
  title: 'Checkout is slow',
  description: 'p99 over 2 s for five minutes',
  severity: 'high',
  service: 'checkout',
  dedup_key: 'checkout-latency',
};

const bodies = {
  trigger: { summary: 'Something is wrong', value: payload },
  repeat: { summary: 'It still is: counted, no second incident', value: payload },
  resolve: { summary: 'It is over', value: { ...payload, status: 'resolved' } },
};

/** What a platform sends is the platform's own affair; for the generic connector it is an object or a list of them. */
const rawBody = { types: { 'application/json': {} }, required: true };

const event = {
  routing_key: ids.eventsToken,
  event_action: 'trigger',
  dedup_key: 'checkout-latency',
  payload: { summary: 'Checkout is slow', source: 'checkout-1', severity: 'error', component: 'checkout' },
};

const refusedEvent = (description: string) => answer('EventRefused', description);

export const ingest: Descriptions = {
  'POST /v2/enqueue': {
    ...sender,
    summary: "PagerDuty's Events API v2",
    description:
      'For senders that only know PagerDuty: the routing key is the token of a webhook with the connector `pagerduty`.',
    rawBody,
    bodies: {
      trigger: { summary: 'Trigger', value: event },
      acknowledge: { summary: 'Acknowledge', value: { ...event, event_action: 'acknowledge', payload: undefined } },
      resolve: { summary: 'Resolve', value: { ...event, event_action: 'resolve', payload: undefined } },
    },
    problems: [],
    never: ['unavailable'],
    answers: {
      202: answer('EventAccepted', 'Durable.'),
      400: refusedEvent('The event is not one that PagerDuty describes, or its routing key is unknown.'),
      401: refusedEvent('The credential of the webhook is missing or wrong.'),
      413: refusedEvent('The body is too large.'),
      415: refusedEvent('The body is not JSON.'),
      429: refusedEvent('Too many events, or too many failed authentications.'),
      503: refusedEvent('It could not be stored now.'),
    },
  },
  'POST /prometheus/{token}/api/v2/alerts': {
    ...sender,
    summary: 'Alertmanager API v2, for a Prometheus',
    description: 'With `path_prefix: /prometheus/{token}` a Prometheus sends its alerts straight here.',
    path: { token: ids.alertmanagerToken },
    rawBody,
    bodies: {
      firing: {
        summary: 'A rule fires',
        value: [
          {
            labels: { alertname: 'HighLatency', severity: 'critical', service: 'checkout' },
            annotations: { summary: 'p99 over 2 s' },
            startsAt: '2026-11-21T10:00:00.000Z',
            generatorURL: 'http://prometheus.example/graph',
          },
        ],
      },
    },
    problems: [...(sender.problems ?? []), 'platform-mismatch'],
    answers: { 200: answer('TriggerAccepted', 'Durable.') },
  },
  'POST /webhook/{token}/trigger': {
    ...sender,
    summary: 'Send alerts of any platform',
    description: 'The token names the webhook; it is no credential unless the webhook asks for none.',
    path: { token: ids.webhookToken },
    rawBody,
    bodies,
    problems: [...(sender.problems ?? [])],
  },
  'GET /webhook/{token}/trigger': {
    ...sender,
    summary: 'Send an alert in the query string',
    description: 'For platforms that can send nothing else (UptimeRobot, Uptime Kuma); others are told 405.',
    path: { token: ids.queryToken },
    moreQuery: {
      monitorFriendlyName: { description: 'UptimeRobot: the monitor.', schema: { type: 'string' } },
      alertType: { description: 'UptimeRobot: 1 down, 2 up.', schema: { type: 'string' } },
    },
    query: { monitorFriendlyName: 'Shop', alertType: '1' },
    problems: [...(sender.problems ?? []), 'method-not-allowed'],
  },
  'POST /api/integrations/{platform}': {
    ...sender,
    summary: 'Send alerts to an address that names the platform',
    path: { platform: 'webhook' },
    moreQuery: {
      integrationId: { description: 'Id of the webhook.', schema: { type: 'string' }, required: true },
    },
    query: { integrationId: ids.webhook },
    rawBody,
    bodies: { trigger: bodies.trigger },
    problems: [...(sender.problems ?? []), 'unknown-platform', 'platform-mismatch'],
  },
};
