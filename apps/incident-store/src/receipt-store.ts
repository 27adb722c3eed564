import type { AlertAnswer } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';

export interface ReceiptRow {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  receivedAt: string;
  normalizedAt: string | null;
  correlatedAt: string | null;
  settledAt: string;
  total: number;
  outcome: string | null;
  reason: string | null;
  detail: string | null;
}

/** Keeps each receipt once; what is known of it only grows. */
export async function upsertReceipts(tx: Tx, receipts: readonly ReceiptRow[]): Promise<void> {
  const once = [...new Map(receipts.map((receipt) => [receipt.receiptId, receipt])).values()];
  if (once.length === 0) return;
  await tx.query(
    `insert into incident_store.receipts as r (receipt_id, workspace_id, webhook_id, received_at, normalized_at, correlated_at, settled_at, total, outcome, reason, detail)
     select * from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, "receivedAt" timestamptz, "normalizedAt" timestamptz,
       "correlatedAt" timestamptz, "settledAt" timestamptz,
       total int, outcome text, reason text, detail text) order by "receiptId"
     on conflict (receipt_id) do update set total = greatest(r.total, excluded.total), settled_at = greatest(r.settled_at, excluded.settled_at),
       normalized_at = least(r.normalized_at, excluded.normalized_at), correlated_at = least(r.correlated_at, excluded.correlated_at),
       (outcome, reason, detail) = (
         -- A dead letter that was redriven: what came of it then is what counts, alerts or another outcome.
         select said.outcome, said.reason, said.detail
         from (values (1, r.outcome, r.reason, r.detail), (2, excluded.outcome, excluded.reason, excluded.detail)) as said (place, outcome, reason, detail)
         where said.outcome is not null and (said.outcome <> 'dead-lettered' or greatest(r.total, excluded.total) = 0)
         order by said.outcome = 'dead-lettered', place limit 1)
     where r.workspace_id = excluded.workspace_id`,
    [JSON.stringify(once)],
  );
}

export type ForeignAnswer = AlertAnswer & Pick<ReceiptRow, 'receiptId' | 'workspaceId' | 'webhookId' | 'settledAt'>;

/**
 * Answers that another service gave (e.g. dead-lettered elements of a receipt); an alert that has an answer keeps it, unless that
 * was a dead letter, which has been redriven then.
 */
export async function insertForeignAnswers(tx: Tx, answers: readonly ForeignAnswer[]): Promise<void> {
  if (answers.length === 0) return;
  const once = new Map<string, ForeignAnswer>();
  for (const answer of answers)
    if ((once.get(answer.alertId)?.outcome ?? 'dead-lettered') === 'dead-lettered') once.set(answer.alertId, answer);
  await tx.query(
    `insert into incident_store.alert_outcomes (alert_id, index, workspace_id, webhook_id, receipt_id, incident_id, outcome, reason, occurrence_count, settled_at)
     select * from json_to_recordset($1::json) as s ("alertId" text, index int, "workspaceId" text, "webhookId" text, "receiptId" text, "incidentId" text,
       outcome text, reason text, "occurrenceCount" int, "settledAt" timestamptz) order by "alertId"
     on conflict (alert_id) do update set outcome = excluded.outcome, reason = excluded.reason, settled_at = excluded.settled_at
     where alert_outcomes.outcome = 'dead-lettered' and excluded.outcome <> 'dead-lettered'`,
    [JSON.stringify([...once.values()])],
  );
}

export type AcceptedReceipt = Pick<ReceiptRow, 'receiptId' | 'workspaceId' | 'webhookId' | 'receivedAt'>;

/** Receipts that the gateway has accepted. Most are settled when it tells of them, and then nothing is written. */
export async function noteAccepted(tx: Tx, receipts: readonly AcceptedReceipt[]): Promise<void> {
  if (receipts.length === 0) return;
  await tx.query(
    `insert into incident_store.receipts (receipt_id, workspace_id, webhook_id, received_at)
     select "receiptId", "workspaceId", "webhookId", "receivedAt"
     from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, "receivedAt" timestamptz)
     where not exists (select from incident_store.receipts as known where known.receipt_id = "receiptId") order by "receiptId"
     on conflict (receipt_id) do nothing`,
    [JSON.stringify(receipts)],
  );
}
