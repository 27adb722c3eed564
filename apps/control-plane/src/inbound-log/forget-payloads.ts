import type { ReceiptsErased } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import type { PayloadAbsence } from './kept-payload.ts';

const ABSENCE: PayloadAbsence = 'erased';

/** Personal data of an incident was erased: of the requests that its alerts came with, what senders wrote goes; that they came stays. */
export async function forgetPayloads(tx: Tx, erased: readonly ReceiptsErased[]): Promise<void> {
  const receipts = [...new Set(erased.flatMap(({ receiptIds }) => receiptIds))].sort();
  if (receipts.length === 0) return;
  await tx.query('delete from control_plane.inbound_payloads where receipt_id = any($1)', [receipts]);
  await tx.query(
    `update control_plane.inbound_deliveries set payload_absence = $2, query = null, headers = null, detail = null where id = any($1)`,
    [receipts, ABSENCE],
  );
}
