import { decodeRecord } from '@tocsin/contracts';
import {
  isDisabled,
  lanesOf,
  outboundEventOf,
  planDeliveries,
  type OutboundEvent,
  type Subscriber,
} from '@tocsin/domain/delivery';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Input, Stage, Tx, Verdict } from '@tocsin/postgres';
import { disabledRevisions } from './endpoint-store.ts';
import { lockLanes, storePlan } from './lane-store.ts';
import type { NoticeBoard } from './notifications/notice-board.ts';
import { subscriberOf } from './subscriber-of.ts';

export interface PlanParts {
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'atLeast'>;
  clock: () => Date;
  /** Link to an incident for people. */
  incidentUrl: (incidentId: string) => string;
  /** Deliveries of these subscriptions were committed. */
  wake: (subscriptionIds: Iterable<string>) => void;
  /** Tells the workspace of incidents; absent = nobody does. */
  board?: Pick<NoticeBoard, 'incidents' | 'platformEvents'> | undefined;
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
    await parts.board?.incidents(tx, inputs);
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
  const of = withDisabled(
    subscriptions.of,
    events.length > 0 ? await disabledRevisions(tx) : new Map<string, number>(),
  );
  const lanes = await lockLanes(tx, [...lanesOf(events, of).values()].sort(byPair));
  const plan = planDeliveries(events, of, lanes, now);
  await storePlan(tx, plan, subscriptions.nameOf);
  return new Set([
    ...plan.planned.map(({ subscription }) => subscription.id),
    ...[...plan.lanes.values()].map((lane) => lane.subscriptionId),
  ]);
}

/** Receivers that were disabled are idle until their subscription is changed. */
function withDisabled(of: Subscriptions['of'], disabled: ReadonlyMap<string, number>): Subscriptions['of'] {
  if (disabled.size === 0) return of;
  const known = new Map<string, readonly Subscriber[]>();
  return (workspaceId) => {
    const found = known.get(workspaceId) ?? of(workspaceId).map((one) => disabledBy(one, disabled));
    known.set(workspaceId, found);
    return found;
  };
}

const disabledBy = (one: Subscriber, disabled: ReadonlyMap<string, number>): Subscriber =>
  !one.idle && isDisabled(disabled.get(one.id) ?? null, one.revision)
    ? { ...one, idle: { reason: 'subscription-disabled', keeps: one.keeps === true } }
    : one;

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
