import type { Outcome } from '@tocsin/contracts';
import { createPools, type Pools, type Stage } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';
import { LedgerQueries } from '../ledger/ledger-queries.ts';
import type { ReadLedger } from '../ledger/ledger.dto.ts';
import { DeliveryQueries } from './delivery-queries.ts';
import { deliveryView, deliveryWithPayload } from './delivery-view.ts';
import { InboundLogKeeper } from './inbound-log-keeper.ts';
import { recordOutcomesStage } from './record-outcomes-batch.ts';
import { recordReceiptsStage } from './record-receipts-batch.ts';
import { settleLetters } from './settle-letters.ts';
import { answered, answerOf, AT, item, NOW, receiptNumber, received, run, settled, whole } from './spec-parts.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
const capturing = new Set<string>();
const feed = {
  webhook: (id: string) => ({ body: { mode: capturing.has(id) ? 'capture' : 'live' } }) as never,
};
const clock = () => NOW;
const receipts = recordReceiptsStage({ feed, clock, sampling: { rowsPerMinute: 10, every: 5 } }) as Stage<unknown>;
const outcomes = recordOutcomesStage(clock) as Stage<unknown>;

const hear = (...inputs: ReturnType<typeof received>[]) => run(pools.pipeline, receipts, inputs);
const tell = (...inputs: ReturnType<typeof settled>[]) => run(pools.pipeline, outcomes, inputs);
const query = { limit: 200 };
const ledger = (workspace = 'ws_a', at = NOW, more: Partial<ReadLedger> = {}) =>
  new LedgerQueries(pools.rest, () => at).read(workspace, { ...query, ...more });
const list = async (more: object = {}, workspace = 'ws_a', webhook = 'whk_a') =>
  (await new DeliveryQueries(pools.rest).list(workspace, webhook, { ...query, ...more })).items.map(deliveryView);
const read = async (id: string) => {
  const { row, payload } = await new DeliveryQueries(pools.rest).read('ws_a', 'whk_a', id);
  return deliveryWithPayload(row, payload) as ReturnType<typeof deliveryView> & { payload: Record<string, unknown> };
};
const first = (n = 1) => receiptNumber(n);
const countOf = async (table: string): Promise<number> =>
  Number((await pools.pipeline.query(`select count(*) from control_plane.${table}`)).rows[0].count);

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  pools = createPools({ connectionString: database.url, applicationName: 'inbound-log-spec' });
  for (const workspace of ['ws_a', 'ws_b'])
    await pools.pipeline.query(
      `insert into control_plane.workspaces (id, workspace_id, name, slug, wrapped_data_key, revision, created_at, updated_at)
       values ($1, $1, 'w', $1, '', 1, now(), now())`,
      [workspace],
    );
  await pools.pipeline.query(
    `insert into control_plane.webhooks (id, workspace_id, name, description, connector, enabled, token_hmac, sealed_token, previous_tokens, auth,
       secrets, respond, rate_limit_per_hour, default_severity, severity_profile, dedup, correlation, rca, revision, created_at, updated_at)
     values ('whk_a', 'ws_a', 'w', '', 'generic', true, 'x', 'x', '[]', '{}', '[]', 'wait', 0, 'medium', 'tocsin', '{}', '{}', '{}', 1, now(), now())`,
  );
});
afterAll(async () => {
  await pools?.close();
  await database?.drop();
});
beforeEach(async () => {
  capturing.clear();
  for (const table of ['ledger_receipts', 'ledger_minutes', 'ledger_outcomes', 'inbound_deliveries'])
    await pools.pipeline.query(`delete from control_plane.${table}`);
});

const records: Record<string, () => Promise<void>> = {
  receipt: () => hear(received(first(), '{"title":"Ü"}')),
  outcome: () =>
    tell(settled(item(first(), 2, [answerOf(first(), 0)]), item(first(), 2, [answerOf(first(), 1, 'deduplicated')]))),
  answer: () =>
    tell(answered({ answered: [{ receiptId: first(), receivedAt: AT, responseCode: 200, latencyMs: 12.5 }] })),
};
const orders = [
  ['receipt', 'outcome', 'answer'],
  ['receipt', 'answer', 'outcome'],
  ['outcome', 'receipt', 'answer'],
  ['outcome', 'answer', 'receipt'],
  ['answer', 'receipt', 'outcome'],
  ['answer', 'outcome', 'receipt'],
];

