import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeFacts, type ReceiptFacts } from '@tocsin/contracts';
import type { EventLog, LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import type { Input } from '@tocsin/postgres';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';
import { answered, answerOf, item, receiptNumber, received, settled } from './spec-parts.ts';

const KEY = `tsk_deliverieskeyaaaaaaaaaaaaa_${'s'.repeat(52)}`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let log: EventLog;
let platform: Platform;
let application: RunningApplication;
let webhook: { id: string; workspace_id: string; revision: number };
let stranger: string;

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

async function call(method: string, path: string, given: { body?: unknown; key?: string; headers?: object } = {}) {
  const { body, key = KEY, headers = {} } = given;
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-deliveries-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'deliveries-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: async () => (log = await openJournal({})),
    definitions: [controlPlane],
  });
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], {
    host: '127.0.0.1',
    port: 0,
  });
  webhook = (await call('POST', 'webhooks', { body: { name: 'Shop', connector: 'generic' } })).body as never;
  const workspaces = await call('POST', 'workspaces', { body: { name: 'Other' } });
  stranger = workspaces.body['key'] ?? workspaces.body['api_key']?.key;
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const soon = () => new Date(Date.now() - 1_000).toISOString();
const receipt = (n: number, body: string, more: Partial<ReceiptFacts> = {}): Input =>
  received(receiptNumber(n), body, {
    webhookId: webhook.id,
    workspaceId: webhook.workspace_id,
    receivedAt: soon(),
    ...more,
  });
const say = (topic: 'webhook.received' | 'webhook.outcomes', ...inputs: Input[]) =>
  log.append(inputs.map(({ value, headers }) => ({ topic, key: webhook.id, value, headers })));
const path = (rest = '') => `webhooks/${webhook.id}/deliveries${rest}`;
const delivery = (n: number) =>
  waitFor(async () => {
    const { status, body } = await call('GET', path(`/${receiptNumber(n)}`));
    return status === 200 && body;
  });

describe('the delivery log over HTTP', () => {
  it('shows a receipt with its outcome and answer, and its payload', async () => {
    const key = { webhookId: webhook.id, workspaceId: webhook.workspace_id };
    const receivedAt = soon();
    await say('webhook.received', receipt(1, '{"title":"a"}', { receivedAt }));
    await say(
      'webhook.outcomes',
      settled(item(receiptNumber(1), 1, [answerOf(receiptNumber(1), 0)], { ...key, receivedAt })),
      answered({ ...key, answered: [{ receiptId: receiptNumber(1), receivedAt, responseCode: 200, latencyMs: 3 }] }),
    );
    await waitFor(async () => {
      const { body } = await call('GET', path('?status=created'));
      return body['items']?.[0]?.response_code === 200;
    });
    const { body } = await call('GET', path(`/${receiptNumber(1)}`));
    expect(body).toMatchObject({
      status: 'created',
      response_code: 200,
      alerts: 1,
      payload: { kept: true, content: '{"title":"a"}', encoding: 'text', truncated: false },
    });
    const ledger = await call('GET', `ledger?webhook_id=${webhook.id}`);
    expect(ledger.body['items']).toMatchObject([{ accepted: 1, in_flight: 0, balanced: true, rejected: 0 }]);
  });

  it('tells bad questions what is wrong with them, and strangers nothing', async () => {
    for (const [query, field] of [
      ['status=opened', 'status'],
      ['from=yesterday', 'from'],
      ['limit=0', 'limit'],
      ['cursor=x', 'cursor'],
      ['colour=red', 'colour'],
    ])
      expect(await call('GET', path(`?${query}`))).toMatchObject({
        status: 422,
        body: { code: 'validation-failed', errors: [{ path: field }] },
      });
    expect(await call('GET', path('/rcv_x'))).toMatchObject({ status: 422 });
    expect(await call('GET', path(`/${receiptNumber(999)}`))).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    expect(await call('GET', 'ledger?from=x')).toMatchObject({ status: 422 });
    expect(await call('GET', path(), { key: 'nobody' })).toMatchObject({ status: 401 });
    expect(stranger).toMatch(/^tsk_/);
    for (const foreign of [path(), path(`/${receiptNumber(1)}`)])
      expect(await call('GET', foreign, { key: stranger })).toMatchObject({ status: 404 });
    expect(await call('POST', path(`/${receiptNumber(1)}/replay`), { key: stranger })).toMatchObject({ status: 404 });
    expect(await call('GET', `ledger?webhook_id=${webhook.id}`, { key: stranger })).toMatchObject({
      status: 200,
      body: { items: [], next_cursor: null },
    });
  });
});

