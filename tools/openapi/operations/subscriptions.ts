import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const subscription = { tag: 'Subscriptions', path: { id: ids.subscription } } as const;

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
  'GET /api/v1/egress': {
    tag: 'Subscriptions',
    summary: 'Where deliveries come from',
    description: 'For the firewalls of receivers: what the administrator has set as OUTBOUND_EGRESS_IPS.',
    answers: { 200: answer('Egress', 'Addresses and ranges; empty where none are set.') },
  },
};