describe('a delivery', () => {
  it.each(orders)('has everything that was told of it, in the order %s, %s, %s', async (...order) => {
    for (const name of order) await records[name]?.();
    expect(await list()).toMatchObject([
      {
        id: first(),
        receipt_id: first(),
        received_at: AT,
        status: 'created',
        response_code: 200,
        latency_ms: 12.5,
        outcome: 'created',
        reason: 'new-alert',
        outcomes: ['created', 'deduplicated'],
        alerts: 2,
        incident_ids: [answerOf(first(), 0).incidentId],
        settled_at: '2026-11-21T09:15:20.040Z',
        method: 'POST',
        query: 'a=1',
        headers: { 'user-agent': 'spec' },
        size_bytes: 14,
        config_revision: 7,
        payload: { kept: true, size_bytes: 14, truncated: false, redacted: false },
      },
    ]);
    expect((await ledger()).items).toMatchObject([
      {
        webhook_id: 'whk_a',
        minute: '2026-11-21T09:15:00.000Z',
        receipts: 1,
        accepted: 2,
        outcomes: { created: 1, deduplicated: 1, resolved: 0 },
        in_flight: 0,
        ahead: 0,
        balanced: true,
        rejected: 0,
      },
    ]);
  });

  it('is in flight until every alert has its outcome', async () => {
    await hear(received(first()));
    expect(await list({ status: ['in-flight'] })).toMatchObject([{ status: 'in-flight', outcome: null, alerts: null }]);
    await tell(settled(item(first(), 3, [answerOf(first(), 2, 'ignored')])));
    expect(await list()).toMatchObject([{ status: 'in-flight', outcome: 'ignored', alerts: 3, settled_at: null }]);
    expect((await ledger()).items).toMatchObject([{ accepted: 3, in_flight: 2, balanced: true }]);
    await tell(settled(item(first(), 3, [answerOf(first(), 0), answerOf(first(), 1)])));
    expect(await list({ status: ['in-flight'] })).toEqual([]);
    expect(await list()).toMatchObject([{ status: 'created', outcomes: ['created', 'ignored'] }]);
    expect((await ledger()).items).toMatchObject([{ accepted: 3, in_flight: 0, balanced: true }]);
  });

  it('counts once, however often receipt, outcome and answer come', async () => {
    for (let again = 0; again < 3; again += 1)
      for (const name of ['outcome', 'receipt', 'outcome', 'answer', 'receipt']) await records[name]?.();
    expect(await list()).toHaveLength(1);
    expect((await ledger()).items).toMatchObject([
      { receipts: 1, accepted: 2, outcomes: { created: 1, deduplicated: 1 }, in_flight: 0, balanced: true },
    ]);
  });

  it('without alerts counts as one, also when a later mapping finds some in it', async () => {
    await hear(received(first()));
    await tell(settled(whole(first())));
    expect(await list({ status: ['ignored'] })).toMatchObject([
      { status: 'ignored', alerts: 0, reason: 'empty-batch', detail: 'the payload holds no alerts' },
    ]);
    expect((await ledger()).items).toMatchObject([{ accepted: 1, outcomes: { ignored: 1 }, balanced: true }]);
    await tell(settled(item(first(), 2, [answerOf(first(), 0), answerOf(first(), 1)])));
    expect((await ledger()).items).toMatchObject([
      { accepted: 2, outcomes: { ignored: 1, created: 1 }, in_flight: 0, balanced: true },
    ]);
  });

  it('that was a dead letter shows what became of it after a redrive', async () => {
    await hear(received(first()));
    await tell(settled(whole(first(), 'dead-lettered')));
    await tell(settled(item(first(), 1, [answerOf(first(), 0)])));
    expect(await list()).toMatchObject([{ status: 'created', outcomes: ['created', 'dead-lettered'] }]);
  });

  it('that a later service could not process has its outcome by its dead letter', async () => {
    await hear(received(first(1)), received(first(2)), received(first(3)));
    const key = { workspaceId: 'ws_a', webhookId: 'whk_a', receivedAt: AT };
    const letter = { reason: 'decision-failed', at: '2026-11-21T09:15:21.000Z' };
    const of = (value: unknown) => Buffer.from(JSON.stringify(value));
    const alerts = [4, 7, 9].map((index) => ({ index, id: `alr_${index}` }));
    const normalized = of({ ...key, receiptId: first(1), receiptTotal: 10, alerts });
    const correlated = of({
      ...key,
      receiptId: first(2),
      receiptTotal: 1,
      alerts: [{ alert: { index: 0, id: 'alr_0' } }],
    });
    const client = await pools.pipeline.connect();
    try {
      for (let again = 0; again < 2; again += 1)
        await settleLetters(
          client,
          [
            { ...letter, topic: 'correlation.inputs', parts: [0, 2], value: normalized },
            { ...letter, topic: 'alert.correlated', parts: null, value: correlated },
            { ...letter, topic: 'webhook.received', parts: null, value: correlated },
            { ...letter, topic: 'alert.correlated', parts: null, value: Buffer.from('{"alerts":[null]}') },
          ],
          NOW,
        );
    } finally {
      client.release();
    }
    expect(await list({ status: ['dead-lettered'] })).toMatchObject([
      { id: first(2), status: 'dead-lettered', reason: 'decision-failed', alerts: 1 },
      { id: first(1), status: 'in-flight', outcomes: ['dead-lettered'], alerts: 10 },
    ]);
    expect((await ledger()).items).toMatchObject([
      { accepted: 12, outcomes: { 'dead-lettered': 3 }, in_flight: 9, balanced: true },
    ]);
  });

  it('is nobody else’s', async () => {
    await hear(received(first()));
    await expect(list({}, 'ws_b')).rejects.toMatchObject({ code: 'not-found' });
    expect((await ledger('ws_b')).items).toEqual([]);
    const asOther = await pools.rest.connect();
    try {
      await asOther.query(`begin; select set_config('tocsin.workspace_id', 'ws_b', true)`);
      for (const table of ['ledger_receipts', 'ledger_minutes', 'inbound_deliveries', 'inbound_payloads'])
        expect((await asOther.query(`select from control_plane.${table}`)).rowCount).toBe(0);
      await asOther.query('rollback');
    } finally {
      asOther.release();
    }
  });
});

