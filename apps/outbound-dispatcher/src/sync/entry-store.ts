import type { KnownValue } from '@tocsin/domain/sync';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { entryOf, type EntryRow, type SyncEntry } from './op-store.ts';

interface Of {
  linkId: string;
  incidentId: string;
}

/** Names the issue or record of an incident. @returns false where another incident has it */
export async function linkEntry(
  tx: Tx,
  { linkId, incidentId }: Of,
  external: { id: string; key: string; url: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update outbound_dispatcher.sync_entries e set external_id = $3, external_key = $4, external_url = $5, creating_since = null
      where link_id = $1 and incident_id = $2
        and not exists (select from outbound_dispatcher.sync_entries o where o.link_id = $1 and o.external_id = $3 and o.incident_id <> $2)`,
    [linkId, incidentId, external.id, external.key, external.url],
  );
  return rowCount === 1;
}

/** Both sides agree on these values; nothing is being written any more. */
export async function agree(
  tx: Tx,
  { linkId, incidentId }: Of,
  values: Record<string, string>,
  now: Date,
): Promise<void> {
  await tx.query(
    `update outbound_dispatcher.sync_entries set agreed = agreed || $3::jsonb, taken = taken - $5::text[], writing = '{}', synced_at = $4, last_error = null, last_error_at = null
      where link_id = $1 and incident_id = $2`,
    [linkId, incidentId, JSON.stringify(values), now, Object.keys(values)],
  );
}

/** What is known of values after writes were decided; nothing is being written any more. */
export async function settleValues(
  tx: Tx,
  { linkId, incidentId }: Of,
  known: Readonly<Record<string, KnownValue>>,
  now: Date,
): Promise<void> {
  const entries = Object.entries(known);
  const agreed = Object.fromEntries(
    entries.flatMap(([name, { agreed: value }]) => (value === null ? [] : [[name, value]])),
  );
  const ours = entries.filter(([, { takenAt }]) => takenAt === null).map(([name]) => name);
  await tx.query(
    `update outbound_dispatcher.sync_entries set agreed = (agreed - $3::text[]) || $4::jsonb, taken = taken - $5::text[], writing = '{}',
       synced_at = $6, last_error = null, last_error_at = null where link_id = $1 and incident_id = $2`,
    [linkId, incidentId, Object.keys(known), JSON.stringify(agreed), ours, now],
  );
}

/** What was read of the other side, up to this version of it. `written`: values whose write is over. */
export async function readUpTo(
  tx: Tx,
  { linkId, incidentId }: Of,
  read: {
    version: string;
    values: Record<string, string>;
    taken: Record<string, string>;
    written: readonly string[];
    now: Date;
  },
): Promise<void> {
  await tx.query(
    `update outbound_dispatcher.sync_entries set agreed = agreed || $3::jsonb, remote_version = $4, synced_at = $5, taken = taken || $6::jsonb,
       writing = writing - $7::text[]
      where link_id = $1 and incident_id = $2`,
    [linkId, incidentId, JSON.stringify(read.values), read.version, read.now, JSON.stringify(read.taken), read.written],
  );
}

export async function noteError(tx: Tx, { linkId, incidentId }: Of, error: string, now: Date): Promise<void> {
  await tx.query(
    `update outbound_dispatcher.sync_entries set last_error = $3, last_error_at = $4, writing = '{}' where link_id = $1 and incident_id = $2`,
    [linkId, incidentId, error, now],
  );
}

/** Entries of these issues or records, locked: what is read of them is decided against what is agreed now. */
export async function entriesOf(
  pool: Pool,
  linkId: string,
  externalIds: readonly string[],
): Promise<Map<string, SyncEntry>> {
  const { rows } = await pool.query<EntryRow>(
    'select * from outbound_dispatcher.sync_entries where link_id = $1 and external_id = any($2)',
    [linkId, externalIds],
  );
  return new Map(rows.map((row) => [row.external_id ?? '', entryOf(row)]));
}

export async function lockEntry(tx: Tx, { linkId, incidentId }: Of): Promise<SyncEntry | undefined> {
  const { rows } = await tx.query<EntryRow>(
    'select * from outbound_dispatcher.sync_entries where link_id = $1 and incident_id = $2 for update',
    [linkId, incidentId],
  );
  return rows[0] && entryOf(rows[0]);
}

/** Remembers comments of the other side. @returns those that were not known */
export async function rememberComments(
  tx: Tx,
  { linkId, incidentId, workspaceId }: Of & { workspaceId: string },
  commentIds: readonly string[],
): Promise<Set<string>> {
  const { rows } = await tx.query<{ comment_id: string }>(
    `insert into outbound_dispatcher.sync_comments (link_id, comment_id, incident_id, workspace_id)
     select $1, id, $2, $3 from unnest($4::text[]) as id on conflict do nothing returning comment_id`,
    [linkId, incidentId, workspaceId, commentIds],
  );
  return new Set(rows.map((row) => row.comment_id));
}
