import { createHash } from 'node:crypto';
import {
  eventSamples,
  evolve,
  exists,
  fold,
  INCIDENT_STATE_SCHEMA,
  initialState,
  projectAlerts,
  publicIncident,
  type IncidentEvent,
} from '@tocsin/domain/incident';
import { PIPELINE_ROLE, type Tx } from '@tocsin/postgres';
import { LIVE, projectionTables, SHADOW } from './projections.ts';

export interface Run {
  /** Position up to which changed incidents are known. */
  position: bigint;
  resumed: boolean;
}

/** A part of the streams by their ids: those after `after` up to `until`. */
export interface Slice {
  slice: number;
  after: string;
  until: string | null;
}

const SLICES = 8;
/** What has been built by a run that died longer ago is not gone on with. */
const RESUME_WITHIN = '1 day';

/** The same as long as the projection functions and their tables are: half-built rows of another release are of no use. */
async function fingerprintOf(tx: Tx, workspaceId: string | undefined): Promise<string> {
  const { rows } = await tx.query(
    `select c.relname, a.attname, a.atttypid::regtype::text as type from pg_attribute a join pg_class c on c.oid = a.attrelid
      where c.relnamespace = $1::regnamespace and c.relname = any($2::name[]) and a.attnum > 0 and not a.attisdropped
      order by c.relname, a.attnum`,
    [LIVE, projectionTables.map(({ name }) => name)],
  );
  const opened: IncidentEvent = eventSamples.IncidentOpened.v1;
  const samples = Object.values(eventSamples).map(({ v1 }) => {
    const state = evolve(fold(initialState('inc_1'), [opened]), v1);
    const alerts = projectAlerts([opened, v1]);
    return [exists(state) ? publicIncident(state) : null, [...alerts.inserted], alerts.closedAt];
  });
  const text = JSON.stringify([workspaceId ?? null, INCIDENT_STATE_SCHEMA, rows, samples]);
  return createHash('sha256').update(text).digest('hex');
}

/** Goes on with what a killed run has built, else begins anew. The login makes the tables, the pipeline's role fills them. */
export async function openShadow(tx: Tx, workspaceId: string | undefined): Promise<Run> {
  const fingerprint = await fingerprintOf(tx, workspaceId);
  const known = await tx.query<{ there: boolean }>(`select to_regclass('${SHADOW}.run') is not null as there`);
  if (known.rows[0]!.there) {
    const { rows } = await tx.query<{ position: string }>(
      `select position from ${SHADOW}.run where fingerprint = $1 and started_at > now() - interval '${RESUME_WITHIN}'`,
      [fingerprint],
    );
    if (rows[0]) return { position: BigInt(rows[0].position), resumed: true };
  }
  await tx.query('begin');
  await tx.query(`drop schema if exists ${SHADOW} cascade; ${tablesSql()}`);
  await tx.query(`set local role ${PIPELINE_ROLE}`);
  // Before any stream is read: what gets a later position is looked at again.
  const { rows } = await tx.query<{ position: string }>(
    `insert into ${SHADOW}.run (fingerprint, position, started_at) select $1, position, now() from ${LIVE}.commit_head returning position`,
    [fingerprint],
  );
  await tx.query(
    `with cuts as (
       select stream_id, row_number() over (order by stream_id) as n, count(*) over () as streams from ${LIVE}.streams
        where $1::text is null or workspace_id = $1),
     bounds as (select '' as bound union select stream_id from cuts where n % greatest(1, (streams + ${SLICES - 1}) / ${SLICES}) = 0)
     insert into ${SHADOW}.slices (slice, after, until, done)
     select row_number() over (order by bound), bound, lead(bound) over (order by bound), false from bounds`,
    [workspaceId ?? null],
  );
  await tx.query('commit');
  return { position: BigInt(rows[0]!.position), resumed: false };
}

/** Unlogged: a crash of the server empties all of them at once, and then the next run begins anew. */
const tablesSql = (): string => `
create schema ${SHADOW};
${projectionTables
  .map(
    ({
      name,
    }) => `create unlogged table ${SHADOW}.${name} (like ${LIVE}.${name} including defaults including identity including generated);
${name === 'incidents' ? `alter table ${SHADOW}.${name} add primary key (incident_id)` : `create index on ${SHADOW}.${name} (incident_id)`};`,
  )
  .join('\n')}
create unlogged table ${SHADOW}.run (fingerprint text not null, position bigint not null, started_at timestamptz not null);
create unlogged table ${SHADOW}.slices (slice bigint primary key, after text not null, until text, done boolean not null);
create unlogged table ${SHADOW}.compared (incident_id text primary key, version bigint not null, live bytea, rebuilt bytea);
grant usage on schema ${SHADOW} to ${PIPELINE_ROLE};
grant select, insert, update, delete on all tables in schema ${SHADOW} to ${PIPELINE_ROLE};`;

export async function openSlices(tx: Tx): Promise<Slice[]> {
  const { rows } = await tx.query<Slice>(
    `select slice::int, after, until from ${SHADOW}.slices where not done order by slice`,
  );
  return rows;
}

export async function noteSlice(tx: Tx, { slice }: Slice, after: string | undefined): Promise<void> {
  if (after === undefined) await tx.query(`update ${SHADOW}.slices set done = true where slice = $1`, [slice]);
  else await tx.query(`update ${SHADOW}.slices set after = $2 where slice = $1`, [slice, after]);
}

export const dropShadow = (tx: Tx): Promise<unknown> => tx.query(`drop schema if exists ${SHADOW} cascade`);
