import { Problem } from '@tocsin/nest-shell';
import { type Tx, withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { type Page, cursorOf, readCursor } from '../pages.ts';
import type { ListDeliveries } from './deliveries.dto.ts';
import type { DeliveryRow, PayloadRow } from './delivery-view.ts';

const ROWS = `select d.*, octet_length(p.body) as payload_bytes, p.truncated, p.redacted
  from control_plane.inbound_deliveries as d left join control_plane.inbound_payloads as p on p.receipt_id = d.id`;

/** The delivery log of a workspace. Row level security leaves each caller the rows of its own workspace. */
export class DeliveryQueries {
  constructor(private readonly pool: Pool) {}

  async list(workspaceId: string, webhookId: string, query: ListDeliveries): Promise<Page<DeliveryRow>> {
    const { terms, values } = filterOf(webhookId, query);
    const rows = await withWorkspace(this.pool, workspaceId, async (tx) => {
      await webhook(tx, webhookId);
      const found = await tx.query<DeliveryRow>(
        `${ROWS} where ${terms.join(' and ')} order by d.received_at desc, d.id desc limit ${query.limit + 1}`,
        values,
      );
      return found.rows;
    });
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    const more = last !== undefined && rows.length > query.limit;
    return { items, next_cursor: more ? cursorOf({ createdAt: last.received_at, id: last.id }) : null };
  }

  read(
    workspaceId: string,
    webhookId: string,
    id: string,
  ): Promise<{ row: DeliveryRow; payload: PayloadRow | undefined }> {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      await webhook(tx, webhookId);
      const { rows } = await tx.query<DeliveryRow>(`${ROWS} where d.id = $1 and d.webhook_id = $2`, [id, webhookId]);
      if (!rows[0]) throw await notFound(tx, webhookId, id);
      const payloads = await tx.query<PayloadRow>(
        'select body, content_type, truncated, redacted from control_plane.inbound_payloads where receipt_id = $1',
        [id],
      );
      return { row: rows[0], payload: payloads.rows[0] };
    });
  }
}

/** @throws Problem not-found for a webhook that is not in this workspace */
async function webhook(tx: Tx, id: string): Promise<void> {
  const { rowCount } = await tx.query('select from control_plane.webhooks where id = $1', [id]);
  if (rowCount === 0) throw new Problem('not-found', 'There is nothing with this id in your workspace.');
}

/** One that was counted but left no row is told apart from one that never came. */
async function notFound(tx: Tx, webhookId: string, id: string): Promise<Problem> {
  const { rowCount } = await tx.query(
    'select from control_plane.ledger_receipts where receipt_id = $1 and webhook_id = $2',
    [id, webhookId],
  );
  const detail =
    rowCount === 0
      ? `There is no delivery ${id} of this webhook.`
      : `${id} was counted but left no row: above the rate of sampling only a part of the deliveries does.`;
  return new Problem('not-found', detail);
}

function filterOf(webhookId: string, { status, from, to, cursor }: ListDeliveries) {
  const values: unknown[] = [webhookId];
  const terms = ['d.webhook_id = $1'];
  const add = (term: string, ...given: unknown[]): void => {
    const numbers = given.map((value) => `$${values.push(value)}`);
    terms.push(numbers.reduce((text, number) => text.replace('?', number), term));
  };
  if (status) {
    const states = status.filter((one) => one === 'rejected' || one === 'in-flight');
    const outcomes = status.filter((one) => one !== 'rejected' && one !== 'in-flight');
    add('(d.status = any(?) or d.outcomes && ?)', states, outcomes);
  }
  if (from !== undefined) add('d.received_at >= ?::timestamptz', from);
  if (to !== undefined) add('d.received_at < ?::timestamptz', to);
  const after = readCursor(cursor);
  if (after) add('(d.received_at, d.id) < (?::timestamptz, ?)', after.at, after.id);
  return { terms, values };
}
