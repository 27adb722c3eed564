import { setTimeout as sleep } from 'node:timers/promises';
import { isId } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import { withWorkspace, type Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { isSettled, receiptOf, type OutcomeRow, type ReceiptRecord } from './receipt-views.ts';

/** How long `GET receipts/{id}` waits for one that is on its way, and how often it looks. */
const WAIT_MS = 2_000;
const LOOK_MS = 40;

/** What became of requests. Row level security shows each caller the receipts of its own workspace only. */
export class ReceiptQueries {
  constructor(private readonly pool: Pool) {}

  /**
   * One that is not settled is on its way as a rule: it is waited for, and then shown as far as it is known. The gateway tells about once
   * a second what it accepted (decision 19), so what is unknown after the wait is most likely none.
   * @throws Problem not-found
   */
  async read(workspaceId: string, id: string) {
    if (!isId('rcv', id)) throw new Problem('not-found', `There is no receipt ${id}.`);
    const tries = WAIT_MS / LOOK_MS;
    for (let attempt = 1; ; attempt++) {
      const found = await withWorkspace(this.pool, workspaceId, (tx) => readReceipt(tx, id));
      if (found && (found.settled || attempt > tries)) return found.view;
      if (attempt > tries) throw unheardOf(id);
      await sleep(LOOK_MS);
    }
  }
}

const unheardOf = (id: string): Problem =>
  new Problem('not-found', `There is no receipt ${id}, or no service has told of it yet: ask again in a moment.`, {
    headers: { 'retry-after': '1' },
  });

async function readReceipt(tx: Tx, id: string) {
  const receipt = await tx.query<ReceiptRecord>('select * from incident_store.receipts where receipt_id = $1', [id]);
  if (!receipt.rows[0]) return undefined;
  const alerts = await tx.query<OutcomeRow>(
    `select o.alert_id, o.incident_id, o.index, o.outcome, o.reason, o.occurrence_count, coalesce(o.why, (a.alert -> 'why')::jsonb) as why
     from incident_store.alert_outcomes o left join incident_store.incident_alerts a using (alert_id) where o.receipt_id = $1 order by o.index`,
    [id],
  );
  const [found] = receipt.rows;
  return { settled: isSettled(found, alerts.rows), view: receiptOf(found, alerts.rows) };
}
