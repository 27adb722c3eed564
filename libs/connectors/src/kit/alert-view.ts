import type { NormalizedAlert } from '@tocsin/contracts';

/** A normalised alert as people see it before it has become anything: in previews and on the command line. */
export const alertView = (alert: NormalizedAlert) => ({
  index: alert.index,
  title: alert.title,
  description: alert.description,
  severity: alert.severity,
  status: alert.status,
  kind: alert.kind,
  services: alert.services,
  tags: alert.tags,
  source: alert.source,
  url: alert.url,
  occurred_at: alert.occurredAt,
  dedup_key: alert.dedupKey,
  dedup_key_origin: alert.dedupKeyOrigin,
  resolve_key: alert.resolveKey,
  firing_key: alert.firingKey,
  incident_type: alert.incidentType,
  custom_fields: alert.customFields,
  fields: alert.fields,
  notes: alert.notes,
});
