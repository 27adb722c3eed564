import Type, { type TSchema } from 'typebox';
import type { EventTypeDefinition } from './event-type.ts';

const Text = Type.String();
const NullableText = Type.Union([Text, Type.Null()]);

const DeliveryExhaustedDataSchema = Type.Object({
  subscription_id: Text,
  subscription_name: Text,
  delivery_id: Text,
  event_id: Text,
  event_type: Text,
  incident_id: NullableText,
  attempts: Type.Integer({ minimum: 0 }),
  reason: Text,
});
const SubscriptionStateDataSchema = Type.Object({
  subscription_id: Text,
  subscription_name: Text,
  reason: Text,
  since: Type.String({ description: 'When the failures began.' }),
  disables_at: Type.Optional(Type.String({ description: 'When it will be disabled, if nothing changes.' })),
});
const WebhookNoticeDataSchema = Type.Object({
  webhook_id: Text,
  webhook_name: Text,
  client_network: Type.Optional(NullableText),
  count: Type.Integer({ minimum: 0 }),
});

const own = (
  title: string,
  description: string,
  data: TSchema,
  example: Record<string, unknown>,
): EventTypeDefinition => ({
  title,
  description,
  data,
  example,
  source: 'tocsin',
});

const subscription = { subscription_id: 'sub_aaaaaaaaaaaaaaaaaaaaaaaaaa', subscription_name: 'Ticketing' };
const webhook = { webhook_id: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa', webhook_name: 'Production Prometheus' };

/** What Tocsin says of itself (product P13); never sent to the endpoint that it is about. */
export const metaTypes = {
  'delivery.exhausted': own(
    'Delivery given up',
    'The last attempt of a delivery failed.',
    DeliveryExhaustedDataSchema,
    {
      ...subscription,
      delivery_id: 'dlv_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      event_id: 'evt_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      event_type: 'incident.created',
      incident_id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
      attempts: 6,
      reason: 'schedule-exhausted',
    },
  ),
  'subscription.failing': own(
    'Receiver failing',
    'Nothing has reached it for long; it will be disabled if that goes on.',
    SubscriptionStateDataSchema,
    {
      ...{ ...subscription, reason: 'failing', since: '2026-01-10T08:00:00.000Z' },
      disables_at: '2026-01-15T08:00:00.000Z',
    },
  ),
  'subscription.disabled': own(
    'Subscription disabled',
    'Its receiver failed for too long, or answered 410.',
    SubscriptionStateDataSchema,
    { ...subscription, reason: 'gone', since: '2026-01-10T08:00:00.000Z' },
  ),
  'subscription.recovered': own(
    'Receiver recovered',
    'A receiver that failed answers again.',
    SubscriptionStateDataSchema,
    { ...subscription, reason: 'delivered', since: '2026-01-15T09:00:00.000Z' },
  ),
  'webhook.locked_out': own(
    'Sender locked out',
    'Too many failed authentications from one network.',
    WebhookNoticeDataSchema,
    { ...webhook, client_network: '203.0.113.7', count: 10 },
  ),
  'webhook.rate_limited': own(
    'Webhook over its limit',
    'Requests above the limit were refused or rolled up.',
    WebhookNoticeDataSchema,
    { ...webhook, count: 25 },
  ),
} as const satisfies Record<string, EventTypeDefinition>;
