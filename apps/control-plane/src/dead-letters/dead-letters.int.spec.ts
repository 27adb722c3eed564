import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFacts, encodeFacts, type DeadLetterFacts, type ReceiptFacts, type Topic } from '@tocsin/contracts';
import type { LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, uniquePrefix, waitFor } from '@tocsin/testing';
import type { Pool, PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';
import { pruneLetters } from './dead-letter-store.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let workspaceId: string;
let webhook: { id: string; revision?: number };

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-dead-letters-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'dead-letters-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  const where = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], where);
  workspaceId = (await call('GET', 'workspaces')).body.items[0].id;
  webhook = (await call('POST', 'webhooks', { name: 'w', connector: 'generic' })).body as { id: string };
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- answers are read field by field
type Json = Record<string, any>;

async function call(
  method: string,
  path: string,
  content?: unknown,
  key = KEY,
): Promise<{ status: number; body: Json }> {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(content === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(content === undefined ? {} : { body: JSON.stringify(content) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const receiptFacts = (receiptId: string, over: Partial<ReceiptFacts> = {}): ReceiptFacts => ({
  receiptId,
  workspaceId,
  webhookId: webhook.id,
  connector: 'prometheus',
  configRevision: 1,
  receivedAt: '2026-11-21T09:00:00.000Z',
  method: 'POST',
  query: '',
  contentType: 'application/json',
  headers: {},
  waiting: false,
  ...over,
});

let offset = 0;
interface Made {
  receiptId: string;
  facts: DeadLetterFacts;
}
/** Appends letters as the normalizer does, and waits until they can be listed. */
async function letters(...given: { over?: Partial<DeadLetterFacts>; value?: Uint8Array }[]): Promise<Json[]> {
  const made = given.map(({ over = {}, value = Buffer.from('{"title":"x"}') }): Made & { value: Uint8Array } => {
    const receiptId = `rcv_${uniquePrefix()}`;
    const headers = { type: 'webhook.received.v1', facts: encodeFacts('webhook.received.v1', receiptFacts(receiptId)) };
    const facts: DeadLetterFacts = {
      ...{ service: 'normalizer', topic: 'webhook.received', partition: 1, offset: String(offset++) },
      ...{ reason: 'unrecognised-payload', detail: 'not ours', at: new Date().toISOString() },
      ...{ workspaceId, webhookId: webhook.id, receiptId, headers },
      ...over,
    };
    return { receiptId, facts, value };
  });
  await append(made);
  const ids = new Set(made.map(({ receiptId }) => receiptId));
  return waitFor(
    async () => {
      const { body } = await call('GET', 'dead-letters?limit=200');
      const found = (body.items as Json[]).filter(({ receipt_id: id }) => ids.has(id as string));
      return (
        found.length === ids.size && made.map(({ receiptId }) => found.find((one) => one.receipt_id === receiptId)!)
      );
    },
    { timeoutMs: 20_000, what: 'the letters' },
  );
}
const append = (made: { facts: DeadLetterFacts; value: Uint8Array }[]) =>
  platform.eventLog.append(
    made.map(({ facts, value }) => ({
      topic: 'dead-letters',
      key: webhook.id,
      value,
      headers: { type: 'dead.letter.v1', facts: encodeFacts('dead.letter.v1', facts) },
    })),
  );

/** What there is on a topic of a receipt, read from the first record. */
async function recordsOf(topic: Topic, wanted: (record: LogRecord) => boolean, atLeast: number): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  const ends = await platform.eventLog.offsets(topic);
  let left = ends.partitions.reduce((sum, { first, end }) => sum + Number(end - first), 0);
  const consumer = await platform.eventLog.consume(
    {
      topic,
      group: `reader-${uniquePrefix()}`,
      mode: 'group',
      onAssigned: (_one, { first }) => Promise.resolve({ seek: first }),
    },
    ({ records }) => {
      found.push(...records.filter(wanted));
      left -= records.length;
      return Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n });
    },
  );
  await waitFor(() => left <= 0 && found.length >= atLeast, { timeoutMs: 20_000, what: `records of ${topic}` });
  await consumer.close();
  return found;
}
const factsOf = (record: LogRecord) => decodeFacts('webhook.received.v1', record.headers['facts'] ?? '{}');
const redriven = (receiptId: string, atLeast = 1) =>
  recordsOf('webhook.received', (record) => factsOf(record).receiptId === receiptId, atLeast);

describe('dead letters', () => {
  it('are listed newest first, in pages, and kept once however often they are published', async () => {
    const [older, newer] = await letters(
      { over: { at: '2026-11-20T09:00:00.000Z' } },
      { over: { at: '2026-11-20T09:00:01.000Z' } },
    );
    const again = [older, newer].map((one) => one!['receipt_id'] as string);
    const published = await recordsOf(
      'dead-letters',
      (record) => again.some((id) => (record.headers['facts'] ?? '').includes(id)),
      2,
    );
    await append(
      published.map(({ headers, value }) => ({ facts: decodeFacts('dead.letter.v1', headers['facts']!), value })),
    );
    await letters({});
    const window = 'from=2026-11-20T09:00:00Z&to=2026-11-20T09:00:02Z';
    const first = await call('GET', `dead-letters?limit=1&${window}`);
    expect(first.body.items.map((one: Json) => one.id)).toEqual([newer!['id']]);
    const second = await call('GET', `dead-letters?limit=1&${window}&cursor=${first.body.next_cursor}`);
    expect(second.body.items).toEqual([older]);
    expect(second.body.next_cursor).toBeNull();
    expect(older).toMatchObject({
      service: 'normalizer',
      topic: 'webhook.received',
      status: 'open',
      size_bytes: 13,
      bytes_kept: true,
    });
  });

  it('are found by each filter, and by no other value of it', async () => {
    const [one] = await letters({ over: { reason: 'connector-failed' } });
    const finds = async (query: string) =>
      (await call('GET', `dead-letters?${query}&limit=200`)).body.items.some((item: Json) => item.id === one!['id']);
    for (const [name, right, wrong] of [
      ['service', 'normalizer', 'incident-store'],
      ['topic', 'webhook.received', 'correlation.inputs'],
      ['reason', 'connector-failed', 'decision-failed'],
      ['webhook_id', webhook.id, 'whk_other'],
      ['status', 'open', 'redriven'],
      ['to', '2099-01-01T00:00:00Z', '2020-01-01T00:00:00Z'],
    ]) {
      expect(await finds(`${name}=${right}`), name).toBe(true);
      expect(await finds(`${name}=${wrong}`), name).toBe(false);
    }
  });

  it.each([
    ['text with its JSON', Buffer.from('{"a":[0]}'), { encoding: 'text', value: '{"a":[0]}', json: { a: [0] } }],
    ['text', Buffer.from('{"a":'), { encoding: 'text', value: '{"a":', json: null }],
    ['bytes', Buffer.from([0xff, 0x00]), { encoding: 'base64', value: '/wA=', json: null }],
    [
      'what is nested too deep to write',
      Buffer.from('['.repeat(5_000) + ']'.repeat(5_000)),
      { encoding: 'text', json: null },
    ],
  ])('show %s', async (_what, value, shown) => {
    const [one] = await letters({ value });
    const { status, body } = await call('GET', `dead-letters/${one!['id']}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ ...shown, headers: { type: 'webhook.received.v1' }, key: webhook.id });
  });

  it('of nobody, and those of another workspace, are nobody else’s', async () => {
    const other = await call('POST', 'workspaces', { name: 'Other', slug: `other-${uniquePrefix()}` });
    const [one] = await letters({});
    await append([{ facts: { ...foreign(), workspaceId: null }, value: Buffer.from('{') }]);
    await letters({}); // handled after the one of nobody
    const key = other.body.api_key.key as string;
    expect((await call('GET', 'dead-letters', undefined, key)).body.items).toEqual([]);
    expect((await call('GET', `dead-letters/${one!['id']}`, undefined, key)).status).toBe(404);
    expect((await call('POST', 'dead-letters/redrive', { ids: [one!['id']] }, key)).body.items).toEqual([
      { id: one!['id'], result: 'not-found' },
    ]);
    const listed = (await call('GET', 'dead-letters?limit=200&reason=undecodable-record')).body.items as Json[];
    expect(listed.filter(({ offset: at }) => at === 'of-nobody')).toEqual([]);
    const stored = await inTransactionOf(platform.pools.pipeline, (tx) =>
      tx.query(`select workspace_id from control_plane.dead_letters where log_offset = 'of-nobody'`),
    );
    expect(stored.rows).toEqual([{ workspace_id: null }]);
  });

  it('go with their time, and lose first their bytes, then themselves, above the bounds', async () => {
    const [oldest, middle, newest] = await letters(
      { over: { at: '2026-11-10T09:00:00.000Z' }, value: Buffer.alloc(100, 'a') },
      { over: { at: '2099-01-01T09:00:00.000Z' }, value: Buffer.alloc(100, 'a') },
      { over: { at: '2099-01-02T09:00:00.000Z' }, value: Buffer.alloc(100, 'a') },
    );
    const prune = (before: string, bytes: number) =>
      inTransactionOf(platform.pools.pipeline, (tx) => pruneLetters(tx, new Date(before), { bytes, letters: 100_000 }));
    await prune('2026-11-11T00:00:00Z', 1e9);
    expect((await call('GET', `dead-letters/${oldest!['id']}`)).status).toBe(404);
    expect((await prune('2000-01-01T00:00:00Z', 150)).emptied).toBeGreaterThan(0);
    expect((await call('GET', `dead-letters/${middle!['id']}`)).body).toMatchObject({ bytes_kept: false, value: null });
    expect((await call('GET', `dead-letters/${newest!['id']}`)).body).toMatchObject({ bytes_kept: true });
    expect((await call('POST', 'dead-letters/redrive', { ids: [middle!['id']] })).body.items).toEqual([
      { id: middle!['id'], result: 'bytes-gone' },
    ]);
    await inTransactionOf(platform.pools.pipeline, (tx) => pruneLetters(tx, new Date(0), { bytes: 1e9, letters: 1 }));
    expect((await call('GET', 'dead-letters')).body.items).toHaveLength(1);
  });
});

async function inTransactionOf<T>(pool: Pool, run: (tx: PoolClient) => Promise<T>): Promise<T> {
  const tx = await pool.connect();
  try {
    return await run(tx);
  } finally {
    tx.release();
  }
}

const foreign = (): DeadLetterFacts => ({
  ...{
    service: 'normalizer',
    topic: 'webhook.received',
    partition: 1,
    offset: 'of-nobody',
    reason: 'undecodable-record',
  },
  ...{ detail: '', at: new Date().toISOString(), workspaceId: null, webhookId: null, receiptId: null },
});

describe('a redrive', () => {
  it('puts the receipt back under the webhook of today, once, however often and at once it is asked', async () => {
    const changed = await call('PATCH', `webhooks/${webhook.id}`, { name: 'renamed' });
    const [one] = await letters({ value: Buffer.from('{"title": "again"}') });
    const id = one!['id'] as string;
    const asked = await Promise.all(
      Array.from({ length: 8 }, () => call('POST', 'dead-letters/redrive', { ids: [id, id, 'dlt_none'] })),
    );
    const results = asked.map(({ body }) => body.items.map((item: Json) => item.result));
    expect(results.filter(([result]) => result === 'redriven')).toHaveLength(1);
    expect(results.filter(([result]) => result === 'already-redriven')).toHaveLength(7);
    expect(results.every((each) => each[1] === 'not-found' && each.length === 2)).toBe(true);
    const records = await redriven(one!['receipt_id'] as string);
    expect(records).toHaveLength(1);
    expect(records[0]!.value.toString()).toBe('{"title": "again"}');
    expect(records[0]!.headers['mark']).toBe(`${id};1;0`);
    expect(factsOf(records[0]!)).toMatchObject({
      connector: 'generic',
      configRevision: changed.body.revision ?? expect.any(Number),
    });
    expect((await call('GET', `dead-letters/${id}`)).body).toMatchObject({
      status: 'redriven',
      redriven_at: expect.any(String),
      redriven_by: expect.any(String),
    });
  });

  it('by a filter takes the oldest open letters that fit, and says whether there are more', async () => {
    const [first, second, third] = await letters(
      ...['2026-11-19T09:00:00.000Z', '2026-11-19T09:00:01.000Z', '2026-11-19T09:00:02.000Z'].map((at) => ({
        over: { at, reason: 'decision-failed' },
      })),
    );
    const filter = {
      reason: 'decision-failed',
      webhook_id: webhook.id,
      from: '2026-11-19T09:00:00Z',
      to: '2026-11-19T09:00:03Z',
    };
    const ask = async () => (await call('POST', 'dead-letters/redrive', { ...filter, limit: 2 })).body;
    const done = (letter: Json | undefined) => ({ id: letter!['id'], result: 'redriven' });
    expect(await ask()).toEqual({ items: [done(first), done(second)], more: true });
    expect(await ask()).toEqual({ items: [done(third)], more: false });
    expect(await ask()).toEqual({ items: [], more: false });
    expect(await redriven(third!['receipt_id'] as string)).toHaveLength(1);
  });

  it('of a webhook that is gone does nothing and says so', async () => {
    const gone = (await call('POST', 'webhooks', { name: 'gone', connector: 'generic' })).body;
    const [one] = await letters({ over: { webhookId: gone.id as string } });
    await fetch(`${application.url}/api/v1/webhooks/${gone.id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${KEY}` },
    });
    expect((await call('POST', 'dead-letters/redrive', { ids: [one!['id']] })).body.items).toEqual([
      { id: one!['id'], result: 'webhook-gone' },
    ]);
    expect((await call('GET', `dead-letters/${one!['id']}`)).body).toMatchObject({ status: 'open' });
  });

  it.each([
    ['nothing', {}],
    ['ids and a filter', { ids: ['dlt_a'], reason: 'decision-failed' }],
    ['no ids', { ids: [] }],
    ['too many ids', { ids: Array.from({ length: 501 }, (_one, index) => `dlt_${index}`) }],
    ['an id that is none', { ids: ['../x'] }],
    ['a reason that there is not', { reason: 'bad-luck' }],
    ['a date without a time', { from: '2026-11-21' }],
    ['a limit of nothing', { reason: 'decision-failed', limit: 0 }],
    ['an unknown field', { everything: true }],
  ])('refuses %s', async (_what, content) => {
    const { status, body } = await call('POST', 'dead-letters/redrive', content);
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'validation-failed' });
  });

  it.each(['limit=0', 'cursor=abc', 'status=lost', 'from=yesterday', 'webhook_id=%2e%2e'])(
    'and a list refuse what they do not know: %s',
    async (query) => expect((await call('GET', `dead-letters?${query}`)).status).toBe(422),
  );
});
