import type { IncidentDeclared, IncidentEvent, IncidentOpened } from './events.ts';
import type { Incident, OpenIncident } from './state.ts';

/** The first event of a stream; any other one begins nothing. */
export function begun(none: Incident, event: IncidentEvent): Incident {
  if (event.type === 'IncidentOpened') return opened(none.id, event);
  return event.type === 'IncidentDeclared' ? declared(none.id, event) : none;
}

/** What both ways of beginning have in common. */
const beginning = (id: string, { at, data }: IncidentOpened | IncidentDeclared) => ({
  ...{ status: 'open' as const, id, version: 1, workspaceId: data.workspace_id, scope: data.scope },
  ...{ number: data.number, title: data.title, description: data.description, severity: data.severity },
  ...{ services: data.services, tags: data.tags, source: data.source, connector: data.connector },
  ...{ webhookId: data.webhook_id, url: data.url, incidentType: data.incident_type, customFields: data.custom_fields },
  ...{ openedAt: at, updatedAt: at, correlated: 0, mergedInto: null, mergedFrom: [], externalLinks: [] },
});

const opened = (id: string, event: IncidentOpened): OpenIncident => ({
  ...beginning(id, event),
  ...{ predecessorId: event.data.predecessor_id, openingAlertId: event.data.alert.id },
  ...{ lastAlertAt: event.data.alert.received_at, occurrences: 1, openAlerts: 1, assignee: null, priority: null },
});

const declared = (id: string, event: IncidentDeclared): OpenIncident => ({
  ...beginning(id, event),
  ...{ predecessorId: null, openingAlertId: null, lastAlertAt: null, occurrences: 0, openAlerts: 0 },
  ...{ assignee: event.data.assignee, priority: event.data.priority },
});
