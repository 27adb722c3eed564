import type { Tx } from '@tocsin/postgres';
import type { DeadLetter } from './letter-of.ts';

export type LetterStatus = 'open' | 'redriven';

export interface LetterRow {
  id: string;
  workspace_id: string | null;
  webhook_id: string | null;
  receipt_id: string | null;
  service: string;
  topic: string;
  partition: number;
  log_offset: string;
  reason: string;
  detail: string;
  at: Date;
  parts: number[] | null;
  key: string;
  headers: Record<string, string> | null;
  size: number;
  /** Whether its bytes are still here. */
  kept: boolean;
  status: LetterStatus;
  redriven_at: Date | null;
  redriven_by: string | null;
}
export type FullLetterRow = LetterRow & { value: Buffer | null };

const COLUMNS = `id, workspace_id, webhook_id, receipt_id, service, topic, partition, log_offset, reason, detail, at, parts, key, headers, size,
  value is not null as kept, status, redriven_at, redriven_by`;

/** How long a letter stays; the same as on the topic. */
export const KEPT_DAYS = 30;
/** Per workspace: above, the bytes of the oldest letters go, and above a number of letters the oldest of these. */
export interface Bounds {
  bytes: number;
  letters: number;
}
export const BOUNDS: Bounds = { bytes: 256 * 1024 * 1024, letters: 100_000 };

/** Stores letters once each. @returns how many were new */
export async function insertLetters(tx: Tx, letters: readonly DeadLetter[]): Promise<number> {
  let made = 0;
  for (const { value, ...letter } of letters) {
    const { rowCount } = await tx.query(
      `insert into control_plane.dead_letters (id, workspace_id, webhook_id, receipt_id, service, topic, partition, log_offset, reason, detail, at, parts, key, headers, value, size)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) on conflict (id) do nothing`,
      [
        ...[letter.id, letter.workspaceId, letter.webhookId, letter.receiptId, letter.service, letter.topic],
        ...[letter.partition, letter.offset, letter.reason, letter.detail, letter.at, letter.parts, letter.key],
        ...[letter.headers === null ? null : JSON.stringify(letter.headers), value, value.length],
      ],
    );
    made += rowCount ?? 0;
  }
  return made;
}

/** Keeps time and bounds. @returns how many letters went, and how many lost their bytes */
export async function pruneLetters(tx: Tx, before: Date, bounds: Bounds): Promise<{ gone: number; emptied: number }> {
  const old = await tx.query('delete from control_plane.dead_letters where at < $1', [before.toISOString()]);
  const many = await tx.query(
    `delete from control_plane.dead_letters where id in (
       select id from (select id, row_number() over (partition by workspace_id order by at desc, id desc) as place from control_plane.dead_letters) as l
       where place > $1)`,
    [bounds.letters],
  );
  const large = await tx.query(
    `update control_plane.dead_letters set value = null where id in (
       select id from (select id, sum(size) over (partition by workspace_id order by at desc, id desc) as running
                       from control_plane.dead_letters where value is not null) as l where running > $1)`,
    [bounds.bytes],
  );
  return { gone: (old.rowCount ?? 0) + (many.rowCount ?? 0), emptied: large.rowCount ?? 0 };
}

export interface LetterFilter {
  service?: string | undefined;
  topic?: string | undefined;
  reason?: string | undefined;
  webhookId?: string | undefined;
  status?: LetterStatus | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** What of the filter every reading of letters has: `$1` to `$8`. */
const WHERE = `workspace_id = $1 and ($2::text is null or service = $2) and ($3::text is null or topic = $3) and ($4::text is null or reason = $4)
  and ($5::text is null or webhook_id = $5) and ($6::text is null or status = $6) and ($7::timestamptz is null or at >= $7) and ($8::timestamptz is null or at < $8)`;
const filterValues = (workspaceId: string, filter: LetterFilter): unknown[] => [
  workspaceId,
  ...[filter.service, filter.topic, filter.reason, filter.webhookId, filter.status, filter.from, filter.to].map(
    (value) => value ?? null,
  ),
];

/** Newest first, without the bytes. */
export async function listLetters(
  tx: Tx,
  workspaceId: string,
  filter: LetterFilter,
  page: { limit: number; before: { at: string; id: string } | undefined },
): Promise<LetterRow[]> {
  const { rows } = await tx.query<LetterRow>(
    `select ${COLUMNS} from control_plane.dead_letters
     where ${WHERE} and ($9::timestamptz is null or (at, id) < ($9, $10)) order by at desc, id desc limit $11`,
    [...filterValues(workspaceId, filter), page.before?.at ?? null, page.before?.id ?? null, page.limit],
  );
  return rows;
}

/** Ids of letters that can be put back, oldest first. */
export async function openLetters(
  tx: Tx,
  workspaceId: string,
  filter: Omit<LetterFilter, 'status'>,
  limit: number,
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from control_plane.dead_letters where ${WHERE} order by at, id limit $9`,
    [...filterValues(workspaceId, { ...filter, status: 'open' }), limit],
  );
  return rows.map(({ id }) => id);
}

export async function findLetter(tx: Tx, workspaceId: string, id: string): Promise<FullLetterRow | undefined> {
  const { rows } = await tx.query<FullLetterRow>(
    `select ${COLUMNS}, value from control_plane.dead_letters where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  );
  return rows[0];
}

/** In the order of their ids, so that two redrives of the same letters wait for each other instead of for ever. */
export async function lockLetters(tx: Tx, workspaceId: string, ids: readonly string[]): Promise<FullLetterRow[]> {
  const { rows } = await tx.query<FullLetterRow>(
    `select ${COLUMNS}, value from control_plane.dead_letters where workspace_id = $1 and id = any($2) order by id for update`,
    [workspaceId, ids],
  );
  return rows;
}

export async function markRedriven(tx: Tx, ids: readonly string[], by: string, at: Date): Promise<void> {
  await tx.query(
    `update control_plane.dead_letters set status = 'redriven', redriven_at = $2, redriven_by = $3 where id = any($1)`,
    [ids, at.toISOString(), by],
  );
}

/** What a webhook is read with now. */
export interface CurrentWebhook {
  id: string;
  connector: string;
  revision: number;
}

export async function currentWebhooks(
  tx: Tx,
  workspaceId: string,
  ids: readonly string[],
): Promise<Map<string, CurrentWebhook>> {
  const { rows } = await tx.query<{ id: string; connector: string; revision: string }>(
    'select id, connector, revision from control_plane.webhooks where workspace_id = $1 and id = any($2)',
    [workspaceId, ids],
  );
  return new Map(rows.map((row) => [row.id, { ...row, revision: Number(row.revision) }]));
}
