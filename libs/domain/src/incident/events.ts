import type { Actor, ExternalLink, RcaEvent, Severity, Why } from '@tocsin/contracts';

/**
 * Events of an incident stream, past tense, plural where a batch brings many (architecture §10).
 * `data` is snake_case: the stored bytes are what subscribers get, and what the digest covers, so they have one shape only.
 * A changed shape is a new `schemaVersion`; the sample of the old one must still fold (`event-samples.ts`).
 */
export interface EventOf<Type extends string, Data> {
  type: Type;
  schemaVersion: 1;
  /** Record time of what caused it (ISO 8601, ms): for alerts `receivedAt`, so that a replay gives the same events. */
  at: string;
  actor: Actor;
  /** Id of the alert, command or fact that caused it. With an ordinal it is unique per stream. */
  causeId: string;
  reason: string | null;
  configRevision: number;
  data: Data;
}

/** `opening`: made the incident. `correlated`: another key. `recurrence`: a key of this incident that had been resolved. */
export type AlertRole = 'opening' | 'correlated' | 'recurrence';

/** An alert as the incident keeps it. */
export interface AttachedAlert {
  id: string;
  receipt_id: string;
  webhook_id: string;
  connector: string;
  kind: string;
  title: string;
  severity: Severity;
  /** `resolved` where it arrived after its incident had been closed. */
  status: 'open' | 'resolved';
  services: string[];
  tags: string[];
  source: string | null;
  url: string | null;
  dedup_key: string;
  resolve_key: string;
  firing_key: string | null;
  occurred_at: string | null;
  received_at: string;
  role: AlertRole;
  why: Why;
}

export interface CountedAlert {
  /** The attached alert that holds the key. */
  alert_id: string;
  count: number;
  last_seen_at: string;
  /** The alerts that were counted on it. */
  alert_ids: string[];
}

/** What alerts of a key that flaps have done: subscribers are told of it at this instant, once; absent = at once. */
export type Held = { hold_until?: string };

export type IncidentOpened = EventOf<
  'IncidentOpened',
  Held & {
    workspace_id: string;
    scope: string;
    /** Human number within the workspace. */
    number: number;
    title: string;
    description: string;
    severity: Severity;
    services: string[];
    tags: string[];
    source: string | null;
    connector: string | null;
    webhook_id: string | null;
    url: string | null;
    incident_type: string | null;
    custom_fields: Record<string, unknown>;
    /** The closed incident that this one succeeds, or null. */
    predecessor_id: string | null;
    alert: AttachedAlert;
  }
>;
/** A person opened it, by hand or for alerts that come with `AlertsMoved`. */
export type IncidentDeclared = EventOf<
  'IncidentDeclared',
  {
    workspace_id: string;
    scope: string;
    /** Human number within the workspace. */
    number: number;
    title: string;
    description: string;
    severity: Severity;
    priority: string | null;
    services: string[];
    tags: string[];
    source: string | null;
    /** Of the alerts that it is opened for; null by hand. */
    connector: string | null;
    webhook_id: string | null;
    url: string | null;
    incident_type: string | null;
    custom_fields: Record<string, unknown>;
    assignee: string | null;
  }
>;
export type AlertsAttached = EventOf<'AlertsAttached', Held & { alerts: AttachedAlert[] }>;
export type OccurrencesCounted = EventOf<'OccurrencesCounted', Held & { count: number; alerts: CountedAlert[] }>;
export type AlertsResolved = EventOf<
  'AlertsResolved',
  Held & { alerts: { alert_id: string; resolved_at: string; by_alert_id: string }[] }
>;
export type SeverityChanged = EventOf<
  'SeverityChanged',
  Held & { from: Severity; to: Severity; policy: string; alert_id: string | null }
>;
export type IncidentAcknowledged = EventOf<'IncidentAcknowledged', { note: string | null; alert_id: string | null }>;
export type IncidentResolved = EventOf<
  'IncidentResolved',
  Held & {
    note: string | null;
    alert_id: string | null;
    /** The instant that later alerts are compared with: the source's own time of the change, or when the person acted. */
    as_of: string;
    /** Alerts that were still open and are closed with it. */
    open_alerts: number;
  }
