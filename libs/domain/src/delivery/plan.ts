import { deliveryIdOf, type DeliveryId } from '@tocsin/contracts';
import type { Rendering, RenderedBody } from './envelope.ts';
import { holdOf, isSentTo, type Hold, type IdleReason } from './hold.ts';
import {
  contentAfter,
  emptyLane,
  isFirst,
  isHeld,
  laneKey,
  nothingNew,
  type ChangedUpdate,
  type Lane,
} from './lane.ts';
import { concernedBy, takesEvent } from './interest.ts';

export { emptyLane, laneKey, type ChangedUpdate, type Lane };
export { lanesOf } from './interest.ts';

/** An event that may be delivered: its outbound name and how its body is written. */
export interface OutboundEvent {
  id: string;
  name: string;
  workspaceId: string;
  /** Events of one incident keep their order per subscription; null = no order. */
  incidentId: string | null;
  /** Incident version; orders the events of an incident and recognises one that was planned before. */
  sequence: number | null;
  at: Date;
  changed: string[];
  /** True for updates that alerts cause by the hundred (attached, resolved): they may be merged. */
  coalesces: boolean;
  /** Its alert flaps: nobody is told of it before this instant; absent = at once. */
  holdUntil?: Date;
  /** Counted repeats of an alert, which only subscribers that ask for them get; absent = it is none. */
  occurrences?: boolean;
  /** The subscription that the event is about, and that must not get it; absent = none. */
  notTo?: string;
  /** The connector that opened the incident; absent = none did. */
  connector?: string | null;
  /** The same event once more, as `incident.updated`, for subscribers with `legacyUpdates`; absent = it has none. */
  legacy?: OutboundEvent;
  /** It is such a second event: its sequence is that of the first. */
  companion?: boolean;
  /** What is sent for these changed fields, in this form. */
  render(changed: string[], form: BodyForm): RenderedBody;
}

/** How a subscription wants its bodies; forms with the same key make the same bodies. */
export interface BodyForm {
  key: string;
  rendering: Rendering;
}

export interface Subscriber {
  id: string;
  workspaceId: string;
  revision: number;
  events: readonly string[];
  updateIntervalSeconds: number;
  /** First entry of its retry schedule. */
  firstDelaySeconds: number;
  form: BodyForm;
  /** Also wants counted repeats; absent = no. */
  occurrences?: boolean;
  /** Also wants `incident.updated` for what has a name of its own; absent = no. */
  legacyUpdates?: boolean;
  /** Why nothing is sent to it at the moment, and whether its events are kept meanwhile; absent = it is sent to. */
  idle?: { reason: IdleReason; keeps: boolean };
  /** Whether its events are kept when it is disabled. */
  keeps?: boolean;
  /** It fetches its events from the feed. */
  pulls?: boolean;
  /** False: events of one incident do not wait for each other. */
  ordered?: boolean;
  /** What else it asks of an event that its list names; absent = nothing. */
  accepts?(event: OutboundEvent): boolean;
}

/** A delivery that nobody has tried yet. */
export interface PlannedDelivery {
  id: DeliveryId;
  subscription: Subscriber;
  eventId: string;
  eventName: string;
  workspaceId: string;
  incidentId: string | null;
  sequence: number | null;
  changed: string[];
  content: RenderedBody;
  dueAt: Date;
  /** False while an earlier delivery of its lane is unfinished. */
  head: boolean;
  /** Later updates may still be merged into it. */
  mergeable: boolean;
  coalesced: boolean;
  /** Absent: it is to be sent. */
  hold?: Hold;
  /** Somebody asked for it to try the receiver. */
  test?: boolean;
}

export interface Plan {
  planned: PlannedDelivery[];
  changed: ChangedUpdate[];
  lanes: Map<string, { subscriptionId: string; incidentId: string; workspaceId: string; lane: Lane }>;
}

/**
 * Deliveries for events in log order. Those of paused subscriptions are logged or kept (product P12). An event that its lane has seen makes nothing.
 * `lanes` holds what is stored for the pairs of `lanesOf`; it is not changed.
 */
export function planDeliveries(
  events: readonly OutboundEvent[],
  subscribers: (workspaceId: string) => readonly Subscriber[],
  lanes: ReadonlyMap<string, Lane>,
  now: Date,
): Plan {
  const planner = new Planner(lanes, now);
  for (const event of events) {
    for (const subscriber of concernedBy(subscribers(event.workspaceId), event)) {
      planner.add(event, subscriber);
      if (event.legacy && subscriber.legacyUpdates) planner.add(event.legacy, subscriber);
    }
  }
  return planner.plan();
}

/** Folds events into a plan; the only state is the plan itself. */
class Planner {
  private readonly planned = new Map<string, PlannedDelivery>();
  private readonly changes = new Map<string, ChangedUpdate>();
  private readonly touched: Plan['lanes'] = new Map();
  private readonly copies = new Map<string, Lane>();

  constructor(
    private readonly lanes: ReadonlyMap<string, Lane>,
    private readonly now: Date,
  ) {}

  plan(): Plan {
    return { planned: [...this.planned.values()], changed: [...this.changes.values()], lanes: this.touched };
  }

