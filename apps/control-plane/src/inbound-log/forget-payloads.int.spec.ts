import { encodeRecord } from '@tocsin/contracts';
import { createPools, type Input, type Pools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordOutcomesStage } from './record-outcomes-batch.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'control_plane', directory: new URL('../migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'forget-payloads.int.spec', max: 2 });
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

it('forgets what senders wrote in requests whose incident was erased, and no other', async () => {
  for (const id of ['rcv_erased', 'rcv_other']) {
    await pools.pipeline.query(
      `insert into control_plane.inbound_deliveries (id, workspace_id, webhook_id, received_at, status, query, headers, detail)
       values ($1, 'ws_1', 'whk_1', now(), 'settled', 'user=jane', '{"x-user":"jane"}', 'jane')`,
      [id],
    );
    await pools.pipeline.query(
      `insert into control_plane.inbound_payloads (receipt_id, workspace_id, received_at, body, truncated, redacted)
       values ($1, 'ws_1', now(), 'jane', false, false)`,
      [id],
    );
  }
  const value = Buffer.from(
    encodeRecord('receipts.erased.v1', {
      ...{ workspaceId: 'ws_1', webhookId: 'whk_1', incidentId: 'inc_1', at: '2026-03-01T09:00:00.000Z' },
      receiptIds: ['rcv_erased', 'rcv_unheard'],
    }),
  );
  const input: Input = { offset: 0n, key: 'whk_1', type: 'receipts.erased.v1', value, headers: {}, timestamp: 0 };
  const stage = recordOutcomesStage(() => new Date());
  const tx = await pools.pipeline.connect();
  try {
    // Told twice, it is the same.
    for (let time = 0; time < 2; time++) {
      const { verdicts } = await stage.apply(tx, [input], await stage.load([input]));
      expect(verdicts).toEqual([{ kind: 'handled' }]);
    }
  } finally {
    tx.release();
  }
  const { rows } = await pools.pipeline.query(
    `select id, query, headers, detail, payload_absence, convert_from(p.body, 'UTF8') as body
       from control_plane.inbound_deliveries d left join control_plane.inbound_payloads p on p.receipt_id = d.id order by id`,
  );
  expect(rows).toEqual([
    { id: 'rcv_erased', query: null, headers: null, detail: null, payload_absence: 'erased', body: null },
    {
      ...{ id: 'rcv_other', query: 'user=jane', headers: { 'x-user': 'jane' }, detail: 'jane' },
      ...{ payload_absence: null, body: 'jane' },
    },
  ]);
});
