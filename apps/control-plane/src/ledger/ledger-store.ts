import type { Tx } from '@tocsin/postgres';
import { multirangeOf, type OutcomeCounts, type Settlement } from './settlement.ts';

/** Repeats are recognised for so long; what is older is not counted any more. */
export const LEDGER_DAYS = 8;
const DAY_MS = 86_400_000;
/** Not counted an hour before its row would go, so that pruning and counting never meet. */
const COUNTED_MS = LEDGER_DAYS * DAY_MS - 3_600_000;
export const isCounted = (receivedAt: string, now: Date): boolean =>
  now.getTime() - Date.parse(receivedAt) < COUNTED_MS;

/** Start of the minute of an instant of ours (`…T09:15:27.123Z`). */
export const minuteOf = (instant: string): string => `${instant.slice(0, 16)}:00.000Z`;

export interface ReceiptKey {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  receivedAt: string;
}

/** A receipt whose `webhook.received` was heard for the first time. */
export interface HeardReceipt<Early> {
  receiptId: string;
  minute: string;
  /** As how many alerts it counts. */
  weight: number;
  early: Early | null;
  /** All its alerts have an outcome. */
  complete: boolean;
}

/** What a settlement added. `heard`: the receipt itself is known, so that it may be counted. */
export interface SettledReceipt<Early> {
  receiptId: string;
  minute: string;
  heard: boolean;
  /** Indexes that had no outcome before, as a multirange. */
  fresh: string;
  grown: number;
  early: Early | null;
  complete: boolean;
}

const COMPLETE = 'r.settled @> int4range(0, greatest(coalesce(r.total, 1), 1))';
const keyRow = ({ receiptId, workspaceId, webhookId, receivedAt }: ReceiptKey) => ({
  receiptId,
  workspaceId,
  webhookId,
  minute: minuteOf(receivedAt),
});

interface ReceiptRow {
  receipt_id: string;
  minute: Date;
  weight: number;
  heard: boolean;
  fresh: string;
  grown: number;
  early: unknown;
  complete: boolean;
}

/** Notes that these receipts were accepted. @returns those that were not known as accepted before: a receipt counts once. */
export async function hearReceipts<Early>(tx: Tx, receipts: readonly ReceiptKey[]): Promise<HeardReceipt<Early>[]> {
  const { rows } = await tx.query<ReceiptRow>(
    `insert into control_plane.ledger_receipts as r (receipt_id, workspace_id, webhook_id, minute, heard, settled, fresh, grown)
     select "receiptId", "workspaceId", "webhookId", minute, true, '{}', '{}', 0
     from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, minute timestamptz) order by "receiptId"
     on conflict (receipt_id) do update set heard = true where not r.heard
     returning r.receipt_id, r.minute, greatest(coalesce(r.total, 1), 1) as weight, r.early, ${COMPLETE} as complete`,
    [JSON.stringify(receipts.map(keyRow))],
  );
  return rows.map(({ receipt_id, minute, weight, early, complete }) => ({
    receiptId: receipt_id,
    minute: minute.toISOString(),
    weight,
    early: early as Early | null,
    complete,
  }));
}

/** Notes which alerts of these receipts have an outcome. One that is not heard of yet gets its row all the same. */
export async function settleReceipts<Early>(
  tx: Tx,
  settlements: readonly Settlement[],
): Promise<SettledReceipt<Early>[]> {
  const given = settlements.map((one) => ({
    ...keyRow(one),
    total: one.total,
    settled: multirangeOf(one.alerts.map(({ index }) => index)),
  }));
  const { rows } = await tx.query<ReceiptRow>(
    `insert into control_plane.ledger_receipts as r (receipt_id, workspace_id, webhook_id, minute, heard, total, settled, fresh, grown)
     select "receiptId", "workspaceId", "webhookId", minute, false, total, settled, settled, 0
     from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, minute timestamptz, total int, settled int4multirange)
     order by "receiptId"
     on conflict (receipt_id) do update set fresh = excluded.settled - r.settled, settled = r.settled + excluded.settled,
       grown = greatest(r.total, excluded.total, 1) - greatest(coalesce(r.total, 1), 1), total = greatest(r.total, excluded.total)
     returning r.receipt_id, r.minute, r.heard, r.fresh::text, r.grown, r.early, ${COMPLETE} as complete`,
    [JSON.stringify(given)],
  );
  return rows.map(({ receipt_id, minute, heard, fresh, grown, early, complete }) => ({
    receiptId: receipt_id,
    minute: minute.toISOString(),
    heard,
    fresh,
    grown,
    early: early as Early | null,
    complete,
  }));
}

