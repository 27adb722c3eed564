import {
  CLOUD_EVENT_SOURCE,
  type ChangeEvent,
  type CloudEventHeaders,
  encodeRecord,
  type RcaEvent,
} from '@tocsin/contracts';
import type { Output } from '@tocsin/postgres';

const cloudEvent = (
  about: Record<'id' | 'type' | 'time' | 'subject' | 'workspace', string>,
): Record<string, string> => {
  const headers: CloudEventHeaders = {
    ce_id: about.id,
    ce_source: CLOUD_EVENT_SOURCE,
    ce_specversion: '1.0',
    ce_type: `tocsin.${about.type}.v1`,
    ce_time: about.time,
    ce_subject: about.subject,
    ce_tocsinworkspace: about.workspace,
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
  headers: cloudEvent({
    id: event.id,
    type: event.type,
    time: event.at,
    subject: event.incident_id,
    workspace: event.workspace_id,
  }),
  by,
});

/** One change on `change.events`. It is said once: its stream has one version. */
export const changeOutput = (change: ChangeEvent): Output => ({
  topic: 'change.events',
  key: change.workspace_id,
  type: 'change.event.v1',
  value: encodeRecord('change.event.v1', change),
  headers: cloudEvent({
    id: change.id,
    type: `change.${change.kind}`,
    time: change.recorded_at,
    subject: change.service,
    workspace: change.workspace_id,
  }),
  by: { stream: change.id, version: 1n },
});
