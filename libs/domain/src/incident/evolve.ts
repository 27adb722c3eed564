import { unreachable, type AttachedAlert, type IncidentEvent, type IncidentOpened } from './events.ts';
import type {
  AcknowledgedIncident,
  ExistingIncident,
  Incident,
  IncidentFacts,
  OpenIncident,
  ResolvedIncident,
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
      return next.status === 'open' ? acknowledged(next, event.at, event.actor) : next;
    case 'IncidentResolved':
      return next.status === 'resolved' ? next : resolved(next, event.at, event.actor, event.data.as_of);
    case 'IncidentReopened':
      return next.status === 'resolved' ? reopened(next) : next;
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
  incident: OpenIncident,
  at: string,
  by: AcknowledgedIncident['acknowledgedBy'],
): AcknowledgedIncident => ({
  ...incident,
  status: 'acknowledged',
  acknowledgedAt: at,
  acknowledgedBy: by,
});

function resolved(
  incident: OpenIncident | AcknowledgedIncident,
  at: string,
  by: ResolvedIncident['resolvedBy'],
  asOf: string,
): ResolvedIncident {
  return {
    ...factsOf(incident),
    status: 'resolved',
    openAlerts: 0,
    acknowledgedAt: incident.status === 'acknowledged' ? incident.acknowledgedAt : null,
    resolvedAt: at,
    resolvedBy: by,
    asOf,
    closedByVersion: incident.version,
  };
}

const reopened = (incident: ResolvedIncident): OpenIncident => ({ ...factsOf(incident), status: 'open' });

/** Only what every status has, so that nothing of the former status stays behind in a snapshot. */
function factsOf(incident: ExistingIncident): IncidentFacts {
  const { id, workspaceId, scope, number, version, title, description, severity, services, tags, source } = incident;
  const { connector, webhookId, url, incidentType, customFields, predecessorId, openingAlertId } = incident;
  const { openedAt, updatedAt, lastAlertAt, occurrences, correlated, openAlerts } = incident;
  return {
    ...{ id, workspaceId, scope, number, version, title, description, severity, services, tags, source },
    ...{ connector, webhookId, url, incidentType, customFields, predecessorId, openingAlertId },
    ...{ openedAt, updatedAt, lastAlertAt, occurrences, correlated, openAlerts },
  };
}
