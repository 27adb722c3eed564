import { unreachable, type AttachedAlert, type IncidentEvent, type IncidentOpened } from './events.ts';
import {
  isLive,
  type AcknowledgedIncident,
  type ExistingIncident,
  type Incident,
  type IncidentFacts,
  type LiveIncident,
  type OpenIncident,
  type ResolvedIncident,
  type SnoozedIncident,
  type SuppressedIncident,
} from './state.ts';

/** Services and tags of an incident are a union over its alerts, kept to the list limit of product P7. */
const LIST_MAX = 100;
const union = (known: string[], added: string[]): string[] =>
  added.every((item) => known.includes(item)) ? known : [...new Set([...known, ...added])].slice(0, LIST_MAX);
const latest = (a: string, b: string): string => (a < b ? b : a);

/** The incident after one more event. Total: an event that does not fit the state changes nothing but the version. */
export function evolve(incident: Incident, event: IncidentEvent): Incident {
  if (incident.status === 'none') return event.type === 'IncidentOpened' ? opened(incident.id, event) : incident;
  const next: ExistingIncident = {
    ...incident,
    version: incident.version + 1,
    updatedAt: latest(incident.updatedAt, event.at),
  };
  switch (event.type) {
    case 'IncidentOpened':
      return next;
    case 'AlertsAttached':
      return attached(next, event.data.alerts);
    case 'OccurrencesCounted': {
      const seen = event.data.alerts.reduce((last, alert) => latest(last, alert.last_seen_at), next.lastAlertAt);
      return { ...next, occurrences: next.occurrences + event.data.count, lastAlertAt: seen };
    }
    case 'AlertsResolved':
      return { ...next, openAlerts: Math.max(0, next.openAlerts - event.data.alerts.length) };
    case 'SeverityChanged':
      return { ...next, severity: event.data.to };
    case 'IncidentAcknowledged':
      return isLive(next) && next.status !== 'acknowledged' ? acknowledged(next, event.at, event.actor) : next;
    case 'IncidentResolved':
      return next.status === 'resolved' ? next : resolved(next, event.at, event.actor, event.data.as_of);
    case 'IncidentReopened':
      return next.status === 'open' ? next : reopened(next);
    case 'IncidentSnoozed':
      return isLive(next) ? snoozed(next, event.data.until) : next;
    case 'SnoozeEnded':
      return next.status === 'snoozed' ? awoken(next) : next;
    case 'IncidentSuppressed':
      return isLive(next) ? suppressed(next, event.at) : next;
    case 'IncidentAssigned':
      return { ...next, assignee: event.data.assignee };
    case 'IncidentEdited':
      return { ...next, ...event.data.fields };
    case 'CommentAdded':
    case 'RcaNoted':
      return next;
    default:
      return unreachable(event);
  }
}

export const fold = (incident: Incident, events: readonly IncidentEvent[]): Incident => events.reduce(evolve, incident);

function opened(id: string, { at, data }: IncidentOpened): OpenIncident {
  return {
    status: 'open',
    id,
    workspaceId: data.workspace_id,
    scope: data.scope,
    number: data.number,
    version: 1,
    title: data.title,
    description: data.description,
    severity: data.severity,
    services: data.services,
    tags: data.tags,
    source: data.source,
    connector: data.connector,
    webhookId: data.webhook_id,
    url: data.url,
    incidentType: data.incident_type,
    customFields: data.custom_fields,
    predecessorId: data.predecessor_id,
    openingAlertId: data.alert.id,
    openedAt: at,
    updatedAt: at,
    lastAlertAt: data.alert.received_at,
    occurrences: 1,
    correlated: 0,
    openAlerts: 1,
    assignee: null,
    priority: null,
  };
}

function attached<State extends ExistingIncident>(incident: State, alerts: AttachedAlert[]): State {
  const correlated = alerts.filter((alert) => alert.role === 'correlated').length;
  return {
    ...incident,
    services: union(
      incident.services,
      alerts.flatMap((alert) => alert.services),
    ),
    tags: union(
      incident.tags,
      alerts.flatMap((alert) => alert.tags),
    ),
    lastAlertAt: alerts.reduce((last, alert) => latest(last, alert.received_at), incident.lastAlertAt),
    correlated: incident.correlated + correlated,
    occurrences: incident.occurrences + alerts.length - correlated,
    openAlerts: incident.openAlerts + alerts.filter((alert) => alert.status === 'open').length,
  };
}

const acknowledged = (
  incident: LiveIncident,
  at: string,
  by: AcknowledgedIncident['acknowledgedBy'],
): AcknowledgedIncident => ({ ...factsOf(incident), status: 'acknowledged', acknowledgedAt: at, acknowledgedBy: by });

const acknowledgedAtOf = (incident: LiveIncident): string | null =>
  incident.status === 'open' ? null : incident.acknowledgedAt;

function resolved(
  incident: LiveIncident,
  at: string,
  by: ResolvedIncident['resolvedBy'],
  asOf: string,
): ResolvedIncident {
  return {
    ...factsOf(incident),
    status: 'resolved',
    openAlerts: 0,
    acknowledgedAt: acknowledgedAtOf(incident),
    resolvedAt: at,
    resolvedBy: by,
    asOf,
    closedByVersion: incident.version,
  };
}

const reopened = (incident: ExistingIncident): OpenIncident => ({ ...factsOf(incident), status: 'open' });

const snoozed = (incident: LiveIncident, until: string): SnoozedIncident => ({
  ...factsOf(incident),
  status: 'snoozed',
  acknowledgedAt: acknowledgedAtOf(incident),
  acknowledgedBy: incident.status === 'acknowledged' || incident.status === 'snoozed' ? incident.acknowledgedBy : null,
  snoozedUntil: until,
  snoozedByVersion: incident.version,
});

/** After a snooze the incident is what it was before: acknowledged where somebody had done so. */
function awoken(incident: SnoozedIncident): OpenIncident | AcknowledgedIncident {
  const { acknowledgedAt, acknowledgedBy } = incident;
  if (acknowledgedAt === null || acknowledgedBy === null) return reopened(incident);
  return { ...factsOf(incident), status: 'acknowledged', acknowledgedAt, acknowledgedBy };
}

const suppressed = (incident: LiveIncident, at: string): SuppressedIncident => ({
  ...factsOf(incident),
  status: 'suppressed',
  acknowledgedAt: acknowledgedAtOf(incident),
  suppressedAt: at,
});

/** Only what every status has, so that nothing of the former status stays behind in a snapshot. */
function factsOf(incident: ExistingIncident): IncidentFacts {
  const { id, workspaceId, scope, number, version, title, description, severity, services, tags, source } = incident;
  const { connector, webhookId, url, incidentType, customFields, predecessorId, openingAlertId } = incident;
  const { openedAt, updatedAt, lastAlertAt, occurrences, correlated, openAlerts, assignee, priority } = incident;
  return {
    ...{ id, workspaceId, scope, number, version, title, description, severity, services, tags, source },
    ...{ connector, webhookId, url, incidentType, customFields, predecessorId, openingAlertId },
    ...{ openedAt, updatedAt, lastAlertAt, occurrences, correlated, openAlerts, assignee, priority },
  };
}
