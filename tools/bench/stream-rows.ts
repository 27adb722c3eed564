import { eventSamples } from '@tocsin/domain/incident';
import type pg from 'pg';

export const INCIDENTS = 20_000;

/** One incident's life as it is common: opened, joined, repeated, acknowledged, commented, resolved. */
const LIFE = [
  ...['IncidentOpened', 'OccurrencesCounted', 'IncidentAcknowledged', 'AlertsAttached', 'SeverityChanged'],
  ...['CommentAdded', 'OccurrencesCounted', 'AlertsResolved', 'RcaNoted', 'IncidentResolved'],
] as const;

/** Writes streams by SQL, so that a benchmark of reading them need not wait for writing. Hashes are none: a rebuild follows no chain. */
export async function writeStreams(pool: pg.Pool, workspaceId: string): Promise<number> {
  const client = await pool.connect();
  try {
    await client.query(`set statement_timeout = 0; set synchronous_commit = off`);
    for (const [index, type] of LIFE.entries()) {
      const { v1 } = eventSamples[type];
      const data = JSON.stringify(v1.data).replaceAll('ws_sampleaaaaaaaaaaaaaaaaaaaaa', workspaceId);
      // Ids of the sample's alerts become those of the incident.
      await client.query(
        `with streams as (select n, 'inc_' || translate(lpad(to_hex(n), 26, '0'), '0189', 'zyxw') as stream from generate_series(1, $1::int) n),
         log as (
           insert into incident_store.events (stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal, reason,
             config_revision, digest, prev_hash, hash)
           select stream, ${index + 1}, 'evt_${index + 1}_' || n, $2::text, '${type}', 1, timestamptz '2026-01-01' + n * interval '1 second' + interval '${index + 1} minutes',
             $3::jsonb, 'cause${index + 1}', 0, $4::text, 1, repeat('0', 64), repeat('0', 64), repeat('0', 64) from streams)
         insert into incident_store.event_payloads (stream_id, version, workspace_id, salt, body)
         select stream, ${index + 1}, $2::text, decode(repeat('00', 16), 'hex'),
           convert_to(replace(replace(replace($5::text, 'alr_sample', 'alr_' || n || '_'), '"number":12', '"number":' || n), 'rcv_sample', 'rcv_' || n || '_'), 'UTF8')
         from streams`,
        [INCIDENTS, workspaceId, JSON.stringify(v1.actor), v1.reason, data],
      );
    }
    await client.query(
      `insert into incident_store.streams (stream_id, workspace_id, scope, version, last_hash, state_schema, state, updated_at)
       select distinct stream_id, workspace_id, workspace_id, $1::bigint, repeat('0', 64), 0, '{}'::jsonb, now() from incident_store.events`,
      [LIFE.length],
    );
    await client.query('vacuum analyze incident_store.events, incident_store.event_payloads, incident_store.streams');
    return INCIDENTS * LIFE.length;
  } finally {
    client.release();
  }
}
