import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** How far a link's system was read, and whether it answers. */
export interface LinkState {
  readUntil: Date | null;
  failures: number;
  openUntil: Date | null;
}

export async function stateOf(pool: Pool, linkId: string): Promise<LinkState> {
  const { rows } = await pool.query<{ read_until: Date | null; failures: number; open_until: Date | null }>(
    'select read_until, failures, open_until from outbound_dispatcher.sync_states where link_id = $1',
    [linkId],
  );
  const row = rows[0];
  return { readUntil: row?.read_until ?? null, failures: row?.failures ?? 0, openUntil: row?.open_until ?? null };
}

interface At {
  linkId: string;
  workspaceId: string;
}

/** The system cannot be reached, or refuses us: it is left alone until then. */
export async function openCircuit(
  pool: Pool,
  { linkId, workspaceId }: At,
  { error, until, now }: { error: string; until: Date; now: Date },
): Promise<void> {
  await pool.query(
    `insert into outbound_dispatcher.sync_states as s (link_id, workspace_id, failures, open_until, last_error, last_error_at) values ($1, $2, 1, $3, $4, $5)
     on conflict (link_id) do update set failures = s.failures + 1, open_until = excluded.open_until, last_error = excluded.last_error,
       last_error_at = excluded.last_error_at`,
    [linkId, workspaceId, until, error, now],
  );
}

export async function closeCircuit(pool: Pool, linkId: string): Promise<void> {
  await pool.query(
    `update outbound_dispatcher.sync_states set failures = 0, open_until = null, last_error = null, last_error_at = null
      where link_id = $1 and failures > 0`,
    [linkId],
  );
}

export async function moveCursor(tx: Tx | Pool, { linkId, workspaceId }: At, readUntil: Date): Promise<void> {
  await tx.query(
    `insert into outbound_dispatcher.sync_states as s (link_id, workspace_id, read_until) values ($1, $2, $3)
     on conflict (link_id) do update set read_until = greatest(s.read_until, excluded.read_until)`,
    [linkId, workspaceId, readUntil],
  );
}
