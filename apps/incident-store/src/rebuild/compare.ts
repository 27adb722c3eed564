import type { Tx } from '@tocsin/postgres';
import type { ProjectionSchema } from '../projection-store.ts';
import { LIVE, projectionTables, SHADOW, type ProjectionTable } from './projections.ts';

/** SQL that gives the hashes of one side's rows of the incidents in `$1`. */
export interface RowHashes {
  live: string;
  rebuilt: string;
}

/** Columns of a table that events say something of, as SQL over `t`. Documents in jsonb's form: their keys have an order of their own there. */
async function valuesOf(tx: Tx, { name, surrogate }: ProjectionTable): Promise<string> {
  const { rows } = await tx.query<{ name: string; type: string }>(
    `select quote_ident(attname) as name, atttypid::regtype::text as type from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> all($2::name[]) order by attname`,
    [`${LIVE}.${name}`, surrogate],
  );
  return rows.map((column) => `t.${column.name}${column.type === 'json' ? '::jsonb' : ''}`).join(', ');
}

/**
 * One piece per row, in a form that depends on its values only (as the server sends them in binary: lengths and values, a time as a number),
 * and SHA-256 over the sorted pieces of an incident. A row in binary costs half of a row as text.
 */
export async function rowHashes(tx: Tx): Promise<RowHashes> {
  const tables: (ProjectionTable & { values: string })[] = [];
  for (const table of projectionTables) tables.push({ ...table, values: await valuesOf(tx, table) });
  const of = (schema: ProjectionSchema): string => {
    const pieces = tables.map(
      ({ name, derived, values }) =>
        `select t.incident_id, '${name} '::bytea || record_send(row(${values})) as piece from ${schema}.${name} t where t.incident_id = any($1) and ${derived}`,
    );
    return `select incident_id, sha256(string_agg(piece, ''::bytea order by piece)) as hash
      from (${pieces.join(' union all ')}) pieces group by incident_id`;
  };
  return { live: of(LIVE), rebuilt: of(SHADOW) };
}

/** Notes the canonical hash of each incident's rows, live and rebuilt. The caller's snapshot must hold both sides at the same version. */
export async function noteHashes(tx: Tx, { live, rebuilt }: RowHashes, ids: readonly string[]): Promise<void> {
  await tx.query(
    `insert into ${SHADOW}.compared (incident_id, version, live, rebuilt)
     select wanted.id, coalesce(s.version, 0), live.hash, rebuilt.hash
       from unnest($1::text[]) as wanted (id)
       left join ${LIVE}.streams s on s.stream_id = wanted.id
       left join (${live}) live on live.incident_id = wanted.id
       left join (${rebuilt}) rebuilt on rebuilt.incident_id = wanted.id
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
