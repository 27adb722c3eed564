import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const subscription = { tag: 'Subscriptions', path: { id: ids.subscription } } as const;
const one = { tag: 'Subscriptions', path: { id: ids.subscription, delivery: ids.delivery } } as const;

export const subscriptions: Descriptions = {
  'GET /api/v1/subscriptions': {
    tag: 'Subscriptions',
    summary: 'List subscriptions',
    query: { limit: 20 },
    answers: { 200: answer('SubscriptionPage', 'Subscriptions of the workspace, without secrets.') },
  },
  'POST /api/v1/subscriptions': {
    tag: 'Subscriptions',
    summary: 'Make a subscription',
    description: 'Receivers in private networks are refused unless OUTBOUND_ALLOW names them.',
    bodies: {
      signed: {
        summary: 'Signed deliveries of two events',
        value: {
          name: 'Status page',
          url: 'https://status.example.com/hooks/tocsin',
          events: ['incident.created', 'incident.resolved'],
          secret: 'generate',
        },
      },
      filtered: {
        summary: 'Only what is critical, kept while it is paused',
        value: {
          url: 'https://pager.example.com/hooks/tocsin',
          events: ['incident.*'],
          filter: { field: 'data.severity', operator: 'in', value: ['critical', 'high'] },
          retain_while_paused: true,
          max_per_second: 20,
        },
      },
      pulled: {
        summary: 'For a receiver behind a firewall, which fetches',
        value: { name: 'Warehouse', events: ['*'], delivery: 'pull' },
      },
    },
    problems: ['conflict', 'url-not-allowed'],
    answers: { 201: answer('SubscriptionWithSecret', 'Made; a generated secret is shown this once.', MADE) },
  },
  'GET /api/v1/subscriptions/{id}': {
    ...subscription,
    summary: 'Read a subscription',
    answers: { 200: answer('Subscription', 'The subscription, without secrets.', ETAG) },
  },
  'PATCH /api/v1/subscriptions/{id}': {
    ...subscription,
    summary: 'Change a subscription',
    bodies: {
      pause: { summary: 'Pause it', value: { active: false } },
      resume: { summary: 'Resume it, with quicker retries', value: { active: true, retry_schedule: [0, 5, 30, 300] } },
    },
    problems: ['conflict', 'url-not-allowed'],
    answers: { 200: answer('SubscriptionWithSecret', 'As it is now.', ETAG) },
  },
  'DELETE /api/v1/subscriptions/{id}': {
    ...subscription,
    summary: 'Delete a subscription',
    answers: { 204: nothing('Nothing new is delivered; its log stays.') },
  },
  'POST /api/v1/subscriptions/{id}/rotate': {
    ...subscription,
    summary: 'Give a subscription another secret',
    bodies: { day: { summary: 'Deliveries are signed with both for a day', value: { overlap_hours: 24 } } },
    problems: ['conflict'],
    answers: { 200: answer('SubscriptionWithSecret', 'The new secret is shown this once.', ETAG) },
  },
  'GET /api/v1/subscriptions/{id}/deliveries': {
    ...subscription,
    summary: 'Deliveries to a receiver, with every attempt',
    query: { limit: 20, status: 'delivered' },
    answers: { 200: answer('DeliveryPage', 'Newest first.') },
  },
  'GET /api/v1/subscriptions/{id}/deliveries/{delivery}': {
    ...one,
    summary: 'One delivery with everything that is kept of it',
    answers: { 200: answer('Delivery', 'Request, attempts and answers; secrets are masked.') },
  },
  'POST /api/v1/subscriptions/{id}/deliveries/{delivery}/redeliver': {
    ...one,
    summary: 'Send a delivery again',
    description: 'The same event under the same ids, now, with a new round of the retry schedule.',
    problems: ['conflict'],
    answers: { 202: answer('Delivery', 'As it stands; what becomes of it is in the log.') },
  },
  'POST /api/v1/subscriptions/{id}/redeliver': {
    ...subscription,
    summary: 'Send many deliveries again',
    description: 'Oldest first, at the rate of the subscription, or at OUTBOUND_DRAIN_PER_SECOND.',
    bodies: {
      failed: {
        summary: 'What failed since a moment',
        value: { from: '2026-01-10T08:00:00.000Z', status: ['failed'] },
      },
      dropped: { summary: 'What was dropped while it was paused', value: { never_attempted: true, limit: 500 } },
      some: { summary: 'Some, by id', value: { delivery_ids: [ids.delivery] } },
    },
    problems: ['conflict'],
    answers: { 202: answer('Redelivery', 'How many will be sent again.') },
  },
  'POST /api/v1/subscriptions/{id}/test': {
    ...subscription,
    summary: 'Try a receiver',
    description: 'Sends one event, once, also while the subscription is paused, and waits up to 10 s for the answer.',
    headers: { 'idempotency-key': { description: 'A repeat with the same key answers with the same delivery.' } },
    bodies: {
      example: { summary: 'The example of an event', value: { event_type: 'incident.resolved' } },
      own: {
        summary: 'Data of your own',
        value: {
          event_type: 'finding.created',
          data: { id: 'fnd_1', title: 'Bucket is public', severity: 'high', status: 'open' },
        },
      },
    },
    answers: { 200: answer('Delivery', 'With its attempt; still `pending` where the receiver takes longer.') },
  },
  'GET /api/v1/subscriptions/{id}/health': {
    ...subscription,
    summary: 'How a receiver is doing',
    answers: { 200: answer('ReceiverHealth', 'Circuit, failures, and what waits.') },
  },
  'GET /api/v1/subscriptions/{id}/feed': {
    tag: 'Subscriptions',
    path: { id: ids.pulling },
    summary: 'Fetch events',
    description: 'Oldest first, from what was acknowledged on, or behind `after`. Only where `delivery` is `pull`.',
    query: { limit: 100, wait: 1 },
    problems: ['conflict', 'unavailable'],
    answers: { 200: answer('SubscriptionFeed', 'Empty where nothing came within `wait` seconds.') },
  },
  'POST /api/v1/subscriptions/{id}/feed/ack': {
    tag: 'Subscriptions',
    path: { id: ids.pulling },
    summary: 'Acknowledge events',
    bodies: { last: { summary: 'The last one that was processed', value: { cursor: ids.feedCursor } } },
    problems: ['conflict'],
    answers: { 200: answer('FeedAcknowledged', 'Everything up to it is acknowledged.') },
  },
  'GET /api/v1/deliveries': {
    tag: 'Subscriptions',
    summary: 'Deliveries to all receivers',
    query: { limit: 20, status: 'delivered,failed' },
    answers: { 200: answer('DeliveryPage', 'Newest first; bodies are cut at 10,000 characters.') },
  },
  'GET /api/v1/deliveries/export': {
    tag: 'Subscriptions',
    summary: 'The log as a file',
    description: 'CSV has a line per delivery without bodies; JSON has everything that is kept.',
    query: { format: 'json', limit: 100 },
    answers: { 200: { ...answer('DeliveryExport', 'Newest first; CSV as `text/csv`.'), also: ['text/csv'] } },
  },
  'GET /api/v1/deliveries/{id}': {
    tag: 'Subscriptions',
    path: { id: ids.delivery },
    summary: 'One delivery, whatever its subscription',
    answers: { 200: answer('Delivery', 'Request, attempts and answers; secrets are masked.') },
  },
  'GET /api/v1/egress': {
    tag: 'Subscriptions',
    summary: 'Where deliveries come from',
    description: 'For the firewalls of receivers: what the administrator has set as OUTBOUND_EGRESS_IPS.',
    answers: { 200: answer('Egress', 'Addresses and ranges; empty where none are set.') },
  },
};
