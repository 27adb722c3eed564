import { isSentTo } from './hold.ts';
import { laneKey } from './lane.ts';
import { matchesEvent } from './match-event.ts';
import type { OutboundEvent, Subscriber } from './plan.ts';

const UPDATED = 'incident.updated';

/** Filters are asked once for an event, by whoever needs to know. */
const asked = new WeakMap<OutboundEvent, Map<Subscriber, boolean>>();

/** Whether a subscriber wants an event. */
export function takesEvent(subscriber: Subscriber, event: OutboundEvent): boolean {
  let answers = asked.get(event);
  if (!answers) asked.set(event, (answers = new Map<Subscriber, boolean>()));
  let takes = answers.get(subscriber);
  if (takes === undefined) answers.set(subscriber, (takes = wants(subscriber, event)));
  return takes;
}

const wants = (subscriber: Subscriber, event: OutboundEvent): boolean =>
  event.notTo !== subscriber.id &&
  (!event.occurrences || subscriber.occurrences === true) &&
  matchesEvent(subscriber.events, event.name) &&
  (subscriber.accepts?.(event) ?? true);

/** Whether an event can change anything for a subscriber: it takes it, or it holds an open update that the event releases. */
const concerns = (subscriber: Subscriber, event: OutboundEvent): boolean =>
  event.occurrences && !subscriber.occurrences
    ? false
    : matchesEvent(subscriber.events, event.name) || matchesEvent(subscriber.events, UPDATED);

/** By list and event name: ten thousand subscriptions are looked through once, not for each event. */
const byName = new WeakMap<readonly Subscriber[], Map<string, readonly Subscriber[]>>();

/** Subscribers whose lists name an event, or updates, which it may release: the others it does not concern. */
export function concernedBy(subscribers: readonly Subscriber[], { name }: OutboundEvent): readonly Subscriber[] {
  let names = byName.get(subscribers);
  if (!names) byName.set(subscribers, (names = new Map<string, readonly Subscriber[]>()));
  let found = names.get(name);
  if (!found) {
    found = subscribers.filter(({ events }) => matchesEvent(events, name) || matchesEvent(events, UPDATED));
    names.set(name, found);
  }
  return found;
}

/**
 * The lanes that a plan needs to know: each pair of an incident and a subscriber that takes one of its events, or holds back an update that
 * one of them releases. `openUpdates` are the lanes that hold one.
 */
export function lanesOf(
  events: readonly OutboundEvent[],
  subscribers: (workspaceId: string) => readonly Subscriber[],
  openUpdates: ReadonlySet<string>,
): Map<string, [string, string, string]> {
  const lanes = new Map<string, [string, string, string]>();
  for (const event of events) {
    const { incidentId, workspaceId } = event;
    if (incidentId === null) continue;
    for (const subscriber of concernedBy(subscribers(workspaceId), event)) {
      const { id } = subscriber;
      if (!isSentTo(subscriber) || !concerns(subscriber, event)) continue;
      const key = laneKey(id, incidentId);
      if (openUpdates.has(key) || takesAny(subscriber, event)) lanes.set(key, [id, incidentId, workspaceId]);
    }
  }
  return lanes;
}

const takesAny = (subscriber: Subscriber, event: OutboundEvent): boolean =>
  takesEvent(subscriber, event) ||
  (event.legacy !== undefined && subscriber.legacyUpdates === true && takesEvent(subscriber, event.legacy));
