import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { decodeFacts } from '@tocsin/contracts';
import type { EventLog, LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, waitFor } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'m'.repeat(52)}`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let application: RunningApplication;
let log: EventLog;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-mapping-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_PUBLIC_URL: 'https://tocsin.example',
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
  };
  const platform = await startPlatform({
    name: 'mapping-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: async () => (log = await openJournal({})),
    definitions: [controlPlane],
  });
  const at = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], at);
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

async function send(
  method: string,
  path: string,
  given: string | Uint8Array<ArrayBuffer> | undefined,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...headers },
    ...(given === undefined ? {} : { body: given }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Json };
}
const call = (method: string, path: string, body?: unknown) =>
  send(method, path, body === undefined ? undefined : JSON.stringify(body), { 'content-type': 'application/json' });

let count = 0;
const create = async (over: Record<string, unknown> = {}) =>
  call('POST', 'webhooks', { name: `mapped ${(count += 1)}`, connector: 'generic', ...over });

describe('the mapping of a webhook', () => {
  it('is saved and shown in its canonical form', async () => {
    const { status, body } = await create({
      mode: 'capture',
      incident_type: 'outage',
      mapping: {
        field_mapping: { title: 'a.b', dedup_key: '$.id' },
        severity: { constructor: 'HIGH', warn: 'low' },
        custom_fields: [{ name: 'team', path: '$.team', type: 'string' }],
      },
    });
    expect(status).toBe(201);
    const mapping = {
      fields: { title: ['a.b'], dedup_key: ['$.id'] },
      severity: { constructor: 'high', warn: 'low' },
      ...{ status: {}, defaults: {}, extracted_fields: [] },
      custom_fields: [{ name: 'team', path: ['$.team'], type: 'string' }],
    };
    const shown = await call('GET', `webhooks/${body['id']}`);
    expect(shown.body).toMatchObject({ mode: 'capture', incident_type: 'outage', mapping });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ body: Json }>(
      'select body from control_plane.configuration_documents where id = $1 order by revision desc limit 1',
      [body['id']],
    );
    await client.end();
    expect(rows[0]?.body).toMatchObject({ mode: 'capture', incidentType: 'outage', mapping });
  });

  it('keeps the parts that a change does not name, and goes with null', async () => {
    const { body } = await create({
      field_mapping: { title: '$.t', url: '$.u' },
      mapping: { status: { gone: 'resolved' } },
    });
    const at = `webhooks/${body['id']}`;
    const keyed = await call('PATCH', at, { mapping: { dedup_key: ['$.k', '$.id'] } });
    expect(keyed.body['mapping']).toMatchObject({
      fields: { title: ['$.t'], url: ['$.u'], dedup_key: ['$.k', '$.id'] },
      status: { gone: 'resolved' },
    });
    const replaced = await call('PATCH', at, { field_mapping: { title: '$.other' } });
    expect(replaced.body['mapping']).toMatchObject({ fields: { title: ['$.other'] }, status: { gone: 'resolved' } });
    expect(replaced.body['mapping'].fields).not.toHaveProperty('url');
    const gone = await call('PATCH', at, { mapping: null, incident_type: null });
    expect(gone.body['mapping']).toMatchObject({ fields: {}, status: {}, custom_fields: [] });
  });

  it.each([
    [{ mapping: { fields: { title: ['$.a', '$.b['] } } }, 'mapping.fields.title[1]', 'path-syntax', 4],
    [{ field_mapping: { url: '$..a..b' } }, 'field_mapping.url', 'path-syntax', 5],
    [{ mapping: { dedup_key: '$.a[?(@.b)]' } }, 'mapping.dedup_key', 'path-syntax', 5],
    [{ mapping: { fields: { titel: '$.a' } } }, 'mapping.fields.titel', 'unknown-key', undefined],
    [{ mapping: { severity: { red: 'worst' } } }, 'mapping.severity.red', 'unknown-value', undefined],
    [{ mapping: { defaults: { title: 'a\u0000b' } } }, 'mapping.defaults', 'bad-text', undefined],
    [{ mapping: { fields: { title: '$.a' } }, field_mapping: {} }, 'field_mapping', 'unknown-key', undefined],
    [{ mapping: 'title' }, 'mapping', 'is-object', undefined],
    [{ mode: 'off' }, 'mode', 'is-in', undefined],
  ])('%j is refused with its place', async (over, path, code, column) => {
    const { status, body } = await create(over);
    expect(status).toBe(422);
    expect(body['code']).toBe('validation-failed');
    expect(body['errors'][0]).toMatchObject({ path, code, ...(column === undefined ? {} : { column }) });
  });
});

describe('POST mapping/preview', () => {
  it('shows alerts, notes with the nearest path, and what can be picked', async () => {
    const { status, body } = await call('POST', 'mapping/preview', {
      payload: { alert: { summary: 'Down', level: 'P1' }, team: 'shop' },
      mapping: {
        fields: { title: '$.alert.summary', severity: '$.alert.level', url: '$.alert.levl' },
        severity: { p1: 'low' },
        extracted_fields: [{ name: 'team', path: '$.team' }],
      },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      connector: 'generic',
      alerts: [{ title: 'Down', severity: 'low', dedup_key_origin: 'recipe', custom_fields: { team: 'shop' } }],
      extracted: [{ index: 0, fields: { team: 'shop' } }],
      ...{ ignored: null, dead_letter: null },
    });
    expect(body['alerts'][0].notes).toEqual([
      { code: 'path-found-nothing', path: 'url', detail: '$.alert.levl; nearest: $.alert.level' },
    ]);
    expect(body['paths']).toContainEqual({ path: '$.alert.summary', type: 'string', sample: 'Down' });
  });

  it('reads text as its sender sends it, with the settings and the mapping of a webhook', async () => {
    const { body: webhook } = await create({ field_mapping: { title: '$.what' }, default_severity: 'high' });
    const { body } = await call('POST', 'mapping/preview', {
      payload: '{"what":"Big","id":9007199254740993}',
      webhook_id: webhook['id'],
    });
    expect(body['alerts']).toMatchObject([{ title: 'Big', severity: 'high', dedup_key: '9007199254740993' }]);
    const broken = await call('POST', 'mapping/preview', { payload: '{"what"', connector: 'prometheus' });
    expect(broken.body).toMatchObject({ alerts: [], dead_letter: { reason: 'undecodable-payload' }, paths: [] });
  });

  it.each([
    [{}, 422, 'payload'],
    [{ payload: 1, connector: 'nagios' }, 422, 'connector'],
    [{ payload: 1, headers: { a: 1 } }, 422, 'headers.a'],
    [{ payload: 1, mapping: { fields: { title: '$.[' } } }, 422, 'mapping.fields.title'],
  ])('refuses %j', async (input, status, path) => {
    const answer = await call('POST', 'mapping/preview', input);
    expect([answer.status, answer.body['errors']?.[0]?.path]).toEqual([status, path]);
  });

  it('knows nothing of webhooks that are not there', async () =>
    expect((await call('POST', 'mapping/preview', { payload: 1, webhook_id: 'whk_none' })).status).toBe(404));

  it('answers a hostile mapping and payload in bounded time', async () => {
    const fields = Array.from({ length: 100 }, (_one, index) => ({
      name: `f_${index}`,
      path: Array(10).fill('$..x..'),
    }));
    expect((await call('POST', 'mapping/preview', { payload: {}, mapping: { extracted_fields: fields } })).status).toBe(
      422,
    );
    const slow = fields.map(({ name }) => ({ name, path: Array.from({ length: 10 }, () => '$..x') }));
    const payload = Array.from({ length: 5_000 }, (_one, id) => ({ id, a: { b: { c: [1, 2, 3] } } }));
    const started = performance.now();
    const { status, body } = await call('POST', 'mapping/preview', { payload, mapping: { extracted_fields: slow } });
    expect(performance.now() - started).toBeLessThan(20_000); // ten times what a busy machine takes
    expect([status, body['total'], body['alerts'].length]).toEqual([200, 5_000, 100]);
  });
});

describe('POST webhooks/{id}/test', () => {
  it('tries the payload of the request and judges its credential', async () => {
    const { body: webhook } = await create({ auth: { method: 'hmac' }, field_mapping: { title: '$.what' } });
    const payload = '{ "what": "Down" }';
    const signature = createHmac('sha256', webhook['secret']).update(payload).digest('hex');
    const at = `webhooks/${webhook['id']}/test`;
    const signed = await send('POST', at, payload, { 'content-type': 'text/plain', 'x-signature': signature });
    expect(signed.body).toMatchObject({
      ok: true,
      alerts: [{ title: 'Down' }],
      errors: [],
      auth: { method: 'hmac', ok: true, reason: null },
    });
    const other = await send('POST', at, gzipSync('{"what":1}'), {
      'content-encoding': 'gzip',
      'x-signature': signature,
    });
    expect(other.body).toMatchObject({ alerts: [{ title: '1' }], auth: { ok: false, reason: 'credential-wrong' } });
  });

  it('takes a header in the place of the one that holds the API key', async () => {
    const { body: webhook } = await create();
    const at = `webhooks/${webhook['id']}/test`;
    const without = await send('POST', at, '{"title":"a"}');
    expect(without.body['auth']).toMatchObject({ method: 'bearer', ok: false, reason: 'credential-missing' });
    const shown = { 'x-tocsin-test-authorization': `Bearer ${webhook['secret']}` };
    expect((await send('POST', at, '{"title":"a"}', shown)).body['auth']).toMatchObject({ ok: true });
  });

  it('takes the first sample of the connector where the body is empty, and says what is wrong with a body', async () => {
    const { body: webhook } = await create({ connector: 'prometheus' });
    const sample = await send('POST', `webhooks/${webhook['id']}/test`, undefined);
    expect(sample.status).toBe(200);
    expect(sample.body['alerts'].length + Object.keys(sample.body['ignored'] ?? {}).length).toBeGreaterThan(0);
    const broken = await send('POST', `webhooks/${webhook['id']}/test`, '{"a":');
    expect(broken.body).toMatchObject({ ok: false, alerts: [], errors: [{ code: 'undecodable-payload' }] });
  });

  it('sends it the whole way on request, without the credential', async () => {
    const { body: webhook } = await create({ auth: { method: 'query_token' } });
    const at = `webhooks/${webhook['id']}/test?send=true&token=${webhook['secret']}&zone=a`;
    const { status, body } = await send('POST', at, '{"title":"Sent"}', {
      'content-type': 'application/json',
      'x-github-event': 'ping',
      'x-api-key': 'nobody',
    });
    expect(status).toBe(202);
    expect(body).toMatchObject({ status: 'accepted', status_url: `/api/v1/receipts/${body['receipt_id']}` });
    const seen: LogRecord[] = [];
    const consumer = await log.consume({ topic: 'webhook.received', group: 'spec', mode: 'group' }, (batch) => {
      seen.push(...batch.records);
      return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
    });
    const record = await waitFor(() => seen.find(({ key }) => key === webhook['id']), { timeoutMs: 20_000 });
    await consumer.close();
    expect(Buffer.from(record.value).toString()).toBe('{"title":"Sent"}');
    const facts = decodeFacts('webhook.received.v1', record.headers['facts'] ?? '');
    expect(facts).toMatchObject({
      ...{
        receiptId: body['receipt_id'],
        webhookId: webhook['id'],
        configRevision: webhook['revision'],
        query: 'zone=a',
      },
      ...{ contentType: 'application/json', waiting: false, method: 'POST' },
    });
    expect(facts.headers).toMatchObject({ 'x-github-event': 'ping' });
    expect(JSON.stringify(facts)).not.toMatch(new RegExp(`${webhook['secret']}|nobody|tsk_`));
  });

  it('is refused for a disabled webhook, for one that is not there, and for a body that is no archive', async () => {
    const { body: webhook } = await create({ enabled: false });
    expect((await send('POST', `webhooks/${webhook['id']}/test?send=true`, '{}')).status).toBe(409);
    expect((await send('POST', `webhooks/${webhook['id']}/test?send=maybe`, '{}')).status).toBe(422);
    expect((await send('POST', 'webhooks/whk_none/test', '{}')).status).toBe(404);
    const encoded = await send('POST', `webhooks/${webhook['id']}/test`, 'x', { 'content-encoding': 'gzip' });
    expect([encoded.status, encoded.body['code']]).toEqual([400, 'malformed-body']);
  });
});
