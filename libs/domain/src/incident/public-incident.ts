import { urgencyOf, type PublicIncident } from '@tocsin/contracts';
import type { ExistingIncident } from './state.ts';

/** The incident as every door shows it. */
export function publicIncident(incident: ExistingIncident): PublicIncident {
  return {
    id: incident.id,
    number: incident.number,
    workspace_id: incident.workspaceId,
    title: incident.title,
    description: incident.description,
    status: incident.status,
    severity: incident.severity,
    urgency: urgencyOf(incident.severity),
    priority: incident.priority,
    services: incident.services,
    tags: incident.tags,
    source: incident.source,
    connector: incident.connector,
    webhook_id: incident.webhookId,
    url: incident.url,
    incident_type: incident.incidentType,
    assignee: incident.assignee,
    created_at: incident.openedAt,
    updated_at: incident.updatedAt,
    last_alert_at: incident.lastAlertAt,
    acknowledged_at: incident.status === 'open' ? null : incident.acknowledgedAt,
    resolved_at: incident.status === 'resolved' ? incident.resolvedAt : null,
    snoozed_until: incident.status === 'snoozed' ? incident.snoozedUntil : null,
    predecessor_id: incident.predecessorId,
    merged_into: incident.mergedInto,
    merged_from: incident.mergedFrom,
    webhook_occurrence_count: incident.occurrences,
    correlated_alert_count: incident.correlated,
    custom_fields: incident.customFields,
    external_links: incident.externalLinks,
    version: incident.version,
  };
}
