import { decodeRecord, type SubscriptionBody, type SubscriptionDocument } from '@tocsin/contracts';
import {
  lanesOf,
  outboundEventOf,
  planDeliveries,
  type BodyForm,
  type OutboundEvent,
  type Subscriber,
} from '@tocsin/domain/delivery';
import { readTemplate } from '@tocsin/domain/template';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Input, Stage, Tx, Verdict } from '@tocsin/postgres';
import { lockLanes, storePlan } from './lane-store.ts';
import { templateAccepts, vendorForm } from './vendor-request.ts';

export interface PlanParts {
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'atLeast'>;
  clock: () => Date;
  /** Link to an incident for people. */
  incidentUrl: (incidentId: string) => string;
  /** Deliveries of these subscriptions were committed. */
  wake: (subscriptionIds: Iterable<string>) => void;
}

/** One reading of the configuration for a batch: who subscribes, and under which name. */
export interface Subscriptions {
  of: (workspaceId: string) => readonly Subscriber[];
  nameOf: (subscriptionId: string) => string;
}

/** The revision with which an incident event was decided may be newer than what this process has read. */
const CONFIGURATION_WAIT_MS = 10_000;

type Decoded = { event: OutboundEvent } | { verdict: Verdict };

/**
 * Plans deliveries for incident events: one row per (event, subscription), alert updates merged into a waiting one.
 * Runs inside the caller's transaction; an event that comes again plans nothing.
 */
export const planDeliveriesStage = (parts: PlanParts): Stage<Subscriptions> => ({
  async load(inputs) {
    const revision = inputs.reduce((newest, input) => Math.max(newest, revisionOf(input)), 0);
    await parts.feed.atLeast(revision, CONFIGURATION_WAIT_MS);
    return readSubscriptions(parts.feed);
  },

  async apply(tx, inputs, subscriptions) {
    const decoded = inputs.map((input) => decode(input, parts.incidentUrl));
    const events = decoded.flatMap((one) => ('event' in one ? one.event : []));
    const woken = await planEvents(tx, events, subscriptions, parts.clock());
    return {
      verdicts: decoded.map((one): Verdict => ('event' in one ? { kind: 'handled' } : one.verdict)),
      outputs: [],
      committed: () => parts.wake(woken),
    };
  },

  forget: () => undefined, // keeps no cache
});

/** Plans and stores deliveries of events in log order. @returns subscriptions that have something to send now */
export async function planEvents(
  tx: Tx,
  events: readonly OutboundEvent[],
  subscriptions: Subscriptions,
  now: Date,
): Promise<Set<string>> {
  const lanes = await lockLanes(tx, [...lanesOf(events, subscriptions.of).values()].sort(byPair));
  const plan = planDeliveries(events, subscriptions.of, lanes, now);
  await storePlan(tx, plan, subscriptions.nameOf);
  return new Set([
    ...plan.planned.map(({ subscription }) => subscription.id),
    ...[...plan.lanes.values()].map((lane) => lane.subscriptionId),
  ]);
}

const byPair = (a: readonly string[], b: readonly string[]): number => {
  const left = `${a[0]} ${a[1]}`;
  const right = `${b[0]} ${b[1]}`;
  return left < right ? -1 : left > right ? 1 : 0;
};

function decode(input: Input, incidentUrl: (id: string) => string): Decoded {
  if (input.type !== 'incident.event.v1') return { verdict: { kind: 'skip', reason: 'not-for-this-service' } };
  const event = outboundEventOf(decodeRecord('incident.event.v1', input.value), incidentUrl);
  return event ? { event } : { verdict: { kind: 'skip', reason: 'not-for-this-service' } };
}

/** 0 where the record cannot be read: `apply` then says what is wrong with it, and with it alone. */
function revisionOf(input: Input): number {
  try {
    return input.type === 'incident.event.v1'
      ? decodeRecord('incident.event.v1', input.value).event.config_revision
      : 0;
  } catch {
    return 0;
  }
}

export function readSubscriptions(feed: Pick<ConfigurationFeed, 'subscriptions'>): Subscriptions {
  const byWorkspace = new Map<string, Subscriber[]>();
  const names = new Map<string, string>();
  const of = (workspaceId: string): Subscriber[] => {
    let found = byWorkspace.get(workspaceId);
    if (!found) {
      const documents = feed.subscriptions(workspaceId).filter(({ deleted }) => !deleted);
      for (const { id, body } of documents) names.set(id, body.name);
      byWorkspace.set(workspaceId, (found = documents.map(subscriberOf)));
    }
    return found;
  };
  return { of, nameOf: (id) => names.get(id) ?? id };
}

const subscriberOf = ({ id, workspaceId, revision, body }: SubscriptionDocument): Subscriber => ({
  ...{ id, workspaceId, revision, events: body.events, active: body.active },
  updateIntervalSeconds: body.updateIntervalSeconds,
  firstDelaySeconds: body.retrySchedule[0] ?? 0,
  form: formOf(body),
  occurrences: body.occurrences === true,
  legacyUpdates: body.legacyUpdates === true,
  ...(body.template ? { accepts: (event: OutboundEvent) => templateAccepts(body, event) } : {}),
});

/** A template that was checked at save and cannot be read any more gives way to the envelope. */
function formOf({ envelope, transform, template }: SubscriptionBody): BodyForm {
  const vendor = template ? vendorForm(template) : undefined;
  if (transform === undefined || transform === null) return vendor ?? { key: envelope, rendering: { envelope } };
  const read = readTemplate(transform, 'transform');
  return read.ok
    ? { key: JSON.stringify(transform), rendering: { envelope, transform: read.template } }
    : { key: envelope, rendering: { envelope } };
}
