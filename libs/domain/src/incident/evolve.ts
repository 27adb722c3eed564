import type { LifecycleReason } from '@tocsin/contracts';
import { begun } from './beginnings.ts';
import { unreachable, type EditableFields, type IncidentEvent, type IncidentResolved } from './events.ts';
import { attached, latest, merged, moved } from './members.ts';
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

/** Reasons of a closing that nobody said: the time was over. */
const TIMER_REASONS: ReadonlySet<string | null> = new Set<LifecycleReason>(['end-passed', 'quiet']);

/** The incident after one more event. Total: an event that does not fit the state changes nothing but the version. */
export function evolve(incident: Incident, event: IncidentEvent): Incident {
  if (incident.status === 'none') return begun(incident, event);
  const next: ExistingIncident = {
    ...incident,
    version: incident.version + 1,
    updatedAt: latest(incident.updatedAt, event.at),
  };
  switch (event.type) {
    case 'IncidentOpened':
    case 'IncidentDeclared':
      return next;
    case 'AlertsAttached':
      return attached(next, event.data.alerts);
    case 'OccurrencesCounted': {
      const seen = event.data.alerts.reduce<string | null>(
        (last, alert) => latest(last, alert.last_seen_at),
        next.lastAlertAt,
      );
      return { ...next, occurrences: next.occurrences + event.data.count, lastAlertAt: seen };
    }
    case 'AlertsResolved':
      return { ...next, openAlerts: Math.max(0, next.openAlerts - event.data.alerts.length) };
    case 'SeverityChanged':
      return { ...next, severity: event.data.to };
    case 'IncidentAcknowledged':
      return isLive(next) && next.status !== 'acknowledged' ? acknowledged(next, event.at, event.actor) : next;
    case 'IncidentResolved':
      return next.status === 'resolved' ? next : resolved(next, event);
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
      return edited(next, event.data.fields);
    case 'IncidentsMerged':
      return merged(next, event.data);
    case 'AlertsMoved':
      return moved(next, event.data);
    case 'ExternalLinkAdded':
      return { ...next, externalLinks: [...next.externalLinks, event.data] };
    case 'CommentAdded':
    case 'PayloadErased':
    case 'RcaNoted':
      return next;
    default:
      return unreachable(event);
  }
}

export const fold = (incident: Incident, events: readonly IncidentEvent[]): Incident => events.reduce(evolve, incident);

/** Fields under the names that people use. */
const edited = <State extends ExistingIncident>(
  incident: State,
  { incident_type, custom_fields, ...own }: EditableFields,
): State => ({
  ...incident,
  ...own,
  ...(incident_type === undefined ? {} : { incidentType: incident_type }),
  ...(custom_fields === undefined ? {} : { customFields: custom_fields }),
});

const acknowledged = (
  incident: LiveIncident,
  at: string,
  by: AcknowledgedIncident['acknowledgedBy'],
): AcknowledgedIncident => ({ ...factsOf(incident), status: 'acknowledged', acknowledgedAt: at, acknowledgedBy: by });

const acknowledgedAtOf = (incident: LiveIncident): string | null =>
  incident.status === 'open' ? null : incident.acknowledgedAt;

function resolved(incident: LiveIncident, { at, actor, reason, data }: IncidentResolved): ResolvedIncident {
  return {
    ...factsOf(incident),
    status: 'resolved',
    openAlerts: 0,
    acknowledgedAt: acknowledgedAtOf(incident),
    resolvedAt: at,
    resolvedBy: actor,
    asOf: data.as_of,
    closedByVersion: incident.version,
    byTimer: TIMER_REASONS.has(reason),
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
  const { mergedInto, mergedFrom, externalLinks } = incident;
  return {
    ...{ id, workspaceId, scope, number, version, title, description, severity, services, tags, source },
    ...{ connector, webhookId, url, incidentType, customFields, predecessorId, openingAlertId },
    ...{ openedAt, updatedAt, lastAlertAt, occurrences, correlated, openAlerts, assignee, priority },
    ...{ mergedInto, mergedFrom, externalLinks },
  };
}