>;
export type IncidentReopened = EventOf<'IncidentReopened', Held & { note: string | null; alert_id: string | null }>;
export type IncidentAssigned = EventOf<'IncidentAssigned', { assignee: string | null; before: string | null }>;
export type IncidentSnoozed = EventOf<'IncidentSnoozed', { until: string; note: string | null }>;
/** `by_timer`: the time was over; otherwise a person ended it. */
export type SnoozeEnded = EventOf<'SnoozeEnded', { by_timer: boolean; note: string | null }>;
export type IncidentSuppressed = EventOf<'IncidentSuppressed', { note: string | null }>;
export type CommentAdded = EventOf<'CommentAdded', { text: string }>;
export type EditableFields = {
  title?: string;
  description?: string;
  url?: string | null;
  priority?: string | null;
  tags?: string[];
  services?: string[];
  incident_type?: string | null;
  custom_fields?: Record<string, unknown>;
};
export type IncidentEdited = EventOf<
  'IncidentEdited',
  { fields: EditableFields; before: EditableFields; alert_id: string | null }
>;
/** An alert on its way to another incident, as it is there: `role` and `status` of `alert` are those it has from now on. */
export interface ArrivingAlert {
  alert: AttachedAlert;
  occurrences: number;
  resolved_at: string | null;
  last_seen_at: string;
}
/** An alert that has left, as far as the counts of the incident go. */
export interface LeavingAlert {
  alert_id: string;
  role: AlertRole;
  status: 'open' | 'resolved';
  occurrences: number;
}
/** Alerts came from another incident (`in`) or went to one (`out`), both told in one transaction. */
export type AlertsMoved = EventOf<
  'AlertsMoved',
  | { direction: 'in'; incident_id: string; note: string | null; alerts: ArrivingAlert[] }
  | { direction: 'out'; incident_id: string; note: string | null; alerts: LeavingAlert[] }
>;

export interface MergedIncident {
  incident_id: string;
  number: number;
  title: string;
  services: string[];
  tags: string[];
}
/** Incidents became one. The survivor names those it took in; each of them names where it went, and is closed with it. */
export type IncidentsMerged = EventOf<
  'IncidentsMerged',
  | { role: 'survivor'; incidents: MergedIncident[]; note: string | null }
  | { role: 'merged'; into: { incident_id: string; number: number; title: string }; note: string | null }
>;
/** The content of earlier events is gone. `salt` and `digest` (hex) are of what stands in its place. */
export type PayloadErased = EventOf<
  'PayloadErased',
  { note: string | null; payloads: { version: number; salt: string; digest: string }[] }
>;
/** A record of it was made, or found, in another system. */
export type ExternalLinkAdded = EventOf<'ExternalLinkAdded', ExternalLink>;
export type RcaNoted = EventOf<
  'RcaNoted',
  {
    rca_id: string;
    outcome: 'completed' | 'failed';
    investigator: RcaEvent['investigator'];
    summary: string | null;
    hypotheses: RcaEvent['hypotheses'];
  }
>;

export type IncidentEvent =
  | IncidentOpened
  | IncidentDeclared
  | AlertsAttached
  | OccurrencesCounted
  | AlertsResolved
  | SeverityChanged
  | IncidentAcknowledged
  | IncidentResolved
  | IncidentReopened
  | IncidentAssigned
  | IncidentSnoozed
  | SnoozeEnded
  | IncidentSuppressed
  | CommentAdded
  | IncidentEdited
  | IncidentsMerged
  | AlertsMoved
  | PayloadErased
  | ExternalLinkAdded
  | RcaNoted;
export type IncidentEventType = IncidentEvent['type'];

/** An event holds at most this many alerts; a larger batch becomes several events (architecture §9). */
export const EVENT_ALERTS_MAX = 200;

/** For the `default` of a switch over a closed union: the compiler proves that nothing reaches it. */
export function unreachable(value: never): never {
  throw new Error(`not in the closed list: ${JSON.stringify(value)}`);
}
