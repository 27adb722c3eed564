import { decodeRecord, type IncidentEventRecord, type SubscriptionDocument } from '@tocsin/contracts';
import {
  isDisabled,
  lanesOf,
  outboundEventOf,
  planDeliveries,
  type OutboundEvent,
  type Subscriber,
} from '@tocsin/domain/delivery';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import { together, type Input, type Stage, type Tx, type Verdict } from '@tocsin/postgres';
import type { ClaimedDelivery } from './claim-store.ts';
import type { EarlyClaims } from './early-claims.ts';
import { troubles } from './endpoint-store.ts';
import { forgetSent } from './forget-sent.ts';
import { lockLanes, storePlan } from './lane-store.ts';
import type { NoticeBoard } from './notifications/notice-board.ts';
import { subscriberOf } from './subscriber-of.ts';

export interface PlanParts {
  feed: Pick<ConfigurationFeed, 'subscriptions'>;
  clock: () => Date;
  /** Link to an incident for people. */
  incidentUrl: (incidentId: string) => string;
  /** Deliveries of these subscriptions were committed. */
  wake: (subscriptionIds: Iterable<string>) => void;
  /** Deliveries that this process may send without another claim; absent = none. */
  claims?: EarlyClaims | undefined;
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
  load: () => Promise.resolve(readSubscriptions(parts.feed)),

  async apply(tx, inputs, subscriptions) {
    const decoded = inputs.map((input) => decode(input, parts.incidentUrl));
    const events = decoded.flatMap((one) => ('event' in one ? one.event : []));
    const { stored, committed } = await planEvents(tx, events, subscriptions, parts);
    await parts.board?.incidents(tx, inputs);
    await forgetSent(tx, inputs, parts.clock());
    return {
      verdicts: decoded.map((one): Verdict => ('event' in one ? { kind: 'handled' } : one.verdict)),
      outputs: [],
      writes: stored,
      committed,
    };
  },

  forget: () => undefined, // keeps no cache
});

/** Waits for the configuration under which these events were decided, for a while. */
export async function configurationFor(
  inputs: readonly Input[],
  feed: Pick<ConfigurationFeed, 'atLeast'>,
): Promise<void> {
  const revision = inputs.reduce((newest, input) => Math.max(newest, revisionOf(input)), 0);
  await feed.atLeast(revision, CONFIGURATION_WAIT_MS);
}

export interface Planned {
  /** Resolves when the statements that store the plan, which have been sent, are answered. */
  stored: Promise<void>;
  /** To be done once the transaction is committed. */
  committed: () => void;
}

const NONE: ReadonlySet<string> = new Set();

/** Plans and stores deliveries of events in log order. */
export async function planEvents(
  tx: Tx,
  events: readonly OutboundEvent[],
  subscriptions: Subscriptions,
  { clock, wake, claims }: Pick<PlanParts, 'clock' | 'wake' | 'claims'>,
): Promise<Planned> {
  const now = clock();
  if (events.length === 0) return { stored: Promise.resolve(), committed: () => undefined };
  const incidents = [...new Set(events.flatMap(({ incidentId }) => incidentId ?? []))];
  // Of a receiver that is disabled a lane may be locked for nothing; nothing else is known to be needed before the answers are here.
  const wanted = [...lanesOf(events, subscriptions.of, NONE).values()];
  const [{ disabled, open }, lanes] = await together(troubles(tx), lockLanes(tx, wanted, incidents));
  const plan = planDeliveries(events, withDisabled(subscriptions.of, disabled), lanes, now);
  const lease = claims?.lease(plan.planned, open);
  let claimed: ClaimedDelivery[] = [];
  const stored = storePlan(tx, plan, { nameOf: subscriptions.nameOf, lanes, lease }).then(
    (ours) => void (claimed = ours),
  );
  stored.catch(() => undefined); // whoever ends the transaction is told
  const committed = (): void => {
    const early = new Set<string>(claimed.map(({ id }) => id));
    claims?.adopt(claimed);
    wake([
      ...plan.planned.filter(({ id }) => !early.has(id)).map(({ subscription }) => subscription.id),
      ...(plan.changed.length > 0 ? [...plan.lanes.values()].map((lane) => lane.subscriptionId) : []),
    ]);
  };
  return { stored, committed };
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

function decode(input: Input, incidentUrl: (id: string) => string): Decoded {
  if (input.type !== 'incident.event.v1') return { verdict: { kind: 'skip', reason: 'not-for-this-service' } };
  const event = outboundEventOf(recordOf(input), incidentUrl);
  return event ? { event } : { verdict: { kind: 'skip', reason: 'not-for-this-service' } };
}

/** Inputs are looked at more than once before they are planned. */
const decodedRecords = new WeakMap<Input, IncidentEventRecord>();
function recordOf(input: Input): IncidentEventRecord {
  let record = decodedRecords.get(input);
  if (!record) decodedRecords.set(input, (record = decodeRecord('incident.event.v1', input.value)));
  return record;
}

/** 0 where the record cannot be read: `apply` then says what is wrong with it, and with it alone. */
function revisionOf(input: Input): number {
  try {
    return input.type === 'incident.event.v1' ? recordOf(input).event.config_revision : 0;
  } catch {
    return 0;
  }
}

/** What planning must know of a workspace's subscriptions: made once of each list, which is replaced when one of them changes. */
const known = new WeakMap<readonly SubscriptionDocument[], { subscribers: Subscriber[]; names: Map<string, string> }>();

function knownOf(documents: readonly SubscriptionDocument[]) {
  let found = known.get(documents);
  if (!found) {
    const there = documents.filter(({ deleted }) => !deleted);
    const names = new Map(there.map(({ id, body }) => [id, body.name]));
    known.set(documents, (found = { subscribers: there.map(subscriberOf), names }));
  }
  return found;
}

/** One reading for a batch: what changes meanwhile is for the next one. */
export function readSubscriptions(feed: Pick<ConfigurationFeed, 'subscriptions'>): Subscriptions {
  const read = new Map<string, ReturnType<typeof knownOf>>();
  const of = (workspaceId: string): Subscriber[] => {
    let found = read.get(workspaceId);
    if (!found) read.set(workspaceId, (found = knownOf(feed.subscriptions(workspaceId))));
    return found.subscribers;
  };
  const nameOf = (id: string): string => {
    for (const { names } of read.values()) if (names.has(id)) return names.get(id) ?? id;
    return id;
  };
  return { of, nameOf };
}
