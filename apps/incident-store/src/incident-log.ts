import { eventIdOf, type Actor } from '@tocsin/contracts';
import {
  digestOf,
  evolve,
  exists,
  fold,
  GENESIS_HASH,
  hashOf,
  INCIDENT_STATE_SCHEMA,
  initialState,
  loadEvent,
  SALT_BYTES,
  type EventMeta,
  type ExistingIncident,
  type Incident,
  type IncidentChange,
  type IncidentEvent,
} from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import { together, type Tx } from '@tocsin/postgres';
import { allotNumbers } from './incident-numbers.ts';
import { writeProjections } from './projection-store.ts';
import { moveTimers } from './timer-store.ts';

/** A stream as it was when its row was locked. */
export interface StreamHead {
  incident: Incident;
  lastHash: string;
}

/** An event with its place in the chain and the incident around it. */
export interface StoredEvent {
  id: string;
  stream: string;
  version: number;
  event: IncidentEvent;
  meta: EventMeta;
  digest: string;
  salt: Buffer;
  prevHash: string;
  hash: string;
  before: Incident;
  after: ExistingIncident;
}

export interface AppendedStream {
  events: StoredEvent[];
  before: Incident;
  after: ExistingIncident;
  lastHash: string;
}

interface StoredRow extends StoredEvent {
  body: string;
}

/** Another writer was faster than a row that nobody could lock: decide again (Postgres' own code for it, so that callers treat both alike). */
export class StreamConflict extends Error {
  readonly code = '40001';
  readonly severity = 'ERROR';
}

/** Locks the streams that exist, in the order of their ids (commit-batch rule 8), and folds what their snapshots cannot say. */
export async function lockStreams(tx: Tx, ids: Iterable<string>): Promise<Map<string, StreamHead>> {
  const wanted = [...new Set(ids)].sort();
  const { rows } = await tx.query<{ stream_id: string; last_hash: string; state_schema: number; state: Incident }>(
    `select stream_id, last_hash, state_schema, state from incident_store.streams
     where stream_id = any($1) order by stream_id collate "C" for update`,
    [wanted],
  );
  const heads = new Map<string, StreamHead>();
  for (const row of rows) {
    const incident =
      row.state_schema === INCIDENT_STATE_SCHEMA
        ? row.state
        : fold(initialState(row.stream_id), await readEvents(tx, row.stream_id));
    heads.set(row.stream_id, { incident, lastHash: row.last_hash });
  }
  return heads;
}

/** Events of a stream in order, content included, in the newest shape of their types. */
export async function readEvents(tx: Tx, stream: string): Promise<IncidentEvent[]> {
  const { rows } = await tx.query<{
    type: string;
    schema_version: number;
    at: Date;
    actor: Actor;
    cause_id: string;
    reason: string | null;
    config_revision: string;
    body: Buffer;
  }>(
    `select e.type, e.schema_version, e.at, e.actor, e.cause_id, e.reason, e.config_revision, p.body
     from incident_store.events e join incident_store.event_payloads p using (stream_id, version) where e.stream_id = $1 order by e.version`,
    [stream],
  );
  return rows.map((row) =>
    loadEvent({
      ...{ type: row.type, schemaVersion: row.schema_version, at: row.at.toISOString(), actor: row.actor },
      ...{ causeId: row.cause_id, reason: row.reason, configRevision: Number(row.config_revision) },
      data: JSON.parse(row.body.toString('utf8')) as Record<string, unknown>,
    }),
  );
}

/** What will be appended to locked streams, and the statements that do it and bring the projections along: one per table, however many streams. */
export interface ReadyToAppend {
  streams: AppendedStream[];
  /** To be sent in this order; rejects with StreamConflict when a stream is not where it was read. */
  statements: (() => Promise<void>)[];
}

/** Gives events their numbers and their places in the chains of their streams. */
export async function appending(
  tx: Tx,
  changes: readonly IncidentChange[],
  heads: ReadonlyMap<string, StreamHead>,
  random: Random,
): Promise<ReadyToAppend> {
  if (changes.length === 0) return { streams: [], statements: [] };
  const numbered = await allotNumbers(tx, changes);
  const salts = saltsOf(numbered, random);
  const chains = numbered.map((change) => chain(change, heads.get(change.before.id)?.lastHash ?? GENESIS_HASH, salts));
  const streams = chains.map(({ rows, before }): AppendedStream => {
    const last = rows.at(-1)!;
    return { events: rows, before, after: last.after, lastHash: last.hash };
  });
  const rows = chains.flatMap((one) => one.rows);
  const statements = [
    () => insertEvents(tx, rows),
    () => moveHeads(tx, streams),
    () => writeProjections(tx, streams),
    () => moveTimers(tx, streams),
  ];
  return { streams, statements };
}

/**
 * Appends to locked streams, in the caller's transaction.
 * @throws StreamConflict when a stream is not where it was read
 */
export async function append(
  tx: Tx,
  changes: readonly IncidentChange[],
  heads: ReadonlyMap<string, StreamHead>,
  random: Random,
): Promise<AppendedStream[]> {
  const { streams, statements } = await appending(tx, changes, heads, random);
  await together(...statements.map((send) => send())); // few rows: nobody else's turn comes between
  return streams;
}

