import type { IncidentEventName, PublicIncident } from '@tocsin/contracts';
import type { IncidentEventType } from './events.ts';

interface Published {
  /** Outbound name, or null where subscribers get no webhook (product P12). */
  name: IncidentEventName | null;
  /** Fields of the public incident that the event may change; those that did are told. */
  fields: readonly (keyof PublicIncident)[];
  /** What changes beside the incident's own fields. */
  always?: readonly string[];
}

/** Closed table: every event type has a row, or it does not compile. */
export const published = {
  IncidentOpened: { name: 'created', fields: [] },
  IncidentDeclared: { name: 'created', fields: [] },
  AlertsAttached: {
    name: 'updated',
    fields: ['correlated_alert_count', 'webhook_occurrence_count', 'last_alert_at', 'services', 'tags'],
  },
  OccurrencesCounted: { name: 'updated', fields: ['webhook_occurrence_count', 'last_alert_at'] },
  AlertsResolved: { name: 'updated', fields: [], always: ['alerts'] },
  SeverityChanged: { name: 'updated', fields: ['severity', 'urgency'] },
  IncidentEdited: {
    name: 'updated',
    fields: ['title', 'description', 'url', 'priority', 'tags', 'services', 'incident_type', 'custom_fields'],
  },
  IncidentsMerged: { name: 'updated', fields: ['merged_into', 'merged_from', 'services', 'tags'] },
  AlertsMoved: {
    name: 'updated',
    fields: ['correlated_alert_count', 'webhook_occurrence_count', 'last_alert_at', 'services', 'tags'],
    always: ['alerts'],
  },
  IncidentAssigned: { name: 'updated', fields: ['assignee'] },
  IncidentSnoozed: { name: 'snoozed', fields: ['status'] },
  SnoozeEnded: { name: 'updated', fields: ['status'] },
  IncidentSuppressed: { name: 'suppressed', fields: ['status'] },
  IncidentAcknowledged: { name: 'acknowledged', fields: ['status', 'acknowledged_at'] },
  IncidentResolved: { name: 'resolved', fields: ['status', 'resolved_at'] },
  IncidentReopened: { name: 'reopened', fields: ['status', 'resolved_at', 'acknowledged_at'] },
  CommentAdded: { name: 'comment', fields: [], always: ['comments'] },
  ExternalLinkAdded: { name: 'updated', fields: ['external_links'] },
  PayloadErased: {
    name: 'updated',
    fields: [
      ...(['title', 'description', 'services', 'tags', 'source', 'url', 'assignee'] as const),
      ...(['custom_fields', 'incident_type', 'external_links'] as const),
    ],
  },
  RcaNoted: { name: null, fields: [], always: ['rca'] },
} as const satisfies Record<IncidentEventType, Published>;

/** `tocsin.incident.<name>.v1`, or `noted` where there is no outbound name (settled, Topics). */
export const cloudEventTypeOf = (type: IncidentEventType): string =>
  `tocsin.incident.${published[type].name ?? 'noted'}.v1`;
export const outboundNameOf = (type: IncidentEventType): string | null =>
  published[type].name === null ? null : `incident.${published[type].name}`;

/** Names of what an event has changed, out of its row of the table. */
export function changedBy(type: IncidentEventType, before: PublicIncident | null, after: PublicIncident): string[] {
  const { fields, always = [] }: Published = published[type];
  const differs = (field: keyof PublicIncident) => JSON.stringify(before?.[field]) !== JSON.stringify(after[field]);
  return [...fields.filter(differs), ...always];
}