/** What was appended to `webhook.received` in the name of a replay. */
async function replayed(receiptId: string): Promise<{ facts: ReceiptFacts; value: string }[]> {
  const found: LogRecord[] = [];
  const reader = await log.consume(
    { topic: 'webhook.received', group: `spec-${randomBytes(4).toString('hex')}`, mode: 'group' },
    ({ records }) => {
      found.push(...records);
      return Promise.resolve({ kind: 'committed', next: records.at(-1)!.offset + 1n });
    },
  );
  const all = () =>
    found
      .map((record) => ({
        facts: decodeFacts('webhook.received.v1', record.headers['facts'] ?? ''),
        value: record.value.toString(),
      }))
      .filter(({ facts }) => facts.receiptId === receiptId);
  try {
    await waitFor(() => all().length > 0);
    return all();
  } finally {
    await reader.close();
  }
}

describe('a replay', () => {
  it('is a new receipt with the same bytes and the webhook as it is now', async () => {
    await say('webhook.received', receipt(2, '{"title":"Ü"}', { query: 'q=1', headers: { 'x-event': 'e' } }));
    await delivery(2);
    const changed = await call('PATCH', `webhooks/${webhook.id}`, { body: { default_severity: 'low' } });
    const made = await call('POST', path(`/${receiptNumber(2)}/replay`));
    expect(made).toMatchObject({ status: 202, body: { status: 'accepted', replay_of: receiptNumber(2) } });
    const id = made.body['receipt_id'] as string;
    expect(made.body['status_url']).toBe(`/api/v1/receipts/${id}`);
    expect(await replayed(id)).toMatchObject([
      {
        value: '{"title":"Ü"}',
        facts: {
          receiptId: id,
          replayOf: receiptNumber(2),
          configRevision: changed.body['revision'] as number,
          method: 'POST',
          query: 'q=1',
          contentType: 'application/json',
          headers: { 'x-event': 'e' },
          waiting: false,
        },
      },
    ]);
    await waitFor(async () => (await call('GET', path(`/${id}`))).body['replay_of'] === receiptNumber(2));
  });

  it('asked for twice with one key runs once', async () => {
    const headers = { 'idempotency-key': 'again' };
    const [a, b] = [
      await call('POST', path(`/${receiptNumber(2)}/replay`), { headers }),
      await call('POST', path(`/${receiptNumber(2)}/replay`), { headers }),
    ];
    expect(a.body['receipt_id']).toBe(b.body['receipt_id']);
    const other = await call('POST', path(`/${receiptNumber(2)}/replay`));
    expect(other.body['receipt_id']).not.toBe(a.body['receipt_id']);
  });

  it('is refused where the payload was cut, is not kept or was refused, and where the webhook is disabled', async () => {
    await say(
      'webhook.received',
      receipt(3, `{"title":"${'x'.repeat(110_000)}"}`),
      receipt(4, '{"shared_secret":"', { connector: 'honeycomb' }),
      receipt(5, '{}'),
      receipt(6, '', { method: 'GET', query: 'title=a', contentType: null }),
    );
    await delivery(6);
    const replay = (n: number) => call('POST', path(`/${receiptNumber(n)}/replay`));
    expect(await replay(3)).toMatchObject({ status: 409, body: { code: 'payload-truncated' } });
    expect(await replay(4)).toMatchObject({ status: 409, body: { code: 'payload-not-kept' } });
    await platform.pools.pipeline.query('delete from control_plane.inbound_payloads where receipt_id = $1', [
      receiptNumber(5),
    ]);
    expect(await replay(5)).toMatchObject({ status: 409, body: { code: 'payload-not-kept' } });
    expect(await replay(6)).toMatchObject({ status: 202 });
    expect(await replay(998)).toMatchObject({ status: 404 });
    await call('PATCH', `webhooks/${webhook.id}`, { body: { enabled: false } });
    expect(await replay(2)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  });
});
