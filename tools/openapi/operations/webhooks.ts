import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const webhook = { tag: 'Webhooks', path: { id: ids.webhook } } as const;

const payload = { title: 'Checkout is slow', severity: 'high', service: 'checkout', meta: { team: 'payments' } };

const delivery = { tag: 'Webhooks', path: { id: ids.webhook, receipt: ids.receipt } } as const;

export const webhooks: Descriptions = {
  'POST /api/v1/mapping/preview': {
    tag: 'Mapping',
    summary: 'Show what a mapping makes of a payload',
    description: 'Nothing is stored. Without a mapping that of the webhook is used, where one is named.',
    bodies: {
      mapping: {
        summary: 'A mapping before it is saved',
        value: { connector: 'generic', payload, mapping: { fields: { title: ['$.title'], tags: ['$.meta.team'] } } },
      },
      webhook: { summary: 'As a webhook would read it', value: { webhook_id: ids.webhook, payload } },
    },
    problems: ['not-found'],
    answers: { 200: answer('MappingPreview', 'Alerts as they would be, and the paths that the payload offers.') },
  },
  'POST /api/v1/webhooks/{id}/test': {
    ...webhook,
    tag: 'Mapping',
    summary: 'Try a payload on a webhook, or send it',
    description:
      'The body is the payload as its sender would send it; without one a sample of the connector is taken. `X-Tocsin-Test-Authorization` stands for the `Authorization` of the sender.',
    moreQuery: { send: { description: 'Send it the whole way.', schema: { type: 'boolean', default: false } } },
    headers: { 'content-encoding': { description: '`gzip`, where the body is.' } },
    rawBody: { types: { 'application/json': {} }, required: false },
    bodies: { payload: { summary: 'A payload', value: payload } },
    problems: ['validation-failed', 'conflict', 'malformed-body', 'body-too-large', 'unsupported-media-type'],
    answers: {
      200: answer('WebhookTest', 'What it would become; nothing was stored.'),
      202: answer('WebhookTestSent', 'Sent; the outcome is at `status_url`.'),
    },
  },
  'GET /api/v1/webhooks/{id}/deliveries': {
    ...webhook,
    summary: 'What came in at a webhook, and what became of it',
    query: { limit: 20, status: 'created,deduplicated' },
    answers: { 200: answer('InboundDeliveryPage', 'Newest first, without the bodies.') },
  },
  'GET /api/v1/webhooks/{id}/deliveries/{receipt}': {
    ...delivery,
    summary: 'Read a delivery with its stored body',
    answers: {
      200: answer('InboundDeliveryWithPayload', 'The delivery; the body without credentials, 100 KB at most.'),
    },
  },
  'POST /api/v1/webhooks/{id}/deliveries/{receipt}/replay': {
    ...delivery,
    summary: 'Run a stored body again',
    description: 'With the configuration of now, e.g. after a change of the mapping.',
    headers: {
      'idempotency-key': { description: 'A repeat with the same key is the same receipt.', example: 'replay-1' },
    },
    problems: ['conflict'],
    answers: { 202: answer('Replayed', 'Durable; the outcome is at `status_url`.') },
  },
  'GET /api/v1/connectors': {
    tag: 'Webhooks',
    summary: 'List the platforms that can send alerts',
    query: { limit: 50 },
    answers: { 200: answer('ConnectorPage', 'Platforms in the order of their ids.') },
  },
  'GET /api/v1/connectors/{id}': {
    tag: 'Webhooks',
    summary: 'Read a platform, with sample payloads and guide',
    path: { id: 'prometheus' },
    answers: { 200: answer('ConnectorDetail', 'The platform.') },
  },
  'GET /api/v1/webhooks': {
    tag: 'Webhooks',
    summary: 'List webhooks',
    query: { limit: 20 },
    answers: { 200: answer('WebhookPage', 'Webhooks of the workspace, without credentials.') },
  },
  'POST /api/v1/webhooks': {
    tag: 'Webhooks',
    summary: 'Make a webhook',
    description:
      'What is left out follows the platform. A webhook that asks for no credential must say so: `auth.method` `none`.',
    bodies: {
      prometheus: {
        summary: 'For Alertmanager',
        value: {
          name: 'Alertmanager, production',
          connector: 'prometheus',
          dedup: { window_hours: 24, reopen_minutes: 30 },
          correlation: { enabled: true, window_minutes: 5 },
        },
      },
      generic: {
        summary: 'For scripts, with a header of their own',
        value: {
          name: 'Cron jobs',
          connector: 'generic',
          auth: { method: 'api_key', header: 'X-Api-Key' },
          respond: 'wait',
          default_severity: 'low',
        },
      },
    },
    problems: ['conflict'],
    answers: { 201: answer('WebhookWithCredentials', 'Made; address, token and secret are shown this once.', MADE) },
  },
  'GET /api/v1/webhooks/{id}': {
    ...webhook,
    summary: 'Read a webhook',
    answers: { 200: answer('Webhook', 'The webhook, without credentials.', ETAG) },
  },
  'PATCH /api/v1/webhooks/{id}': {
    ...webhook,
    summary: 'Change a webhook',
    bodies: {
      window: { summary: 'A longer window', value: { dedup: { window_hours: 48 } } },
      limit: { summary: 'A limit of requests', value: { rate_limit_per_hour: 10_000 } },
      rollup: {
        summary: 'Count what is above the limit instead of refusing it',
        value: { rate_limit_per_hour: 500, over_limit: 'rollup' },
      },
      strict: { summary: 'No bodies above 100 KB', value: { limits: { strict: true } } },
    },
    problems: ['conflict'],
    answers: { 200: answer('WebhookWithCredentials', 'As it is now.', ETAG) },
  },
  'DELETE /api/v1/webhooks/{id}': {
    ...webhook,
    summary: 'Delete a webhook',
    answers: { 204: nothing('Its address answers 404 from now on; its incidents stay.') },
  },
  'POST /api/v1/webhooks/{id}/rotate': {
    ...webhook,
    summary: 'Give a webhook another token or secret',
    bodies: {
      secret: { summary: 'A new secret; the old one for a day', value: { what: 'secret', overlap_hours: 24 } },
      token: { summary: 'A new address; the old one for a week', value: { what: 'token', overlap_hours: 168 } },
    },
    problems: ['conflict'],
    answers: { 200: answer('WebhookWithCredentials', 'The new one is shown this once.', ETAG) },
  },
  'POST /api/v1/webhooks/{id}/unlock': {
    ...webhook,
    summary: 'Let locked-out senders in again',
    description: 'Ends the lock-outs that began before, at every gateway, and forgets the failures that led to them.',
    problems: ['conflict'],
    answers: { 200: answer('Webhook', 'As it is now.', ETAG) },
  },
  'GET /api/v1/webhooks/{id}/setup': {
    ...webhook,
    summary: 'How to point the platform at a webhook',
    answers: { 200: answer('WebhookSetup', 'Address, headers, steps and ready examples.') },
  },
};
