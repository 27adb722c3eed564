import { chainOf, type Checkpoint } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';

export interface CommitHead {
  position: bigint;
  chain: string;
}

interface TakenRow {
  workspace_id: string;
  stream_id: string;
  version: string;
  hash: string;
}

/** Whether anything waits for its place: one index probe. */
export async function hasUnsequenced(pool: Pool): Promise<boolean> {
  const { rowCount } = await pool.query('select from incident_store.unsequenced limit 1', []);
  return (rowCount ?? 0) > 0;
}

/** The sequencer's place: undefined where another process has it now. */
export async function lockHead(tx: Tx): Promise<CommitHead | undefined> {
  const { rows } = await tx.query<{ position: string; chain: string }>(
    'select position, chain from incident_store.commit_head for update skip locked',
    [],
  );
  const [head] = rows;
  return head && { position: BigInt(head.position), chain: head.chain };
}

/**
 * Gives committed events their place behind the head, oldest first. Events of one stream are appended under its lock, so that their
 * rows are in version order and become visible in it.
 */
export async function sequenceNext(tx: Tx, head: CommitHead, most: number): Promise<CommitHead & { taken: number }> {
  const { rows } = await tx.query<TakenRow>(
    `with taken as (
       delete from incident_store.unsequenced u using (
         select position from incident_store.unsequenced order by position limit $1) next
       where u.position = next.position returning u.position, u.workspace_id, u.stream_id, u.version)
     select t.workspace_id, t.stream_id, t.version, e.hash
       from taken t join incident_store.events e using (stream_id, version) order by t.position`,
    [most],
  );
  let { position, chain } = head;
  const records = rows.map(({ workspace_id, stream_id, version, hash }) => {
    position += 1n;
    chain = chainOf(chain, { position, stream: stream_id, version: Number(version), hash });
    return { position: String(position), workspace_id, stream_id, version, hash, chain };
  });
  if (records.length > 0) {
    await tx.query(
      `insert into incident_store.commit_order (position, workspace_id, stream_id, version, hash, chain)
       select position, workspace_id, stream_id, version, hash, chain
         from json_to_recordset($1::json) as r (position bigint, workspace_id text, stream_id text, version bigint, hash text, chain text)`,
      [JSON.stringify(records)],
    );
    await tx.query('update incident_store.commit_head set position = $1, chain = $2', [String(position), chain]);
  }
  return { position, chain, taken: records.length };
}

/** The newest checkpoint; undefined where there is none. */
export async function lastCheckpoint(tx: Tx): Promise<{ position: bigint; at: Date } | undefined> {
  const { rows } = await tx.query<{ position: string; at: Date }>(
    'select position, at from incident_store.audit_checkpoints order by position desc limit 1',
    [],
  );
  const [last] = rows;
  return last && { position: BigInt(last.position), at: last.at };
}

export async function insertCheckpoint(
  tx: Tx,
  { position, chain, at }: Checkpoint,
  signed: { keyId: string; signature: string },
): Promise<void> {
  await tx.query(
    `insert into incident_store.audit_checkpoints (position, chain, at, key_id, signature) values ($1, $2, $3, $4, $5)
     on conflict (position) do nothing`,
    [String(position), chain, at, signed.keyId, signed.signature],
  );
}
