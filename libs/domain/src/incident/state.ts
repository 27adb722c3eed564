import type { Actor, Severity } from '@tocsin/contracts';

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
  openingAlertId: string;
  openedAt: string;
  updatedAt: string;
  lastAlertAt: string;
  /** Alerts counted on this incident's own keys: the opening one, its repeats and recurrences, and repeats of correlated ones. */
  occurrences: number;
  /** Alerts of other keys that were correlated into it. */
  correlated: number;
  openAlerts: number;
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
export type ResolvedIncident = IncidentFacts & {
  status: 'resolved';
  acknowledgedAt: string | null;
  resolvedAt: string;
  resolvedBy: Actor;
  /** Alerts whose change is later than this are news. */
  asOf: string;
  /** Version of the closing event: the successor's id derives from it. */
  closedByVersion: number;
};

export type ExistingIncident = OpenIncident | AcknowledgedIncident | ResolvedIncident;
export type Incident = NoIncident | ExistingIncident;

/** A snapshot with another number is folded again from the events. Raise it when the shape of the state changes. */
export const INCIDENT_STATE_SCHEMA = 1;

export const initialState = (id: string): NoIncident => ({ status: 'none', id, version: 0 });
export const exists = (incident: Incident): incident is ExistingIncident => incident.status !== 'none';
/** Open for further alerts: there, and not closed. */
export const isLive = (incident: Incident): incident is OpenIncident | AcknowledgedIncident =>
  incident.status === 'open' || incident.status === 'acknowledged';
