import Type from 'typebox';
import { PublicIncidentSchema } from '../alerts.ts';
import type { EventTypeDefinition } from './event-type.ts';

/** `data` of an incident event: the incident as `GET` shows it after the event, with `changed[]` and a link for people. */
export const IncidentEventDataSchema = Type.Object({
  ...PublicIncidentSchema.properties,
  changed: Type.Array(Type.String(), { description: 'Fields that differ from before the event.' }),
  url: Type.String({ description: 'Where a person sees the incident.' }),
  source_url: Type.Union([Type.String(), Type.Null()], { description: 'Where the source shows the alert.' }),
});

const incident = {
  id: 'inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  number: 42,
  workspace_id: 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  title: 'Checkout latency above 2 s',
  description: 'p99 of POST /checkout has been above 2 s for 5 minutes.',
  status: 'open',
  severity: 'critical',
  urgency: 'HIGH',
  priority: null,
  services: ['checkout'],
  tags: ['env:production'],
  source: 'prometheus',
  connector: 'prometheus',
  webhook_id: 'whk_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  incident_type: null,
  assignee: null,
  created_at: '2026-01-15T10:30:00.000Z',
  updated_at: '2026-01-15T10:30:00.000Z',
  last_alert_at: '2026-01-15T10:30:00.000Z',
  acknowledged_at: null,
  resolved_at: null,
  webhook_occurrence_count: 1,
  correlated_alert_count: 0,
  custom_fields: {},
  external_links: [],
  version: 1,
  changed: [],
  url: 'https://tocsin.example/incidents/inc_aaaaaaaaaaaaaaaaaaaaaaaaaa',
  source_url: 'https://prometheus.example/graph',
} as const;

const acknowledged = {
  ...incident,
  status: 'acknowledged',
  acknowledged_at: '2026-01-15T10:34:00.000Z',
  updated_at: '2026-01-15T10:34:00.000Z',
  version: 2,
};
const resolved = {
  ...acknowledged,
  status: 'resolved',
  resolved_at: '2026-01-15T10:52:00.000Z',
  updated_at: '2026-01-15T10:52:00.000Z',
  version: 3,
};

const type = (title: string, description: string, example: Record<string, unknown>): EventTypeDefinition => ({
  title,
  description,
  data: IncidentEventDataSchema,
  example,
  source: 'tocsin',
});

export const incidentTypes = {
  'incident.created': type('Incident opened', 'An alert, or a person, opened an incident.', incident),
  'incident.updated': type('Incident changed', 'Its fields or its alerts changed; `changed` names the fields.', {
    ...incident,
    severity: 'high',
    updated_at: '2026-01-15T10:32:00.000Z',
    version: 2,
    changed: ['severity'],
  }),
  'incident.acknowledged': type('Incident acknowledged', 'Somebody, or the source, took it on.', {
    ...acknowledged,
    changed: ['status', 'acknowledged_at'],
  }),
  'incident.resolved': type('Incident resolved', 'A person, the source or a timer closed it.', {
    ...resolved,
    changed: ['status', 'resolved_at'],
  }),
  'incident.reopened': type('Incident reopened', 'It came back, or a person opened it again.', {
    ...incident,
    updated_at: '2026-01-15T11:05:00.000Z',
    version: 4,
    changed: ['status', 'resolved_at'],
  }),
  'incident.snoozed': type('Incident snoozed', 'Put aside until an instant.', {
    ...incident,
    status: 'snoozed',
    version: 2,
    changed: ['status'],
  }),
  'incident.suppressed': type('Incident suppressed', 'Kept, without notifying anybody.', {
    ...incident,
    status: 'suppressed',
    version: 2,
    changed: ['status'],
  }),
  'incident.comment': type('Comment on an incident', 'A person or an investigation commented.', {
    ...incident,
    version: 2,
    changed: ['comments'],
  }),
} as const satisfies Record<string, EventTypeDefinition>;
