import { setTimeout as sleep } from 'node:timers/promises';
import {
  deliveryIdOf,
  deriveId,
  eventFamilies,
  eventTypeNames,
  eventTypeOf,
  isEventType,
  mintId,
  type EventTypeName,
  type SubscriptionDocument,
} from '@tocsin/contracts';
import { outboundEventOfPlatform, type Plan } from '@tocsin/domain/delivery';
import { Problem, type Clock, type Random } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { findDelivery, type DeliveryView } from './delivery-log.ts';
import { storePlan } from './lane-store.ts';
import { checkedTestData } from './test-data.ts';
import { subscriberOf } from './subscriber-of.ts';

export interface TestParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  restPool: Pool;
  clock: Clock;
  random: Random;
  wake: (subscriptionIds: Iterable<string>) => void;
}

export interface TestAsked {
  eventType?: string | undefined;
  data?: unknown;
  /** Asked for twice with the same key it is sent once. */
  idempotencyKey?: string | undefined;
}

/** Whoever asks waits so long for the receiver; after that the delivery is shown as it stands. */
const WAIT_MS = 10_000;
const LOOK_EVERY_MS = 50;

/**
 * Sends one event to one receiver, whatever its list and filter say, also while it is paused: the catalogue's example, or what was given.
 * It is tried once, and waited for. @throws Problem validation-failed for an event or data that the catalogue does not know
 */
export async function sendTest(
  subscription: SubscriptionDocument,
  asked: TestAsked,
  parts: TestParts,
): Promise<DeliveryView> {
  const name = typeOf(asked.eventType, subscription.body.events);
  const data = asked.data === undefined ? eventTypeOf(name).example : checkedTestData(name, asked.data);
  const { id: subscriptionId, workspaceId } = subscription;
  const eventId =
    asked.idempotencyKey === undefined
      ? mintId('evt', parts.random(16))
      : deriveId('evt', subscriptionId, 'test', asked.idempotencyKey);
  const now = parts.clock();
  const event = { id: eventId, name, workspaceId, source: '/tocsin', at: now.toISOString(), data };
  const plan = planOf(subscription, outboundEventOfPlatform(event), now);
  await parts.pipeline.commitCommand(async (tx) => {
    await storePlan(tx, plan, { nameOf: () => subscription.body.name, lanes: new Map() });
    return { result: undefined, outputs: [] };
  });
  parts.wake([subscriptionId]);
  return outcomeOf(deliveryIdOf(eventId, subscriptionId), workspaceId, parts);
}

function planOf(document: SubscriptionDocument, event: ReturnType<typeof outboundEventOfPlatform>, now: Date): Plan {
  const subscription = subscriberOf(document);
  const planned = {
    ...{ id: deliveryIdOf(event.id, document.id), subscription, eventId: event.id, eventName: event.name },
    ...{ workspaceId: document.workspaceId, incidentId: null, sequence: null, changed: [] },
    ...{ content: event.render([], subscription.form), dueAt: now, head: true, mergeable: false, coalesced: false },
    test: true,
    ...(subscription.pulls ? { hold: { kind: 'feed' as const } } : {}),
  };
  return { planned: [planned], changed: [], lanes: new Map() };
}

async function outcomeOf(id: string, workspaceId: string, { restPool, clock }: TestParts): Promise<DeliveryView> {
  const until = clock().getTime() + WAIT_MS;
  for (;;) {
    const found = await findDelivery(restPool, workspaceId, id);
    if (!found) throw new Problem('not-found', 'The delivery of the test is not there any more.');
    const waits = found.finished_at === null && found.next_attempt_at !== null;
    if (!waits || clock().getTime() >= until) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

/** The named event, else the first that the subscription's list stands for. */
function typeOf(asked: string | undefined, patterns: readonly string[]): EventTypeName {
  if (asked !== undefined) {
    if (isEventType(asked)) return asked;
    throw new Problem('validation-failed', 'event_type: there is no such event; GET /api/v1/event-types lists them.', {
      errors: [{ path: 'event_type', code: 'unknown-event', message: 'must be an event of the catalogue' }],
    });
  }
  const [first = '*'] = patterns;
  if (isEventType(first)) return first;
  const family = eventFamilies.find((one) => first === `${one}.*`) ?? 'incident';
  return eventTypeNames.find((name) => name.startsWith(`${family}.`)) ?? 'incident.created';
}
