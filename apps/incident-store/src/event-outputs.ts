import { CLOUD_EVENT_SOURCE, encodeRecord, type CloudEventHeaders, type PublicIncidentEvent } from '@tocsin/contracts';
import { changedBy, cloudEventTypeOf, exists, outboundNameOf, publicIncident } from '@tocsin/domain/incident';
import type { Input, Output } from '@tocsin/postgres';
import type { AppendedStream, StoredEvent } from './incident-log.ts';

const cloudEvent = (stored: StoredEvent, type: string): CloudEventHeaders & Record<string, string> => ({
  ce_id: stored.id,
  ce_source: CLOUD_EVENT_SOURCE,
  ce_specversion: '1.0',
  ce_type: type,
  ce_time: stored.meta.at,
  ce_subject: stored.stream,
  ce_tocsinworkspace: stored.meta.workspace_id,
  'content-type': 'application/json',
});

/** A stored event as subscribers get it: complete, with its place in the chain. */
export function publicEvent({
  id,
  stream,
  version,
  event,
  meta,
  digest,
  salt,
  prevHash,
  hash,
}: StoredEvent): PublicIncidentEvent {
  const { schema_version, at, actor, cause_id, cause_ordinal, reason, config_revision } = meta;
  return {
    ...{
      id,
      stream,
      version,
      type: event.type,
      schema_version,
      at,
      actor,
      cause_id,
      cause_ordinal,
      reason,
      config_revision,
    },
    ...{ data: event.data, digest, salt: salt.toString('hex'), prev_hash: prevHash, hash },
  };
}

/** One `incident.events` record per stored event, none left out, and the newest incident for `incident.state`. */
export function eventOutputs({ events, after }: AppendedStream, input?: Input): Output[] {
  const by = (version: number) => ({
    stream: after.id,
    version: BigInt(version),
    ...(input === undefined ? {} : { input }),
  });
  const outputs = events.map((stored): Output => {
    const { type } = stored.event;
    const incident = publicIncident(stored.after);
    const value = encodeRecord('incident.event.v1', {
      event: publicEvent(stored),
      incident,
      changed: changedBy(type, exists(stored.before) ? publicIncident(stored.before) : null, incident),
      sequence: stored.version,
      outbound_name: outboundNameOf(type),
    });
    return {
      topic: 'incident.events',
      key: after.id,
      type: 'incident.event.v1',
      value,
      headers: cloudEvent(stored, cloudEventTypeOf(type)),
      by: by(stored.version),
    };
  });
  const newest = events.at(-1);
  if (newest) {
    const value = encodeRecord('incident.state.v1', publicIncident(after));
    const headers = cloudEvent(newest, 'tocsin.incident.state.v1');
    outputs.push({
      topic: 'incident.state',
      key: after.id,
      type: 'incident.state.v1',
      value,
      headers,
      by: by(after.version),
    });
  }
  return outputs;
}
