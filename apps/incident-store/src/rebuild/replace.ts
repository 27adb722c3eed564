import type { Tx } from '@tocsin/postgres';
import { LIVE, projectionTables, SHADOW, type ProjectionTable } from './projections.ts';

const columnsOf = async (tx: Tx, { name, surrogate }: ProjectionTable): Promise<string> => {
  const { rows } = await tx.query<{ columns: string }>(
    `select string_agg(quote_ident(attname), ', ' order by attnum) as columns from pg_attribute
      where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' and attname <> all($2::name[])`,
    [`${LIVE}.${name}`, surrogate],
  );
  return rows[0]!.columns;
};

/** Puts the rebuilt rows of these incidents in the place of the live ones. Their streams are locked, and what was rebuilt is of their versions. */
export async function replaceLive(tx: Tx, ids: readonly string[]): Promise<void> {
  for (const table of projectionTables) {
    const columns = await columnsOf(tx, table);
    if (table.name === 'timeline') await retellStory(tx, ids, columns);
    else await replaceRows(tx, ids, { ...table, columns });
  }
}

async function replaceRows(
  tx: Tx,
  ids: readonly string[],
  { name, key, derived, columns }: ProjectionTable & { columns: string },
): Promise<void> {
  // A row that another incident has wrongly would be in the way of the right one.
  await tx.query(
    `delete from ${LIVE}.${name} t using (
       select ${key} from ${LIVE}.${name} where incident_id = any($1)
       union select ${key} from ${SHADOW}.${name} where incident_id = any($1)) old
      where t.${key} = old.${key} and ${derived}`,
    [ids],
  );
  await tx.query(
    `insert into ${LIVE}.${name} (${columns}) select ${columns} from ${SHADOW}.${name}
      where incident_id = any($1) order by incident_id, ctid`,
    [ids],
  );
}

/** Facts that are no events stay, each behind the event that it was behind; where that is not known, by its time. */
async function retellStory(tx: Tx, ids: readonly string[], columns: string): Promise<void> {
  await tx.query(
    `with placed as materialized (
       select *, max(version) over (partition by incident_id order by position) as behind from ${LIVE}.timeline where incident_id = any($1)),
     facts as (delete from ${LIVE}.timeline where incident_id = any($1) and entry is not null returning position),
     gone as (delete from ${LIVE}.timeline where incident_id = any($1) and entry is null),
     story as (
       select ${columns}, version as place, 0 as position from ${SHADOW}.timeline where incident_id = any($1)
       union all
       select ${columns}, coalesce(behind, (select max(e.version) from ${SHADOW}.timeline e where e.incident_id = placed.incident_id and e.at <= placed.at), 0),
         position from placed join facts using (position))
     insert into ${LIVE}.timeline (${columns}) select ${columns} from story order by incident_id, place, position`,
    [ids],
  );
}
