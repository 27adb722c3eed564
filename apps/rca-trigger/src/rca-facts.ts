import { CLOUD_EVENT_SOURCE, type ChangeEvent, type CloudEventHeaders, encodeRecord, type RcaEvent } from '@tocsin/contracts';
import type { Output } from '@tocsin/postgres';

const cloudEvent = (id: string, type: string, time: string, subject: string, workspace: string): Record<string, string> => {
  const headers: CloudEventHeaders = {
    ce_id: id,
    ce_source: CLOUD_EVENT_SOURCE,
    ce_specversion: '1.0',
    ce_type: `tocsin.${type}.v1`,
    ce_time: time,
    ce_subject: subject,
    ce_tocsinworkspace: workspace,
    'content-type': 'application/json',
  };
  return { ...headers };
};

/** One fact of an investigation on `rca.events`. */
export const rcaOutput = (event: RcaEvent, by: Output['by']): Output => ({
  topic: 'rca.events',
  key: event.incident_id,
  type: 'rca.event.v1',
  value: encodeRecord('rca.event.v1', event),
  headers: cloudEvent(event.id, event.type, event.at, event.incident_id, event.workspace_id),
  by,
});

/** One change on `change.events`. It is said once: its stream has one version. */
export const changeOutput = (change: ChangeEvent): Output => ({
  topic: 'change.events',
  key: change.workspace_id,
  type: 'change.event.v1',
  value: encodeRecord('change.event.v1', change),
  headers: cloudEvent(change.id, `change.${change.kind}`, change.recorded_at, change.service, change.workspace_id),
  by: { stream: change.id, version: 1n },
});
