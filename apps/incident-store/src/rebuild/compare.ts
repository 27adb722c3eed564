import type { Tx } from '@tocsin/postgres';
import type { ProjectionSchema } from '../projection-store.ts';
import { LIVE, projectionTables, SHADOW } from './projections.ts';

/** One line per row, in a form that depends on its values only: keys in jsonb's order, times in UTC (the session's zone). */
const linesOf = (schema: ProjectionSchema): string =>
  projectionTables
    .map(({ name, surrogate, derived }) => {
      const values = surrogate.reduce((json, column) => `${json} - '${column}'`, 'to_jsonb(t)');
      return `select t.incident_id, '${name} ' || (${values})::text as line from ${schema}.${name} t where t.incident_id = any($1) and ${derived}`;
    })
    .join(' union all ');

const hashesOf = (schema: ProjectionSchema): string =>
  `select incident_id, sha256(convert_to(string_agg(line, E'\\n' order by line collate "C"), 'UTF8')) as hash
     from (${linesOf(schema)}) lines group by incident_id`;

/**
 * Notes the canonical hash of each incident's rows, live and rebuilt: SHA-256 over its rows of all projections, one line each, sorted.
 * The caller's snapshot must hold both sides at the same version.
 */
export async function noteHashes(tx: Tx, ids: readonly string[]): Promise<void> {
  await tx.query(
    `insert into ${SHADOW}.compared (incident_id, version, live, rebuilt)
     select wanted.id, coalesce(s.version, 0), live.hash, rebuilt.hash
       from unnest($1::text[]) as wanted (id)
       left join ${LIVE}.streams s on s.stream_id = wanted.id
       left join (${hashesOf(LIVE)}) live on live.incident_id = wanted.id
       left join (${hashesOf(SHADOW)}) rebuilt on rebuilt.incident_id = wanted.id
     on conflict (incident_id) do update set version = excluded.version, live = excluded.live, rebuilt = excluded.rebuilt`,
    [ids],
  );
}

/** Incidents whose rows are not what their events say. */
export async function differingIncidents(tx: Tx, most: number): Promise<string[]> {
  const { rows } = await tx.query<{ incident_id: string }>(
    `select incident_id from ${SHADOW}.compared where live is distinct from rebuilt order by incident_id limit $1`,
    [most],
  );
  return rows.map(({ incident_id }) => incident_id);
}

/** Incidents with rows and without a stream: whoever wrote them wrote no event. */
export async function orphans(tx: Tx, workspaceId: string | undefined): Promise<string[]> {
  const found = projectionTables.map(
    ({ name, derived }) =>
      `select distinct t.incident_id from ${LIVE}.${name} t where ${derived} and ($1::text is null or t.workspace_id = $1)
        and not exists (select from ${LIVE}.streams s where s.stream_id = t.incident_id)`,
  );
  const { rows } = await tx.query<{ incident_id: string }>(found.join(' union '), [workspaceId ?? null]);
  return rows.map(({ incident_id }) => incident_id);
}
