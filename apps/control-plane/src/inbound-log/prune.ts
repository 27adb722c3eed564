import type { Tx } from '@tocsin/postgres';
import { LEDGER_DAYS } from '../ledger/ledger-store.ts';

export interface Keeping {
  rowDays: number;
  payloadDays: number;
}

/** Rows per statement: a pruning transaction stays short, whatever has piled up. */
export const PRUNE_ROWS = 1_000;
const DAY_MS = 86_400_000;
const before = (now: Date, days: number): Date => new Date(now.getTime() - days * DAY_MS);

/** What goes, a bounded number of each kind. @returns whether there may be more */
export async function pruneOnce(tx: Tx, { rowDays, payloadDays }: Keeping, now: Date): Promise<boolean> {
  const counts = [
    await removed(tx, 'inbound_payloads', 'received_at < $1', before(now, payloadDays)),
    await removed(tx, 'inbound_deliveries', 'received_at < $1', before(now, rowDays)),
    await removed(tx, 'inbound_deliveries', 'captured and received_at < $1', before(now, 1)),
    await removed(tx, 'ledger_outcomes', 'minute < $1', before(now, rowDays)),
    await removed(tx, 'ledger_minutes', 'minute < $1', before(now, rowDays)),
    await pruneReceipts(tx, before(now, LEDGER_DAYS)),
  ];
  return counts.some((count) => count >= PRUNE_ROWS);
}

async function removed(tx: Tx, table: string, condition: string, limit: Date): Promise<number> {
  const { rowCount } = await tx.query(
    `delete from control_plane.${table} where ctid = any(array(select ctid from control_plane.${table} where ${condition} limit ${PRUNE_ROWS}))`,
    [limit],
  );
  return rowCount ?? 0;
}

/** What these rows alone knew is written into their minutes first, so that the ledger still says what it said. */
async function pruneReceipts(tx: Tx, limit: Date): Promise<number> {
  const { rows } = await tx.query<{ pruned: string }>(
    `with gone as (
       delete from control_plane.ledger_receipts where ctid = any(array(
         select ctid from control_plane.ledger_receipts where minute < $1 order by minute limit ${PRUNE_ROWS}))
       returning workspace_id, webhook_id, minute, heard, settled, greatest(coalesce(total, 1), 1) as weight
     ), open as (
       select workspace_id, webhook_id, minute,
         coalesce(sum(weight - known) filter (where heard), 0) as unsettled, coalesce(sum(told) filter (where not heard), 0) as unmatched
       from gone
       cross join lateral (select coalesce(sum(upper(one) - lower(one)), 0) as known from unnest(settled * int4multirange(int4range(0, weight))) as one) as k
       cross join lateral (select coalesce(sum(upper(one) - lower(one)), 0) as told from unnest(settled) as one) as t
       where not heard or not settled @> int4range(0, weight)
       group by workspace_id, webhook_id, minute
     ), kept as (
       insert into control_plane.ledger_minutes as m (workspace_id, webhook_id, minute, receipts, accepted, unsettled, unmatched)
       select workspace_id, webhook_id, minute, 0, 0, unsettled, unmatched from open
       on conflict (webhook_id, minute) do update set unsettled = m.unsettled + excluded.unsettled, unmatched = m.unmatched + excluded.unmatched
     )
     select count(*) as pruned from gone`,
    [limit],
  );
  return Number(rows[0]?.pruned ?? 0);
}