/** Locks or makes the rows of receipts that are not heard of yet; the others are left alone, without a write. */
export async function unheardReceipts<Early>(
  tx: Tx,
  receipts: readonly ReceiptKey[],
): Promise<{ receiptId: string; early: Early | null }[]> {
  const { rows } = await tx.query<{ receipt_id: string; early: unknown }>(
    `insert into control_plane.ledger_receipts as r (receipt_id, workspace_id, webhook_id, minute, heard, settled, fresh, grown)
     select "receiptId", "workspaceId", "webhookId", minute, false, '{}', '{}', 0
     from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, minute timestamptz)
     where not exists (select from control_plane.ledger_receipts as known where known.receipt_id = "receiptId" and known.heard)
     order by "receiptId"
     on conflict (receipt_id) do update set grown = 0 where not r.heard
     returning r.receipt_id, r.early`,
    [JSON.stringify(receipts.map(keyRow))],
  );
  return rows.map(({ receipt_id, early }) => ({ receiptId: receipt_id, early: early as Early | null }));
}

/** Keeps what was heard before the receipt itself, until that is heard. The rows are locked by this transaction already. */
export async function keepEarly(tx: Tx, news: readonly { receiptId: string; early: unknown }[]): Promise<void> {
  if (news.length === 0) return;
  await tx.query(
    `update control_plane.ledger_receipts as r set early = s.early
     from json_to_recordset($1::json) as s ("receiptId" text, early jsonb) where r.receipt_id = s."receiptId"`,
    [JSON.stringify(news)],
  );
}

export interface MinuteKey {
  workspaceId: string;
  webhookId: string;
  minute: string;
}
const inOrder = (a: MinuteKey, b: MinuteKey): number =>
  a.webhookId < b.webhookId ? -1 : a.webhookId > b.webhookId ? 1 : a.minute < b.minute ? -1 : 1;

/** Adds up what belongs to one minute of one webhook. */
export function byMinute<T extends MinuteKey>(items: readonly T[], add: (sum: T, item: T) => void): T[] {
  const sums = new Map<string, T>();
  for (const item of items) {
    const key = `${item.webhookId} ${item.minute}`;
    const sum = sums.get(key);
    if (sum) add(sum, item);
    else sums.set(key, { ...item });
  }
  return [...sums.values()].sort(inOrder);
}

export type MinuteCount = MinuteKey & { receipts: number; accepted: number };

/** Counts what was accepted. @returns how many receipts each of these minutes has now */
export async function countAccepted(
  tx: Tx,
  counts: readonly MinuteCount[],
): Promise<(MinuteKey & { receipts: number })[]> {
  const sums = byMinute(counts, (sum, { receipts, accepted }) => {
    sum.receipts += receipts;
    sum.accepted += accepted;
  });
  if (sums.length === 0) return [];
  const { rows } = await tx.query<{ workspace_id: string; webhook_id: string; minute: Date; receipts: string }>(
    `insert into control_plane.ledger_minutes as m (workspace_id, webhook_id, minute, receipts, accepted)
     select "workspaceId", "webhookId", minute, receipts, accepted
     from json_to_recordset($1::json) as s ("workspaceId" text, "webhookId" text, minute timestamptz, receipts bigint, accepted bigint)
     on conflict (webhook_id, minute) do update set receipts = m.receipts + excluded.receipts, accepted = m.accepted + excluded.accepted
     returning m.workspace_id, m.webhook_id, m.minute, m.receipts`,
    [JSON.stringify(sums)],
  );
  return rows.map(({ workspace_id, webhook_id, minute, receipts }) => ({
    workspaceId: workspace_id,
    webhookId: webhook_id,
    minute: minute.toISOString(),
    receipts: Number(receipts),
  }));
}

export type OutcomeCount = MinuteKey & { counts: OutcomeCounts };

/** Counts outcomes; the caller has made sure that each alert is among them once. */
export async function countSettled(tx: Tx, settled: readonly OutcomeCount[]): Promise<void> {
  const rows = byMinute(
    settled.flatMap(({ counts, ...key }) =>
      Object.entries(counts).map(([outcome, alerts]) => ({ ...key, minute: `${key.minute} ${outcome}`, alerts })),
    ),
    (sum, { alerts }) => (sum.alerts += alerts),
  ).map(({ minute, ...rest }) => {
    const [instant, outcome] = minute.split(' ');
    return { ...rest, minute: instant, outcome };
  });
  if (rows.length === 0) return;
  await tx.query(
    `insert into control_plane.ledger_outcomes as o (workspace_id, webhook_id, minute, outcome, alerts)
     select "workspaceId", "webhookId", minute, outcome, alerts
     from json_to_recordset($1::json) as s ("workspaceId" text, "webhookId" text, minute timestamptz, outcome text, alerts bigint)
     on conflict (webhook_id, minute, outcome) do update set alerts = o.alerts + excluded.alerts`,
    [JSON.stringify(rows)],
  );
}