describe('a kept payload', () => {
  it('is text where it is text, else base64', async () => {
    const bytes = Buffer.from([0xff, 0x00, 0x7b]);
    await hear(received(first(1), '{"title":"Ü"}'), received(first(2), bytes), received(first(3), 'a\0b'));
    expect(await read(first(1))).toMatchObject({ payload: { encoding: 'text', content: '{"title":"Ü"}' } });
    expect(await read(first(2))).toMatchObject({ payload: { encoding: 'base64', content: bytes.toString('base64') } });
    expect(await read(first(3))).toMatchObject({ payload: { encoding: 'base64' } });
  });

  it('is cut at 100 KB between characters, and says so', async () => {
    await hear(received(first(), `x${'Ü'.repeat(80_000)}`));
    const { payload, size_bytes } = await read(first());
    expect(size_bytes).toBe(160_001);
    expect(payload).toMatchObject({ truncated: true, size_bytes: 102_399 });
    expect(payload['content']).toBe(`x${'Ü'.repeat(51_199)}`);
  });

  it('has no secrets of its connector, and is not kept where they cannot be found', async () => {
    await hear(
      received(first(1), '{"id":"t","shared_secret":"s3cret"}', { connector: 'honeycomb' }),
      received(first(2), '{"shared_secret":"s3cret"', { connector: 'honeycomb' }),
    );
    expect(await read(first(1))).toMatchObject({
      payload: { redacted: true, content: '{"id":"t","shared_secret":"[redacted]"}' },
    });
    expect((await read(first(2))).payload).toEqual({ kept: false, absence: 'unredactable' });
    const { rows } = await pools.pipeline.query(
      `select convert_from(body, 'utf8') as text from control_plane.inbound_payloads`,
    );
    expect(JSON.stringify(rows)).not.toContain('s3cret');
  });
});

