import type { DecisionReason, Outcome, Why } from '@tocsin/contracts';
import type { IncidentEvent } from './events.ts';
import type { AlertPolicy } from './policy.ts';
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
}
