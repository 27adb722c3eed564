import type { DecisionReason, NormalizedAlert, Outcome, Why } from '@tocsin/contracts';
import type { IncidentEvent } from './events.ts';
import type { AlertPolicy, Deadline } from './policy.ts';
import type { Incident } from './state.ts';

/** Current holder of a dedup key: at most one per (scope, webhook, key). */
export interface KeyHolder {
  workspaceId: string;
  scope: string;
  webhookId: string;
  dedupKey: string;
  resolveKey: string;
  incidentId: string;
  alertId: string;
}

/** An attached alert, as far as decisions need it. */
export interface KnownAlert {
  id: string;
  incidentId: string;
  webhookId: string;
  status: 'open' | 'resolved';
  severity: string;
  occurrences: number;
  firingKey: string | null;
  firstSeenAt: string;
  lastSeenAt: string;
}

/** `promoted` and `taken-over`: an incident has it, or its key, now. */
export const recordedStatuses = ['recorded', 'resolved', 'promoted', 'taken-over'] as const;
export type RecordedStatus = (typeof recordedStatuses)[number];

/** An alert that is kept without an incident (product P11, `open_when`), with its repeats. */
export interface RecordedAlert {
  alert: NormalizedAlert;
  why: Why;
  status: RecordedStatus;
  incidentId: string | null;
  occurrences: number;
  lastSeenAt: string;
  /** When it ended: resolved by its source, promoted, or taken over. */
  endedAt: string | null;
}

/** What became of one alert: the answer to its sender, stored once under the alert's id. */
export interface AlertSettled {
  alertId: string;
  index: number;
  workspaceId: string;
  webhookId: string;
  receiptId: string;
  incidentId: string | null;
  outcome: Outcome;
  reason: DecisionReason;
  occurrenceCount: number | null;
  /** The attached alert that it was counted on, so that a later resolve of either finds the other. */
  countedOn: string | null;
  /** Kept here for alerts that no event carries. */
  why: Why | null;
  settledAt: string;
}

/** Everything that the decisions of one batch look at, loaded under the locks. */
export interface World {
  incidents: ReadonlyMap<string, Incident>;
  holders: readonly KeyHolder[];
  alerts: ReadonlyMap<string, KnownAlert>;
  /** Alerts that have been settled before, by alert id. */
  settled: ReadonlyMap<string, AlertSettled>;
  /** Closed (or never opened) incident → the one that later records for it go to. */
  successors: ReadonlyMap<string, string>;
  /** Alerts that are or were kept without an incident, as far as the batch names them. */
  recorded?: ReadonlyMap<string, RecordedAlert>;
  policyOf(webhookId: string, revision: number): AlertPolicy;
}

/** What one batch does to one incident. */
export interface IncidentChange {
  before: Incident;
  events: IncidentEvent[];
}

export interface AlertActivity {
  alertId: string;
  workspaceId: string;
  incidentId: string;
  firingKey: string | null;
  firstSeenAt: string;
  lastSeenAt: string;
  /** When it is over unless it is heard of again; null = nobody has said. */
  deadline: Deadline | null;
}

/** What a batch wants written; the stage turns it into one statement per table. */
export interface BatchPlan {
  changes: IncidentChange[];
  settled: AlertSettled[];
  activity: AlertActivity[];
  acquired: KeyHolder[];
  /** Attached alerts that no longer hold their key. */
  releasedAlerts: string[];
  /** Incidents that were closed in this batch: all their keys are free. */
  releasedIncidents: string[];
  successors: { incidentId: string; successorId: string; workspaceId: string }[];
  /** Incidents whose status or keys the correlator should hear about, with the keys that came to them. */
  facts: { incidentId: string; keys: KeyHolder[] }[];
  /** Ids that the correlator opened and that will never exist: their alert went to `successors`. */
  unopened: { incidentId: string; workspaceId: string; scope: string; at: string }[];
  /** Recorded alerts that are new or changed, as they are after the batch. */
  recorded: RecordedAlert[];
}
