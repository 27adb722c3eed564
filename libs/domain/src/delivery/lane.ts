import type { RenderedBody } from './envelope.ts';
import type { BodyForm, OutboundEvent, Subscriber } from './plan.ts';

const UPDATED = 'incident.updated';

/** What is known of one (subscription, incident): the lane in which deliveries follow each other. */
export interface Lane {
  lastSequence: number;
  lastUpdateAt: Date | null;
  unfinished: boolean;
  /** The last delivery of the lane, when it is an update that nobody has claimed yet. */
  openUpdate: OpenUpdate | null;
}

/** A delivery that takes in what happens until it goes: an update that alerts cause, or what an alert that flaps does. */
export interface OpenUpdate {
  id: string;
  changed: string[];
  dueAt: Date;
  /** Outbound name of the event in it; absent = `incident.updated`. */
  name?: string;
}

/** New content or time of an open update that is already stored. */
export interface ChangedUpdate {
  id: string;
  eventId: string | null;
  /** Absent: it stays what it is. */
  eventName?: string;
  sequence: number | null;
  changed: string[] | null;
  content: RenderedBody | null;
  dueAt: Date;
  mergeable: boolean;
}

export const emptyLane = (): Lane => ({ lastSequence: 0, lastUpdateAt: null, unfinished: false, openUpdate: null });
export const laneKey = (subscriptionId: string, incidentId: string): string => `${subscriptionId} ${incidentId}`;

/** Whether an open update waits for the end of a hold: any other one is due when its lane has its last update. */
export const isHeld = ({ dueAt }: OpenUpdate, { lastUpdateAt }: Lane): boolean =>
  dueAt.getTime() !== lastUpdateAt?.getTime();

export const isFirst = ({ ordered }: Subscriber, { unfinished }: Lane): boolean => ordered === false || !unfinished;

/** A stored update of which only the time changes. */
export const nothingNew = ({ id, dueAt }: OpenUpdate): ChangedUpdate => ({
  ...{ id, eventId: null, sequence: null, changed: null, content: null, dueAt, mergeable: true },
});

/**
 * What a further event makes of an open update: it says what the newer event says, under its name. An update behind a change of the
 * status, which is news, does not replace that.
 */
export function contentAfter(open: OpenUpdate, event: OutboundEvent, form: BodyForm): Partial<ChangedUpdate> {
  const { name } = open;
  if (event.name === UPDATED && name !== undefined && name !== UPDATED) return {};
  if (name !== undefined) open.name = event.name;
  return {
    ...{ eventId: event.id, sequence: event.sequence, content: event.render(open.changed, form) },
    ...(name !== undefined && name !== event.name && { eventName: event.name }),
  };
}
