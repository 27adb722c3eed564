import {
  alertIdOf,
  type AlertAnswer,
  encodeFacts,
  encodeRecord,
  mintId,
  type Outcome,
  type ReceiptFacts,
  type ReceiptsSettled,
  type RequestsAnswered,
} from '@tocsin/contracts';
import type { Input, Stage } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** Parts of the specs of this folder: records as the services say them, and a transaction as commitBatch makes it. */

export const NOW = new Date('2026-11-21T09:30:00.000Z');
export const AT = '2026-11-21T09:15:20.000Z';
export const receiptNumber = (n: number) => mintId('rcv', Buffer.from(n.toString(16).padStart(32, '0'), 'hex'));

let offset = 0n;
const input = (type: string, value: Uint8Array, headers: Record<string, string> = {}): Input => ({
  offset: (offset += 1n),
  key: 'whk_a',
  type,
  value: Buffer.from(value),
  headers: { type, ...headers },
  timestamp: NOW.getTime(),
});

export function received(receiptId: string, body: Buffer | string = '{}', more: Partial<ReceiptFacts> = {}): Input {
  const facts: ReceiptFacts = {
    receiptId,
    workspaceId: 'ws_a',
    webhookId: 'whk_a',
    connector: 'generic',
    configRevision: 7,
    receivedAt: AT,
    method: 'POST',
    query: 'a=1',
    contentType: 'application/json',
    headers: { 'user-agent': 'spec' },
    waiting: false,
    ...more,
  };
  return input('webhook.received.v1', Buffer.from(body), { facts: encodeFacts('webhook.received.v1', facts) });
}

export const answerOf = (receiptId: string, index: number, outcome: Outcome = 'created'): AlertAnswer => ({
  index,
  alertId: alertIdOf(receiptId, index),
  incidentId: outcome === 'created' ? mintId('inc', Buffer.alloc(16, index + 1)) : null,
  outcome,
  reason: 'new-alert',
  occurrenceCount: 1,
});

type Item = ReceiptsSettled['items'][number];
export const item = (receiptId: string, total: number, alerts: AlertAnswer[], more: Partial<Item> = {}): Item => ({
  receiptId,
  workspaceId: 'ws_a',
  webhookId: 'whk_a',
  receivedAt: AT,
  settledAt: '2026-11-21T09:15:20.040Z',
  total,
  alerts,
  ...more,
});
/** A receipt that is settled as a whole. */
export const whole = (receiptId: string, outcome: Outcome = 'ignored', more: Partial<Item> = {}): Item =>
  item(receiptId, 0, [], { outcome, reason: 'empty-batch', detail: 'the payload holds no alerts', ...more });

export const settled = (...items: Item[]): Input =>
  input('receipts.settled.v1', encodeRecord('receipts.settled.v1', { items }));

export const answered = (more: Partial<RequestsAnswered>): Input =>
  input(
    'requests.answered.v1',
    encodeRecord('requests.answered.v1', {
      workspaceId: 'ws_a',
      webhookId: 'whk_a',
      answered: [],
      rejected: [],
      ...more,
    }),
  );

const CONFLICTS = new Set(['40P01', '40001', '23505']);

/** One batch through a stage, again after a conflict, as commitBatch does it. */
export async function run(pool: Pool, stage: Stage<unknown>, inputs: Input[]): Promise<void> {
  for (;;) {
    const client = await pool.connect();
    try {
      const loaded = await stage.load(inputs);
      await client.query('begin');
      await stage.apply(client, inputs, loaded);
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback');
      if (!CONFLICTS.has(String((error as { code?: unknown }).code))) throw error;
    } finally {
      client.release();
    }
  }
}
