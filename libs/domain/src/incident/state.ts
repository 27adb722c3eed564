import type { Actor, ExternalLink, Severity } from '@tocsin/contracts';

/** What every incident that exists has, whatever its status. Lists of alerts live in the projection, not here: a storm has thousands. */
export interface IncidentFacts {
  id: string;
  workspaceId: string;
  scope: string;
  number: number;
  version: number;
  title: string;
  description: string;
  severity: Severity;
  services: string[];
  tags: string[];
  source: string | null;
  connector: string | null;
  webhookId: string | null;
  url: string | null;
  incidentType: string | null;
  customFields: Record<string, unknown>;
  predecessorId: string | null;
  /** Null where a person opened it. */
  openingAlertId: string | null;
  openedAt: string;
  updatedAt: string;
  /** Null while no alert has come. */
  lastAlertAt: string | null;
  /** Alerts counted on this incident's own keys: the opening one, its repeats and recurrences, and repeats of correlated ones. */
  occurrences: number;
  /** Alerts of other keys that were correlated into it. */
  correlated: number;
  openAlerts: number;
  /** Who works on it, as people type it; null = nobody. */
  assignee: string | null;
  /** P1..P5 where a person has set one. */
  priority: string | null;
  /** Where its alerts went when a person merged it away: it stays closed then. */
  mergedInto: string | null;
  /** Incidents that were merged into this one, oldest first, at most as many as a list holds. */
  mergedFrom: string[];
  /** Its records in other systems, oldest first. */
  externalLinks: ExternalLink[];
}

export interface NoIncident {
  status: 'none';
  id: string;
  version: 0;
}
export type OpenIncident = IncidentFacts & { status: 'open' };
export type AcknowledgedIncident = IncidentFacts & {
  status: 'acknowledged';
  acknowledgedAt: string;
  acknowledgedBy: Actor;
};
/** Put aside until an instant; who had acknowledged it finds it acknowledged afterwards. */
export type SnoozedIncident = IncidentFacts & {
  status: 'snoozed';
  acknowledgedAt: string | null;
  acknowledgedBy: Actor | null;
  snoozedUntil: string;
  /** Version of the snoozing event: a timer of an earlier snooze is stale. */
  snoozedByVersion: number;
};
/** Kept without notifying anybody, until a person opens or closes it. */
export type SuppressedIncident = IncidentFacts & {
  status: 'suppressed';
  acknowledgedAt: string | null;
  suppressedAt: string;
};
export type ResolvedIncident = IncidentFacts & {
  status: 'resolved';
  acknowledgedAt: string | null;
  resolvedAt: string;
  resolvedBy: Actor;
  /** Alerts whose change is later than this are news. */
  asOf: string;
  /** Version of the closing event: the successor's id derives from it. */
  closedByVersion: number;
  /** Nothing was heard for too long: whatever is received later is news, though it may tell of a change before `asOf`. */
  byTimer: boolean;
};

export type LiveIncident = OpenIncident | AcknowledgedIncident | SnoozedIncident | SuppressedIncident;
export type ExistingIncident = LiveIncident | ResolvedIncident;
export type Incident = NoIncident | ExistingIncident;

/** A snapshot with another number is folded again from the events. Raise it when the shape of the state changes. */
export const INCIDENT_STATE_SCHEMA = 4;

export const initialState = (id: string): NoIncident => ({ status: 'none', id, version: 0 });
export const exists = (incident: Incident): incident is ExistingIncident => incident.status !== 'none';
/** Open for further alerts: there, and not closed. */
export const isLive = (incident: Incident): incident is LiveIncident =>
  incident.status !== 'none' && incident.status !== 'resolved';
