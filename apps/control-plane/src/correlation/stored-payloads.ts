import type { PastReceipt } from '@tocsin/connectors';
import type { ConfigurationTx } from '../configuration-store.ts';

/** What a test of rules looks at: little enough for an answer in time. */
const MAX = { payloads: 5_000, bytes: 32_000_000 } as const;

interface PayloadRow {
  id: string;
  webhook_id: string;
  received_at: Date;
  headers: Record<string, string> | null;
  query: string | null;
  body: Buffer | null;
  content_type: string | null;
  payload_absence: string | null;
  sampled: boolean;
  truncated: boolean | null;
}

/** The newest accepted receipts of a workspace with their kept payloads, the oldest of them first. */
const RECEIPTS = `
with newest as (
  select d.id, d.webhook_id, d.received_at, d.headers, d.query, d.payload_absence, d.sampled
  from control_plane.webhooks w join control_plane.inbound_deliveries d on d.webhook_id = w.id
  where w.workspace_id = $1 and d.workspace_id = $1 and d.received_at >= $2 and d.status <> 'rejected' and not d.captured
  order by d.received_at desc, d.id desc limit ${MAX.payloads}
), weighed as (
  select n.*, p.body, p.content_type, p.truncated,
    sum(coalesce(octet_length(p.body), 0)) over (order by n.received_at desc, n.id desc) as bytes
  from newest n left join control_plane.inbound_payloads p on p.receipt_id = n.id
)
select id, webhook_id, received_at, headers, query, payload_absence, sampled, body, content_type, truncated from weighed
where bytes <= ${MAX.bytes} order by received_at, id`;

export interface StoredPayloads {
  receipts: PastReceipt[];
  /** Receipts whose payload is not there, by the reason. */
  skipped: Record<string, number>;
  /** Some of the time asked for is missing: more came than is looked at, or than the delivery log keeps. */
  complete: boolean;
  from: string;
}

/** What the delivery log has of a workspace since an instant. */
export async function storedPayloads(tx: ConfigurationTx, since: Date): Promise<StoredPayloads> {
  const rows = await tx.manager.query<PayloadRow[]>(RECEIPTS, [tx.workspaceId, since]);
  const skipped: Record<string, number> = {};
  const receipts = rows.flatMap((row) => {
    const absence = absenceOf(row);
    if (absence !== null) skipped[absence] = (skipped[absence] ?? 0) + 1;
    return absence === null ? [receiptOf(row, tx.workspaceId)] : [];
  });
  const cut =
    rows.length === MAX.payloads || rows.reduce((sum, row) => sum + (row.body?.length ?? 0), 0) > MAX.bytes * 0.9;
  const complete = !cut && receipts.length === rows.length && rows.every(({ sampled }) => !sampled);
  return { receipts, skipped, complete, from: (cut && rows[0] ? rows[0].received_at : since).toISOString() };
}

/** An empty body is a payload, too: some senders say everything in the address. */
function absenceOf({ body, truncated, payload_absence: absence }: PayloadRow): string | null {
  if (truncated === true) return 'truncated';
  if (body !== null || absence === 'empty') return null;
  return absence ?? 'expired';
}

const receiptOf = (row: PayloadRow, workspaceId: string): PastReceipt => ({
  ...{ receiptId: row.id, workspaceId, webhookId: row.webhook_id, receivedAt: row.received_at.toISOString() },
  payload: {
    ...{ bytes: row.body ?? Buffer.alloc(0), contentType: row.content_type },
    ...{ headers: row.headers ?? {}, query: row.query ?? '' },
  },
});