  add(event: OutboundEvent, subscriber: Subscriber): void {
    const takes = takesEvent(subscriber, event);
    if (event.incidentId === null || event.sequence === null || !isSentTo(subscriber)) {
      if (takes) this.insert(event, subscriber, { dueAt: this.due(subscriber), head: true, coalesced: false });
      return;
    }
    const lane = this.laneOf(subscriber.id, event.incidentId);
    const waits = event.holdUntil !== undefined && event.holdUntil > this.now;
    const joins = waits ? lane.openUpdate !== null && isHeld(lane.openUpdate, lane) : event.coalesces;
    const releases = !joins && lane.openUpdate !== null;
    // Its companion has the same sequence, and goes right behind it.
    const seen = event.companion ? event.sequence < lane.lastSequence : event.sequence <= lane.lastSequence;
    if (seen || !(takes || releases)) return;
    const { incidentId, workspaceId } = event;
    this.touched.set(laneKey(subscriber.id, incidentId), {
      subscriptionId: subscriber.id,
      incidentId,
      workspaceId,
      lane,
    });
    if (!joins) this.releaseOpenUpdate(lane);
    if (!takes) return;
    lane.lastSequence = event.sequence;
    if (subscriber.idle) this.follow(event, subscriber, lane);
    else if (joins && lane.openUpdate) this.merge(event, subscriber, lane, waits);
    else if (waits) this.openHeld(event, subscriber, lane);
    else if (joins && subscriber.updateIntervalSeconds > 0) this.openUpdate(event, subscriber, lane);
    else this.follow(event, subscriber, lane);
  }

  /** Lanes are copied before the first change: a repeated decision must see what is stored. */
  private laneOf(subscriptionId: string, incidentId: string): Lane {
    const key = laneKey(subscriptionId, incidentId);
    const known = this.copies.get(key);
    if (known) return known;
    const stored = this.lanes.get(key) ?? emptyLane();
    const copy = { ...stored, openUpdate: stored.openUpdate && { ...stored.openUpdate } };
    this.copies.set(key, copy);
    return copy;
  }

  private due(subscriber: Subscriber): Date {
    return new Date(this.now.getTime() + subscriber.firstDelaySeconds * 1000);
  }

  private follow(event: OutboundEvent, subscriber: Subscriber, lane: Lane): void {
    this.insert(event, subscriber, { dueAt: this.due(subscriber), head: isFirst(subscriber, lane), coalesced: false });
    lane.unfinished = true;
  }

  /** When an update that is not held may go. */
  private nextUpdate(subscriber: Subscriber, lane: Lane): Date {
    const earliest = lane.lastUpdateAt ? lane.lastUpdateAt.getTime() + subscriber.updateIntervalSeconds * 1000 : 0;
    return new Date(Math.max(this.due(subscriber).getTime(), earliest));
  }

  /** Goes when the hold ends, and takes in what the key does until then. That it is held shows in `lastUpdateAt`, which stays behind. */
  private openHeld(event: OutboundEvent, subscriber: Subscriber, lane: Lane): void {
    const dueAt = event.holdUntil ?? this.now;
    const delivery = this.insert(event, subscriber, { dueAt, head: isFirst(subscriber, lane), coalesced: true });
    lane.unfinished = true;
    lane.openUpdate = { id: delivery.id, changed: delivery.changed, dueAt, name: event.name };
  }

  private openUpdate(event: OutboundEvent, subscriber: Subscriber, lane: Lane): void {
    const dueAt = this.nextUpdate(subscriber, lane);
    const delivery = this.insert(event, subscriber, { dueAt, head: isFirst(subscriber, lane), coalesced: true });
    lane.unfinished = true;
    lane.lastUpdateAt = dueAt;
    lane.openUpdate = { id: delivery.id, changed: delivery.changed, dueAt };
  }

  private merge(event: OutboundEvent, subscriber: Subscriber, lane: Lane, waits: boolean): void {
    const open = lane.openUpdate;
    if (!open) return;
    if (!waits && isHeld(open, lane)) {
      const next = this.nextUpdate(subscriber, lane);
      if (next < open.dueAt) open.dueAt = next; // news of something that does not flap
      lane.lastUpdateAt = open.dueAt;
    }
    open.changed = [...new Set([...open.changed, ...event.changed])];
    const content = { ...contentAfter(open, event, subscriber.form), changed: open.changed, dueAt: open.dueAt };
    const fresh = this.planned.get(open.id);
    if (fresh) Object.assign(fresh, content);
    else
      this.changes.set(open.id, {
        ...(this.changes.get(open.id) ?? nothingNew(open)),
        ...content,
        mergeable: true,
      });
  }

  /** Another event of the incident waits behind the open update: it goes now and takes in nothing more. */
  private releaseOpenUpdate(lane: Lane): void {
    const open = lane.openUpdate;
    if (!open) return;
    lane.openUpdate = null;
    const dueAt = open.dueAt < this.now ? open.dueAt : this.now;
    lane.lastUpdateAt = dueAt;
    const fresh = this.planned.get(open.id);
    if (fresh) Object.assign(fresh, { dueAt, mergeable: false });
    else this.changes.set(open.id, { ...(this.changes.get(open.id) ?? nothingNew(open)), dueAt, mergeable: false });
  }

  private insert(
    event: OutboundEvent,
    subscription: Subscriber,
    how: Pick<PlannedDelivery, 'dueAt' | 'head' | 'coalesced'>,
  ): PlannedDelivery {
    const { incidentId, sequence, workspaceId } = event;
    const id = deliveryIdOf(event.id, subscription.id);
    const changed = [...event.changed];
    const delivery: PlannedDelivery = {
      ...{ id, subscription, workspaceId, incidentId, sequence, changed, ...how },
      eventId: event.id,
      eventName: event.name,
      content: event.render(changed, subscription.form),
      mergeable: how.coalesced,
    };
    const hold = holdOf(subscription);
    if (hold) delivery.hold = hold;
    this.planned.set(id, delivery);
    return delivery;
  }
}