describe('above the rate', () => {
  it('every n-th keeps a row, all are counted, and a row that is missing is told from one that never was', async () => {
    const ids = Array.from({ length: 60 }, (_, n) => first(n + 1));
    for (let from = 0; from < 60; from += 7) await hear(...ids.slice(from, from + 7).map((id) => received(id)));
    await hear(...ids.map((id) => received(id))); // all of it again
    await tell(settled(...ids.map((id) => item(id, 1, [answerOf(id, 0)]))));
    const rows = await list();
    expect(rows.filter(({ sampled }) => !sampled)).toHaveLength(10);
    expect(rows.filter(({ sampled }) => sampled)).toHaveLength(10);
    expect(rows.every(({ status, payload }) => status === 'created' && payload.kept)).toBe(true);
    expect((await ledger()).items).toMatchObject([
      { receipts: 60, accepted: 60, outcomes: { created: 60 }, in_flight: 0, balanced: true },
    ]);
    await expect(read(first(11))).rejects.toMatchObject({
      code: 'not-found',
      detail: expect.stringContaining('was counted') as unknown,
    });
    await expect(read(first(99))).rejects.toMatchObject({
      code: 'not-found',
      detail: expect.stringContaining('There is no') as unknown,
    });
  });

  it('another minute begins anew', async () => {
    const ids = Array.from({ length: 24 }, (_, n) => first(n + 1));
    await hear(...ids.map((id, n) => received(id, '{}', { receivedAt: n < 12 ? AT : '2026-11-21T09:16:01.000Z' })));
    expect(await list()).toHaveLength(20);
  });

  it('a webhook in capture mode keeps its last 20 with payload, for a day', async () => {
    capturing.add('whk_a');
    const ids = Array.from({ length: 45 }, (_, n) => first(n + 1));
    const at = (n: number) => `2026-11-21T09:15:${String(n).padStart(2, '0')}.000Z`;
    for (let from = 0; from < 45; from += 15)
      await hear(...ids.slice(from, from + 15).map((id, n) => received(id, '{}', { receivedAt: at(from + n) })));
    await tell(settled(...ids.map((id) => whole(id, 'captured'))));
    const rows = await list({ status: ['captured'] });
    expect(rows.map(({ id }) => id)).toEqual(ids.slice(-20).reverse());
    expect(rows.every(({ payload, captured }) => payload.kept && captured)).toBe(true);
    expect((await ledger()).items).toMatchObject([{ accepted: 45, outcomes: { captured: 45 }, balanced: true }]);
    await keeper('2026-11-22T09:14:00.000Z').prune();
    expect(await list()).toHaveLength(20);
    await keeper('2026-11-22T09:16:00.000Z').prune();
    expect(await list()).toEqual([]);
  });
});

describe('refused requests', () => {
  const refusal = (count: number, withFirst: boolean, more: object = {}) => ({
    minute: '2026-11-21T09:15:00.000Z',
    problem: 'authentication-failed',
    reason: 'wrong-secret',
    count,
    ...(withFirst
      ? {
          first: {
            requestId: 'r1',
            at: '2026-11-21T09:15:03.000Z',
            responseCode: 401,
            method: 'POST',
            sizeBytes: 12,
            clientNetwork: '192.0.2.1',
            headers: { 'user-agent': 'stranger' },
            detail: 'the secret is another one',
          },
        }
      : {}),
    ...more,
  });

  it.each([
    ['the first one first', true, false],
    ['the first one later', false, true],
  ])('are one row per webhook, minute and reason: %s', async (_name, early, late) => {
    await tell(answered({ rejected: [refusal(3, early)] }));
    await tell(
      answered({ rejected: [refusal(4, late), refusal(1, false, { problem: 'rate-limited', reason: 'hour' })] }),
    );
    expect(await list({ status: ['rejected'] })).toMatchObject([
      {
        status: 'rejected',
        receipt_id: null,
        received_at: '2026-11-21T09:15:03.000Z',
        response_code: 401,
        problem: 'authentication-failed',
        reason: 'wrong-secret',
        detail: 'the secret is another one',
        count: 7,
        client_network: '192.0.2.1',
        payload: { kept: false, absence: 'rejected' },
      },
      { status: 'rejected', problem: 'rate-limited', count: 1 },
    ]);
    expect((await ledger()).items).toMatchObject([
      {
        accepted: 0,
        rejected: 8,
        rejections: [
          { problem: 'authentication-failed', reason: 'wrong-secret', count: 7 },
          { problem: 'rate-limited', reason: 'hour', count: 1 },
        ],
        balanced: true,
      },
    ]);
  });
});

