import { deriveId, encodeRecord, eventIdOf, type IncidentEventRecord } from '@tocsin/contracts';
import type { Batch } from '@tocsin/postgres';
import { WORKSPACE } from './harness.ts';

const at = '2026-03-01T10:00:00.000Z';
export const incidentId = (name: string): string => deriveId('inc', name);

/** One incident event as incident-store publishes it. */
export function anIncidentEvent(
  incident: string,
  version: number,
  type = 'IncidentAcknowledged',
  name: string | null = 'incident.acknowledged',
): IncidentEventRecord {
  const id = incidentId(incident);
  return {
    event: {
      ...{
        id: eventIdOf(id, version),
        stream: id,
        version,
        type,
        schema_version: 1,
        at,
        actor: { kind: 'system', id: null, name: null },
      },
      ...{
        cause_id: `cause-${version}`,
        cause_ordinal: 0,
        reason: null,
        config_revision: 1,
        data: {},
        digest: '',
        prev_hash: '',
        hash: '',
      },
    },
    incident: {
      ...{
        id,
        number: 1,
        workspace_id: WORKSPACE,
        title: 'Disk full',
        description: '',
        status: 'open',
        severity: 'high',
        urgency: 'HIGH',
        priority: null,
      },
      ...{
        services: ['db'],
        tags: [],
        source: null,
        connector: 'generic',
        webhook_id: null,
        url: 'https://source.example/1',
        incident_type: null,
      },
      ...{
        assignee: null,
        created_at: at,
        updated_at: at,
        last_alert_at: at,
        acknowledged_at: null,
        resolved_at: null,
      },
      ...{ webhook_occurrence_count: 1, correlated_alert_count: 1, custom_fields: {}, external_links: [], version },
    },
    changed: ['status'],
    sequence: version,
    outbound_name: name,
  };
}

let offset = 0n;
export const aBatch = (...records: IncidentEventRecord[]): Batch => ({
  source: { group: 'outbound-dispatcher', topic: 'incident.events', partition: 0 },
  logId: 'test',
  inputs: records.map((record) => ({
    offset: offset++,
    key: record.incident.id,
    type: 'incident.event.v1',
    value: Buffer.from(encodeRecord('incident.event.v1', record)),
    headers: {},
    timestamp: 0,
  })),
  heartbeat: () => Promise.resolve(),
});
