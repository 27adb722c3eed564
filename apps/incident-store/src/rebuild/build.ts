import type { Tx } from '@tocsin/postgres';
import { noteHashes, type RowHashes } from './compare.ts';
import { LIVE, projectionTables, SHADOW, writeRebuilt } from './projections.ts';
import { within } from './session.ts';
import { noteSlice, type Slice } from './shadow.ts';
import { readStreams } from './stored-streams.ts';

/** A page holds at most so many streams, and so many events or one longer stream: that bounds memory and the time of its locks. */
const PAGE_STREAMS = 500;
const PAGE_EVENTS = 2_500;

interface Head {
  stream_id: string;
  version: string;
}

export interface Built {
  incidents: number;
  events: number;
}

/** As many of the first heads as one page takes. */
function pageOf(heads: readonly Head[]): Head[] {
  let events = 0;
  const end = heads.findIndex(({ version }, index) => (events += Number(version)) > PAGE_EVENTS && index > 0);
  return heads.slice(0, end < 0 ? heads.length : end);
}

const builtOf = (heads: readonly Head[]): Built => ({
  incidents: heads.length,
  events: heads.reduce((sum, { version }) => sum + Number(version), 0),
});

/** Folds these streams and writes their rows beside the live ones, and the hashes of both. In a snapshot, or under the streams' locks. */
export async function buildStreams(tx: Tx, hashes: RowHashes, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  for (const { name } of projectionTables)
    await tx.query(`delete from ${SHADOW}.${name} where incident_id = any($1)`, [ids]);
  await writeRebuilt(tx, await readStreams(tx, ids), SHADOW);
  await noteHashes(tx, hashes, ids);
}

/** The next page of a slice, in one snapshot, with what is remembered of it. @returns undefined at the end of the slice */
export function buildPage(
  tx: Tx,
  slice: Slice,
  { hashes, workspaceId }: { hashes: RowHashes; workspaceId: string | undefined },
): Promise<Built | undefined> {
  return within(tx, 'repeatable read', async () => {
    const { rows } = await tx.query<Head>(
      `select stream_id, version from ${LIVE}.streams where stream_id > $1 and ($2::text is null or stream_id <= $2)
         and ($3::text is null or workspace_id = $3) order by stream_id limit ${PAGE_STREAMS}`,
      [slice.after, slice.until, workspaceId ?? null],
    );
    const page = pageOf(rows);
    const last = page.at(-1);
    await buildStreams(
      tx,
      hashes,
      page.map(({ stream_id }) => stream_id),
    );
    await noteSlice(tx, slice, last?.stream_id);
    if (!last) return undefined;
    slice.after = last.stream_id;
    return builtOf(page);
  });
}

/** Streams that have events which were not compared, as far as this snapshot tells, and where the order ends in it. */
export async function changedSince(
  tx: Tx,
  position: bigint,
  workspaceId: string | undefined,
): Promise<{ ids: string[]; position: bigint }> {
  const head = await tx.query<{ position: string }>(`select position from ${LIVE}.commit_head`);
  const { rows } = await tx.query<{ stream_id: string }>(
    `select s.stream_id from (
       select stream_id from ${LIVE}.commit_order where position > $1 and ($2::text is null or workspace_id = $2)
       union select stream_id from ${LIVE}.unsequenced where $2::text is null or workspace_id = $2) changed
     join ${LIVE}.streams s using (stream_id) left join ${SHADOW}.compared c on c.incident_id = s.stream_id
     where s.version is distinct from c.version order by s.stream_id collate "C"`,
    [String(position), workspaceId ?? null],
  );
  return { ids: rows.map(({ stream_id }) => stream_id), position: BigInt(head.rows[0]!.position) };
}

/** Heads of these streams as they are now, in pages. */
export async function* pagesOf(tx: Tx, ids: readonly string[]): AsyncGenerator<string[]> {
  for (let at = 0; at < ids.length;) {
    const { rows } = await tx.query<Head>(
      `select wanted.id as stream_id, coalesce(s.version, 0) as version from unnest($1::text[]) with ordinality wanted (id, n)
         left join ${LIVE}.streams s on s.stream_id = wanted.id order by wanted.n`,
      [ids.slice(at, at + PAGE_STREAMS)],
    );
    const page = pageOf(rows);
    at += page.length;
    yield page.map(({ stream_id }) => stream_id);
  }
}