describe('the list', () => {
  it('is read page by page, by status and by time', async () => {
    const at = (n: number) => `2026-11-21T09:1${n}:00.000Z`;
    const words: Outcome[] = ['created', 'ignored', 'created', 'deduplicated', 'created'];
    await hear(...words.map((_, n) => received(first(n + 1), '{}', { receivedAt: at(n) })));
    await tell(
      settled(
        ...words.map((word, n) => item(first(n + 1), 1, [answerOf(first(n + 1), 0, word)], { receivedAt: at(n) })),
      ),
    );
    const queries = new DeliveryQueries(pools.rest);
    const found: string[] = [];
    for (let cursor: string | undefined, more = true; more;) {
      const page = await queries.list('ws_a', 'whk_a', { limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.items.map(({ id }) => id));
      more = page.next_cursor !== null;
      cursor = page.next_cursor ?? undefined;
    }
    expect(found).toEqual([5, 4, 3, 2, 1].map(first));
    expect((await list({ status: ['ignored', 'deduplicated'] })).map(({ id }) => id)).toEqual([4, 2].map(first));
    expect((await list({ from: at(1), to: at(3) })).map(({ id }) => id)).toEqual([3, 2].map(first));
  });
});

const keeper = (now: string) =>
  new InboundLogKeeper({
    pool: pools.pipeline,
    clock: () => new Date(now),
    log: undefined as never,
    keeping: { rowDays: 30, payloadDays: 7 },
  });

describe('what is past its time', () => {
  it('goes: payloads, then what repeats are known by, then rows; the ledger says the same as before', async () => {
    await hear(received(first(1)), received(first(2)), received(first(3)));
    await tell(
      settled(
        item(first(1), 2, [answerOf(first(1), 0), answerOf(first(1), 1)]),
        item(first(2), 3, [answerOf(first(2), 1)]),
      ),
    );
    await tell(settled(item(first(4), 1, [answerOf(first(4), 0)])));
    const before = (await ledger()).items;
    expect(before).toMatchObject([{ accepted: 6, outcomes: { created: 3 }, in_flight: 3, ahead: 1, balanced: false }]);

    expect(await keeper('2026-11-28T09:14:00.000Z').prune()).toBe(false);
    expect(await countOf('inbound_payloads')).toBe(3);
    await keeper('2026-11-28T09:16:00.000Z').prune();
    expect(await countOf('inbound_payloads')).toBe(0);
    expect((await read(first(1))).payload).toEqual({ kept: false, absence: 'expired' });

    expect(await countOf('ledger_receipts')).toBe(4);
    await keeper('2026-11-29T09:16:00.000Z').prune();
    expect(await countOf('ledger_receipts')).toBe(0);
    const range = { from: '2026-11-21T09:00:00Z', to: '2026-11-21T10:00:00Z' };
    const after = (await ledger('ws_a', new Date('2026-11-29T09:16:00.000Z'), range)).items;
    expect(after).toEqual(before); // an outcome whose receipt never came stays a finding

    await keeper('2026-12-21T09:16:00.000Z').prune();
    for (const table of ['inbound_deliveries', 'ledger_minutes', 'ledger_outcomes'])
      expect(await countOf(table)).toBe(0);
  });

  it('is neither counted nor kept when it is read again after that', async () => {
    await hear(received(first(), '{}', { receivedAt: '2026-11-13T09:00:00.000Z' }));
    await tell(settled(item(first(), 1, [answerOf(first(), 0)], { receivedAt: '2026-11-13T09:00:00.000Z' })));
    expect(await countOf('ledger_receipts')).toBe(0);
    expect(await list()).toEqual([]);
  });
});

describe('the check of the ledger', () => {
  it('notices an alert that was counted twice, one that was lost, and an outcome out of nowhere', async () => {
    await hear(received(first(1)), received(first(2)));
    await tell(settled(item(first(1), 1, [answerOf(first(1), 0)])));
    expect((await ledger()).items).toMatchObject([{ balanced: true, in_flight: 1 }]);
    await pools.pipeline.query(`update control_plane.ledger_outcomes set alerts = alerts + 1`);
    expect((await ledger()).items).toMatchObject([{ balanced: false }]);
    await pools.pipeline.query(`update control_plane.ledger_outcomes set alerts = alerts - 1`);
    await pools.pipeline.query(`delete from control_plane.ledger_receipts where receipt_id = $1`, [first(2)]);
    expect((await ledger()).items).toMatchObject([{ balanced: false, in_flight: 0 }]);
    await hear(received(first(2)));
    await pools.pipeline.query(
      `update control_plane.ledger_minutes set receipts = receipts - 1, accepted = accepted - 1`,
    );
    await tell(settled(item(first(3), 1, [answerOf(first(3), 0)])));
    expect((await ledger()).items).toMatchObject([{ balanced: false, ahead: 1 }]); // 15 minutes old
    expect(
      (await ledger('ws_a', new Date('2026-11-21T09:16:00.000Z'), { to: '2026-11-21T10:00:00Z' })).items,
    ).toMatchObject([
      { balanced: true, ahead: 1 }, // still in time
    ]);
  });
});
