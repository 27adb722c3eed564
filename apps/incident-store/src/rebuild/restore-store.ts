import type { PublicIncidentEvent } from '@tocsin/contracts';
import { digestOf, redact, type PayloadErased } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

/** An event out of the topic, and the bytes that its digest covers. */
export interface RestoredEvent {
  event: PublicIncidentEvent;
  salt: string;
  body: string;
}

export interface RestoredHead {
  version: number;
  hash: string;
}

/** Where restored streams end so far. */
export async function restoredHeads(tx: Tx, streams: readonly string[]): Promise<Map<string, RestoredHead>> {
  const { rows } = await tx.query<{ stream_id: string; version: string; last_hash: string }>(
    'select stream_id, version, last_hash from incident_store.streams where stream_id = any($1)',
    [streams],
  );
  return new Map(rows.map((row) => [row.stream_id, { version: Number(row.version), hash: row.last_hash }]));
}

const rowOf = ({ event, salt, body }: RestoredEvent, workspaceOf: ReadonlyMap<string, string>) => {
  const { id: event_id, stream: stream_id, data: _data, salt: _salt, ...rest } = event;
  return { event_id, stream_id, workspace_id: workspaceOf.get(stream_id), ...rest, salt, body_text: body };
};

/** Appends events as they were, and heads whose state is folded when it is needed. Their places in the order are given anew. */
export async function insertRestored(
  tx: Tx,
  restored: readonly RestoredEvent[],
  workspaceOf: ReadonlyMap<string, string>,
): Promise<void> {
  await tx.query(
    `with added as materialized (
       select * from json_to_recordset($1::json) as e (stream_id text, version bigint, event_id text, workspace_id text, type text,
         schema_version int, at timestamptz, actor jsonb, cause_id text, cause_ordinal int, reason text, config_revision bigint, digest text,
         prev_hash text, hash text, salt text, body_text text, place bigint)
     ), log as (
       insert into incident_store.events (stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal,
         reason, config_revision, digest, prev_hash, hash)
       select stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal,
         reason, config_revision, digest, prev_hash, hash from added
     ), sequence as (
       insert into incident_store.unsequenced (workspace_id, stream_id, version) select workspace_id, stream_id, version from added order by place
     ), heads as (
       insert into incident_store.streams as s (stream_id, workspace_id, scope, version, last_hash, state_schema, state, updated_at)
       select distinct on (stream_id) stream_id, workspace_id,
         coalesce((select body_text::json ->> 'scope' from added first where first.stream_id = added.stream_id and first.version = 1), workspace_id),
         version, hash, 0, '{}', at from added order by stream_id, version desc
       on conflict (stream_id) do update set version = excluded.version, last_hash = excluded.last_hash, updated_at = greatest(s.updated_at, excluded.updated_at)
     )
     insert into incident_store.event_payloads (stream_id, version, workspace_id, salt, body)
     select stream_id, version, workspace_id, decode(salt, 'hex'), convert_to(body_text, 'UTF8') from added`,
    [JSON.stringify(restored.map((one, place) => ({ ...rowOf(one, workspaceOf), place })))],
  );
}

/**
 * The topic still has contents that were erased later: they are erased here as they were there.
 * @returns how many do not become what the event vouches for: another release redacted them otherwise
 */
export async function eraseRestored(tx: Tx, erasures: readonly RestoredEvent[]): Promise<number> {
  let strange = 0;
  for (const { event } of erasures) {
    const { payloads } = event.data as unknown as PayloadErased['data'];
    const { rows } = await tx.query<{ version: string; body: string }>(
      `select version, convert_from(body, 'UTF8') as body from incident_store.event_payloads where stream_id = $1 and version = any($2)`,
      [event.stream, payloads.map(({ version }) => version)],
    );
    const bodies = new Map(rows.map(({ version, body }) => [Number(version), body]));
    const replacements = payloads.map(({ version, salt, digest }) => {
      const body = JSON.stringify(redact(JSON.parse(bodies.get(version) ?? '{}') as unknown));
      if (digestOf(Buffer.from(salt, 'hex'), Buffer.from(body, 'utf8')) !== digest) strange += 1;
      return { version, salt, body };
    });
    await tx.query('select incident_store.erase_payloads($1, $2, $3)', [
      event.stream,
      event.version,
      JSON.stringify(replacements),
    ]);
  }
  return strange;
}

/**
 * What decisions need beside the streams, as far as events say it: numbers, successors, when alerts were seen, who holds a key, and the ends
 * of snoozes. Receipts, outcomes and recorded alerts are in no event.
 */
export async function restoreState(tx: Tx): Promise<void> {
  await tx.query(
    `insert into incident_store.workspace_numbers (workspace_id, last_number)
     select workspace_id, max(number) from incident_store.incidents group by workspace_id on conflict do nothing`,
  );
  await tx.query(
    `insert into incident_store.successors (incident_id, successor_id, workspace_id)
     select incident_id, document ->> 'merged_into', workspace_id from incident_store.incidents where document ->> 'merged_into' is not null
     union all
     select document ->> 'predecessor_id', incident_id, workspace_id from incident_store.incidents where document ->> 'predecessor_id' is not null
     on conflict do nothing`,
  );
  await tx.query(
    `with counted as (
       select one ->> 'alert_id' as alert_id, max((one ->> 'last_seen_at')::timestamptz) as last_seen_at
         from incident_store.events e join incident_store.event_payloads p using (stream_id, version),
           json_array_elements(convert_from(p.body, 'UTF8')::json -> 'alerts') one
        where e.type = 'OccurrencesCounted' group by 1)
     insert into incident_store.alert_activity (alert_id, workspace_id, incident_id, firing_key, first_seen_at, last_seen_at)
     select a.alert_id, a.workspace_id, a.incident_id, a.alert ->> 'firing_key', a.received_at, greatest(a.received_at, c.last_seen_at)
       from incident_store.incident_alerts a left join counted c using (alert_id) on conflict do nothing`,
  );
  await tx.query(
    `insert into incident_store.key_holders (scope, webhook_id, dedup_key, workspace_id, resolve_key, incident_id, alert_id)
     select distinct on (s.scope, a.webhook_id, a.alert ->> 'dedup_key') s.scope, a.webhook_id, a.alert ->> 'dedup_key', a.workspace_id,
       a.alert ->> 'resolve_key', a.incident_id, a.alert_id
       from incident_store.incident_alerts a join incident_store.incidents i using (incident_id) join incident_store.streams s on s.stream_id = a.incident_id
      where a.status = 'open' and i.status <> 'resolved'
      order by s.scope, a.webhook_id, a.alert ->> 'dedup_key', a.received_at desc, a.alert_id on conflict do nothing`,
  );
  await tx.query(
    `insert into incident_store.timers (incident_id, kind, workspace_id, version, due_at)
     select i.incident_id, 'snooze', i.workspace_id,
       (select max(e.version) from incident_store.events e where e.stream_id = i.incident_id and e.type = 'IncidentSnoozed'),
       (i.document ->> 'snoozed_until')::timestamptz
       from incident_store.incidents i where i.status = 'snoozed' and i.document ->> 'snoozed_until' is not null on conflict do nothing`,
  );
}
