import type { IncidentFacets } from './facets.ts';
import type { Millis } from './moments.ts';

/** Which scope a row belongs to. Every row of one scope is written by the one owner of its partition. */
interface InScope {
  workspaceId: string;
  scope: string;
}

/** An alert id that has been answered. */
export interface ProcessedAlert extends InScope {
  alertId: string;
  receivedAt: Millis;
}

/** The current holder of a dedup key: the alert that took the key, and its incident. Keys are held per webhook (settled). */
export interface KeyHolder extends InScope {
  webhookId: string;
  dedupKey: string;
  resolveKey: string;
  /** Null while the alert is recorded: kept without an incident. */
  incidentId: string | null;
  /** The alert that took the key; its repeats count on it. */
  alertId: string;
  /** The newest occurrence. The incident-store may have counted it elsewhere than expected, so follow-ups name it too. */
  lastAlertId: string;
  /** Record times of its first and last occurrence: what the dedup window counts from. */
  firstAt: Millis;
  lastAt: Millis;
  /** Event time of the newest trigger: a resolve that is older came too late. */
  lastTriggerAt: Millis;
  firingKey: string | null;
  /** False once its source has resolved it. */
  alertOpen: boolean;
  /** Record times of its newest changes between firing and resolved, as far as they count for flapping. */
  toggles: Millis[];
  /** It flaps: nobody is told about it before this record time. */
  heldUntil: Millis | null;
}

/** What is remembered per resolve key, so that a late trigger is known to be over. */
export interface OrderMemory extends InScope {
  webhookId: string;
  resolveKey: string;
  /** Newest event time of a resolve, or of an acknowledge that found no open alert. */
  closedAt: Millis;
  closedBy: 'resolved' | 'acknowledged';
  /** Record time after which it counts no more: the dedup window after the record that said so. */
  keptUntil: Millis;
}

/** An incident as the correlator knows it, from its own decisions and from facts. */
export interface KnownIncident extends InScope {
  incidentId: string;
  /** Newest stream version that a fact named; 0 until the incident-store has confirmed it. */
  version: number;
  openedAt: Millis;
  lastAlertAt: Millis;
  /** Record time of the fact that closed it; null while open. */
  closedAt: Millis | null;
  services: string[];
  /** The webhook whose alerts above the limit it holds, or `STORM`. Nothing joins it by service. */
  rollUpOf: string | null;
  /** Its own values for rules; null where they are not known (a successor). */
  facets: IncidentFacets | null;
  /** Under which it is found, beside its services; empty while nothing may join it. */
  terms: string[];
}

/** How many new keys came to a scope lately, and the storm that they make. */
export interface StormState extends InScope {
  /** New keys that joined nothing that was there, per tenth of a window, the oldest first. */
  arrivals: { at: Millis; count: number }[];
  /** Record time of the newest one above the threshold; null where there is no storm. */
  overAt: Millis | null;
  /** The incident of this storm; null before its first roll-up. */
  incidentId: string | null;
}

export type Change =
  | { kind: 'processed'; processed: ProcessedAlert }
  | { kind: 'key'; key: KeyHolder }
  | { kind: 'order'; order: OrderMemory }
  | { kind: 'incident'; incident: KnownIncident }
  | { kind: 'storm'; storm: StormState };

/** Rows of the state that changed: what a store writes after a batch. */
export interface CorrelationRows {
  processed: ProcessedAlert[];
  keys: KeyHolder[];
  orders: OrderMemory[];
  incidents: KnownIncident[];
  storms: StormState[];
}

/** Rows that a store loads for a batch; of answered alerts only the id matters. */
export interface StoredRows extends Omit<CorrelationRows, 'processed'> {
  processed: Pick<ProcessedAlert, 'alertId'>[];
}

/** Where a key's holder, and what is remembered of its resolve key, are found. */
export interface KeyPath {
  scope: string;
  webhookId: string;
  /** The dedup key, or the resolve key. */
  key: string;
}

/** What a decision may look at: lookups by key and by index term, never a walk over all incidents. */
export interface CorrelationView {
  isProcessed(alertId: string): boolean;
  key(path: KeyPath): KeyHolder | undefined;
  keysOf(resolvePath: KeyPath): readonly KeyHolder[];
  order(resolvePath: KeyPath): OrderMemory | undefined;
  incident(scope: string, incidentId: string): KnownIncident | undefined;
  /** Open incidents under an index term that had an alert at or after `since`, the most recently active first. */
  openUnder(scope: string, term: string, since: Millis): Iterable<KnownIncident>;
  /** The open incident that holds the alerts above the webhook's limit, the newest of them. */
  rollUp(scope: string, webhookId: string): KnownIncident | undefined;
  storm(scope: string): StormState | undefined;
}

/**
 * Total order of incidents by activity: negative when `a` was active before `b`. Ties go to the one opened later,
 * then to the greater id, so that every replay of one log picks the same candidate.
 */
export function byActivity(a: KnownIncident, b: KnownIncident): number {
  return (
    a.lastAlertAt - b.lastAlertAt ||
    a.openedAt - b.openedAt ||
    (a.incidentId < b.incidentId ? -1 : a.incidentId > b.incidentId ? 1 : 0)
  );
}

/** Total order of incidents by when they opened. */
export const byOpening = (a: KnownIncident, b: KnownIncident): number =>
  a.openedAt - b.openedAt || (a.incidentId < b.incidentId ? -1 : a.incidentId > b.incidentId ? 1 : 0);
