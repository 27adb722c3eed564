import {
  CLOUD_EVENT_SOURCE,
  deriveId,
  encodeRecord,
  type CloudEventHeaders,
  type DeliveryEvent,
} from '@tocsin/contracts';
import type { Output } from '@tocsin/postgres';
import type { SettledDelivery } from './settle-store.ts';

const typeOf = {
  delivered: 'delivery.delivered',
  failed: 'delivery.failed',
  retrying: 'delivery.retrying',
  'skipped-paused': 'delivery.skipped',
} as const;

/** What became of a delivery, as one fact on `delivery.events`. */
export function deliveryOutputs({ delivery, settled, attempt, externalLink }: SettledDelivery, now: Date): Output {
  const type = typeOf[settled.status === 'retained' ? 'skipped-paused' : settled.status];
  const at = now.toISOString();
  const final = settled.status !== 'retrying';
  // A delivery says at most one thing per attempt, and one more when it ends without a further attempt.
  // One that is tried again under the same number (it did not count) says the same again, and is heard once.
  const version = BigInt(settled.attempts * 2 + (final ? 1 : 0));
  const event: DeliveryEvent = {
    id: deriveId('evt', delivery.id, String(version)),
    delivery_id: delivery.id,
    subscription_id: delivery.subscriptionId,
    subscription_name: delivery.subscriptionName,
    workspace_id: delivery.workspaceId,
    incident_id: delivery.incidentId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    type,
    attempt: settled.attempts,
    response_status: attempt?.responseStatus ?? null,
    detail: settled.status === 'delivered' ? null : detailOf({ settled, attempt }),
    ...(externalLink && delivery.incidentId !== null ? { external_link: externalLink } : {}),
    at,
  };
  const headers: CloudEventHeaders = {
    ce_id: event.id,
    ce_source: CLOUD_EVENT_SOURCE,
    ce_specversion: '1.0',
    ce_type: `tocsin.${type}.v1`,
    ce_time: at,
    ce_subject: delivery.incidentId ?? delivery.id,
    ce_tocsinworkspace: delivery.workspaceId,
    'content-type': 'application/json',
  };
  return {
    topic: 'delivery.events',
    key: delivery.incidentId ?? delivery.subscriptionId,
    type: 'delivery.event.v1',
    value: encodeRecord('delivery.event.v1', event),
    headers: { ...headers },
    by: { stream: delivery.id, version },
  };
}

/** Reason codes first; the error text of our own layers follows, which names no secret and no path. */
function detailOf({ settled, attempt }: Pick<SettledDelivery, 'settled' | 'attempt'>): string {
  const parts: string[] = [settled.reason];
  if (attempt && attempt.reason !== settled.reason) parts.push(attempt.reason);
  if (attempt?.error) parts.push(attempt.error);
  return parts.join(': ');
}