/** A salt for each event, drawn together: each draw asks the system. */
function* saltsOf(changes: readonly IncidentChange[], random: Random): Generator<Buffer, undefined> {
  const drawn = random(SALT_BYTES * changes.reduce((count, { events }) => count + events.length, 0));
  for (let at = 0; at < drawn.length; at += SALT_BYTES) yield drawn.subarray(at, at + SALT_BYTES);
}

/** Gives each event its version, ordinal within its cause, salt and hash. */
function chain(
  { before, events }: IncidentChange,
  lastHash: string,
  salts: Iterator<Buffer, undefined>,
): { before: Incident; rows: StoredRow[] } {
  const rows: StoredRow[] = [];
  const ordinals = new Map<string, number>();
  let state = before;
  let prevHash = lastHash;
  for (const event of events) {
    const after = evolve(state, event);
    if (!exists(after)) throw new Error(`${event.type} does not begin a stream`);
    const ordinal = ordinals.get(event.causeId) ?? 0;
    ordinals.set(event.causeId, ordinal + 1);
    const row = rowOf({ event, before: state, after, ordinal, prevHash, salt: salts.next().value! });
    rows.push(row);
    [state, prevHash] = [after, row.hash];
  }
  return { before, rows };
}

function rowOf(link: {
  event: IncidentEvent;
  before: Incident;
  after: ExistingIncident;
  ordinal: number;
  prevHash: string;
  salt: Buffer;
}): StoredRow {
  const { event, before, after, ordinal, prevHash, salt } = link;
  const { id: stream, version, workspaceId } = after;
  const id = eventIdOf(stream, version);
  const meta: EventMeta = {
    ...{
      id,
      workspace_id: workspaceId,
      schema_version: event.schemaVersion,
      at: event.at,
      actor: event.actor,
      cause_id: event.causeId,
    },
    ...{ cause_ordinal: ordinal, reason: event.reason, config_revision: event.configRevision },
  };
  const body = JSON.stringify(event.data);
  const digest = digestOf(salt, Buffer.from(body, 'utf8'));
  const hash = hashOf(prevHash, { stream, version, type: event.type, meta, digest });
  return { id, stream, version, event, meta, digest, prevHash, hash, before, after, salt, body };
}

/** Log, content, sequencer's table and timeline in one statement. */
async function insertEvents(tx: Tx, rows: readonly StoredRow[]): Promise<void> {
  const records = rows.map(({ id, stream, version, event, meta, digest, prevHash, hash, salt, body }) => ({
    ...{
      event_id: id,
      stream_id: stream,
      version,
      workspace_id: meta.workspace_id,
      type: event.type,
      schema_version: meta.schema_version,
      at: meta.at,
    },
    ...{
      actor: meta.actor,
      cause_id: meta.cause_id,
      cause_ordinal: meta.cause_ordinal,
      reason: meta.reason,
      config_revision: meta.config_revision,
    },
    ...{ digest, prev_hash: prevHash, hash, salt: salt.toString('hex'), body },
  }));
  await tx.query(
    `with added as materialized (
       select * from json_to_recordset($1::json) as e (stream_id text, version bigint, event_id text, workspace_id text, type text, schema_version int,
         at timestamptz, actor jsonb, cause_id text, cause_ordinal int, reason text, config_revision bigint, digest text, prev_hash text, hash text, salt text, body text)
     ), log as (
       insert into incident_store.events (stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal,
         reason, config_revision, digest, prev_hash, hash)
       select stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal,
         reason, config_revision, digest, prev_hash, hash from added
     ), sequence as (
       insert into incident_store.unsequenced (workspace_id, stream_id, version) select workspace_id, stream_id, version from added
     ), story as (
       insert into incident_store.timeline (workspace_id, incident_id, version, at) select workspace_id, stream_id, version, at from added
     )
     insert into incident_store.event_payloads (stream_id, version, workspace_id, salt, body)
     select stream_id, version, workspace_id, decode(salt, 'hex'), convert_to(body, 'UTF8') from added`,
    [JSON.stringify(records)],
  );
}

async function moveHeads(tx: Tx, streams: readonly AppendedStream[]): Promise<void> {
  const records = streams.map(({ before, after, lastHash }) => ({
    ...{
      stream_id: after.id,
      workspace_id: after.workspaceId,
      scope: after.scope,
      expected: before.version,
      version: after.version,
    },
    ...{ last_hash: lastHash, state: after, updated_at: after.updatedAt },
  }));
  const { rowCount } = await tx.query(
    `with moved as materialized (
       select * from json_to_recordset($1::json) as s (stream_id text, workspace_id text, scope text, expected bigint, version bigint, last_hash text, state json, updated_at timestamptz)
     )
     insert into incident_store.streams as s (stream_id, workspace_id, scope, version, last_hash, state_schema, state, updated_at)
     select stream_id, workspace_id, scope, version, last_hash, $2, state, updated_at from moved
     on conflict (stream_id) do update set version = excluded.version, last_hash = excluded.last_hash, state_schema = excluded.state_schema,
       state = excluded.state, updated_at = excluded.updated_at
     where s.version = (select expected from moved where moved.stream_id = excluded.stream_id)`,
    [JSON.stringify(records), INCIDENT_STATE_SCHEMA],
  );
  if (rowCount !== streams.length) throw new StreamConflict('a stream was changed by another writer');
}
