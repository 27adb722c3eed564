import { CLOUD_EVENT_SOURCE, deriveId, platformRecordOf, type EventTypeName } from '@tocsin/contracts';
import {
  endpointAfter,
  isMetaEvent,
  type EndpointFact,
  type EndpointNews,
  type EndpointPolicy,
  type EndpointState,
} from '@tocsin/domain/delivery';
import type { Output, Tx } from '@tocsin/postgres';
import { lockEndpoints, saveEndpoints, type EndpointKey } from './endpoint-store.ts';
import type { SettledDelivery } from './settle-store.ts';

export interface EndpointParts {
  /** The installation's policy with what the subscription says otherwise. */
  policyOf: (result: SettledDelivery) => EndpointPolicy;
  random: () => number;
}

/** Attempts that say something of a receiver, by subscription. A test that fails is nobody's outage. */
function newsOf(results: readonly SettledDelivery[]): Map<string, { first: SettledDelivery; news: EndpointNews[] }> {
  const found = new Map<string, { first: SettledDelivery; news: EndpointNews[] }>();
  for (const result of results) {
    const { delivery, attempt, revision, retryAfterSeconds = null } = result;
    if (!attempt || (delivery.test && attempt.reason !== 'delivered')) continue;
    const at = new Date(attempt.startedAt.getTime() + attempt.durationMs);
    const one = found.get(delivery.subscriptionId) ?? { first: result, news: [] };
    one.news.push({ reason: attempt.reason, at, retryAfterSeconds, revision });
    found.set(delivery.subscriptionId, one);
  }
  for (const { news } of found.values()) news.sort((a, b) => a.at.getTime() - b.at.getTime());
  return found;
}

/**
 * What the attempts of one transaction say of their receivers: circuits, warnings, receivers that are disabled or work again.
 * Costs one index look-up where all is well. @returns what the world is told, and the receivers whose circuit closed
 */
export async function noteEndpoints(
  tx: Tx,
  results: readonly SettledDelivery[],
  parts: EndpointParts,
): Promise<{ outputs: Output[]; closed: string[] }> {
  const found = newsOf(results);
  if (found.size === 0) return { outputs: [], closed: [] };
  const failing = [...found].flatMap(([id, { first, news }]): EndpointKey[] =>
    news.some(({ reason }) => reason !== 'delivered') ? [[id, first.delivery.workspaceId]] : [],
  );
  const before = await lockEndpoints(tx, [...found.keys()], failing);
  const after = new Map<string, EndpointState | undefined>();
  const outputs: Output[] = [];
  for (const [id, state] of before) {
    const one = found.get(id);
    if (!one) continue;
    const decided = endpointAfter(state, one.news, parts.policyOf(one.first), parts.random);
    after.set(id, decided.state);
    outputs.push(...decided.facts.map((fact) => endpointOutput(fact, one.first)));
  }
  await saveEndpoints(tx, after);
  const closed = [...after].flatMap(([id, state]) => (before.get(id)?.openUntil && !state?.openUntil ? [id] : []));
  return { outputs, closed };
}

const nameOf: Readonly<Record<EndpointFact['kind'], EventTypeName>> = {
  failing: 'subscription.failing',
  disabled: 'subscription.disabled',
  recovered: 'subscription.recovered',
};

function endpointOutput(fact: EndpointFact, { delivery, attempt }: SettledDelivery): Output {
  const at = attempt ? new Date(attempt.startedAt.getTime() + attempt.durationMs) : fact.since;
  return metaOutput({
    id: deriveId('evt', delivery.id, String(delivery.attempts), fact.kind),
    name: nameOf[fact.kind],
    workspaceId: delivery.workspaceId,
    at,
    data: {
      subscription_id: delivery.subscriptionId,
      subscription_name: delivery.subscriptionName,
      reason: fact.kind === 'recovered' ? 'delivered' : fact.kind === 'disabled' ? fact.reason : 'failing',
      since: fact.since.toISOString(),
      ...(fact.kind === 'failing' ? { disables_at: fact.disablesAt.toISOString() } : {}),
    },
  });
}

/** Deliveries that are given up. Of one that was itself such a message, nothing is said. */
export const exhaustedOutputs = (results: readonly SettledDelivery[]): Output[] =>
  results.flatMap(({ delivery, settled }) => {
    if (settled.status !== 'failed' || settled.reason === 'subscription-deleted') return [];
    if (delivery.test || isMetaEvent(delivery.eventType)) return [];
    return metaOutput({
      id: deriveId('evt', delivery.id, String(settled.attempts), 'exhausted'),
      name: 'delivery.exhausted',
      workspaceId: delivery.workspaceId,
      at: settled.finishedAt,
      data: {
        ...{ subscription_id: delivery.subscriptionId, subscription_name: delivery.subscriptionName },
        ...{ delivery_id: delivery.id, event_id: delivery.eventId, event_type: delivery.eventType },
        ...{ incident_id: delivery.incidentId, attempts: settled.attempts, reason: settled.reason },
      },
    });
  });

interface Meta {
  id: string;
  name: EventTypeName;
  workspaceId: string;
  at: Date;
  data: Record<string, unknown>;
}

const metaOutput = ({ at, ...event }: Meta): Output => ({
  ...platformRecordOf({ ...event, at: at.toISOString(), source: CLOUD_EVENT_SOURCE }),
  by: { stream: event.id, version: 1n },
});
