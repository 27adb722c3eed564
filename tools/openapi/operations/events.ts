import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG } from './answers.ts';

const recommendation = { tag: 'Events', path: { id: ids.recommendation } } as const;

/** The catalogue, what others publish of it, and recommendations. */
export const events: Descriptions = {
  'GET /api/v1/event-types': {
    tag: 'Events',
    summary: 'The catalogue: every event that a subscription can name',
    query: { family: 'incident' },
    answers: {
      200: answer('EventTypePage', 'Types with the JSON Schema of their data and an example of the whole body.'),
    },
  },
  'GET /api/v1/event-types/{name}': {
    tag: 'Events',
    summary: 'One event of the catalogue',
    path: { name: 'incident.created' },
    answers: { 200: answer('EventType', 'The type.') },
  },
  'POST /api/v1/events': {
    tag: 'Events',
    summary: 'Publish an event of the catalogue for delivery',
    description:
      'For other services of the organisation: findings, compliance, resources, tasks, approvals, recommendations. A CloudEvent in structured mode is taken as it is. What the topic `platform.events` is for Kafka, this is for HTTP.',
    headers: {
      'idempotency-key': {
        description:
          'A repeat with the same key answers with what the first made; another event under it is a conflict.',
        example: 'finding-7-created',
      },
    },
    bodies: {
      finding: {
        summary: 'A scanner found a weakness',
        value: {
          type: 'finding.created',
          source: '/scanners/eu-1',
          data: {
            id: 'finding-7',
            title: 'Bucket readable by everybody',
            severity: 'high',
            resource: 'bucket/invoices',
          },
        },
      },
    },
    problems: ['conflict'],
    answers: { 202: answer('PublishedEvent', 'Accepted; it is delivered to the subscriptions that name it.') },
  },
  'GET /api/v1/notifications': {
    tag: 'Events',
    summary: 'The bell: what somebody in the workspace should see',
    description:
      'Incidents and investigations of webhooks with `rca.notify_workspace`, deliveries given up, receivers that fail, go or come back, lock-outs, limits, dead letters.',
    query: { unread: true, limit: 20 },
    answers: { 200: answer('NotificationPage', 'Newest first, with how many are unread.') },
  },
  'POST /api/v1/notifications/read': {
    tag: 'Events',
    summary: 'Mark notifications as read',
    bodies: { all: { summary: 'All of them', value: {} } },
    answers: { 200: answer('NotificationsRead', 'How many became read, and how many are unread.') },
  },
  'POST /api/v1/notifications/{id}/read': {
    tag: 'Events',
    summary: 'Mark one notification as read',
    path: { id: ids.notification },
    answers: { 200: answer('NotificationsRead', 'How many became read, and how many are unread.') },
  },
  'GET /api/v1/recommendations': {
    tag: 'Events',
    summary: 'List recommendations, newest first',
    query: { status: 'pending', limit: 20 },
    answers: { 200: answer('RecommendationPage', 'Recommendations of the workspace.') },
  },
  'POST /api/v1/recommendations': {
    tag: 'Events',
    summary: 'Recommend something',
    headers: {
      'idempotency-key': {
        description: 'A repeat with the same key answers with what the first made.',
        example: 'rec-1',
      },
    },
    bodies: {
      replica: {
        summary: 'About no incident in particular',
        value: {
          title: 'Add a read replica for the orders database',
          description: 'Three of the last four latency incidents began with lock waits there.',
          effort: 'medium',
          risk: 'low',
          potential_savings: 150,
        },
      },
    },
    answers: { 201: answer('Recommendation', 'Made, or made before under this key.', ETAG) },
  },
  'GET /api/v1/recommendations/{id}': {
    ...recommendation,
    summary: 'Read a recommendation with its comments',
    answers: { 200: answer('Recommendation', 'The recommendation.', ETAG) },
  },
  'PATCH /api/v1/recommendations/{id}': {
    ...recommendation,
    summary: 'Change a recommendation or its status',
    description: 'What is implemented stays so; everything else can be changed back.',
    bodies: { accept: { summary: 'Accept it', value: { status: 'accepted' } } },
    problems: ['wrong-state'],
    answers: { 200: answer('Recommendation', 'As it is now.', ETAG) },
  },
  'POST /api/v1/recommendations/{id}/comments': {
    ...recommendation,
    summary: 'Comment on a recommendation',
    headers: {
      'idempotency-key': { description: 'A repeat with the same key adds nothing.', example: 'comment-1' },
    },
    bodies: { plan: { summary: 'What is planned', value: { text: 'Planned for the next maintenance window.' } } },
    problems: ['conflict'],
    answers: { 201: answer('Recommendation', 'As it is now.', ETAG) },
  },
};
