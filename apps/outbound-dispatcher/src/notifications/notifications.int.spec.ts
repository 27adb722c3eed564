import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  base32,
  encodeFacts,
  encodeRecord,
  eventTypeOf,
  type EventTypeName,
  mintId,
  platformRecordOf,
  type Scope,
} from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboundDispatcher } from '../index.ts';
import { anIncidentEvent, incidentId } from '../spec/events.ts';
import { type MailServer, readable, startMailServer } from '../spec/mail-server.ts';

const id = <P extends string>(prefix: P) => mintId(prefix, randomBytes(16));
const WS = id('ws');
const OTHER_WS = id('ws');
const webhooks = { told: id('whk'), quiet: id('whk') };
const secret = 's'.repeat(52);
const keyIds = { reader: 'readerkey', other: 'otherkey' };

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let mail: MailServer;

/** Writes what the control-plane would have published. */
async function publish(kind: string, docId: string, workspaceId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, workspaceId, JSON.stringify(body)],
  );
}

beforeAll(async () => {
  mail = await startMailServer({ auth: 'PLAIN' });
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-notifications-'));
  const environment = {
    ...{ LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_PUBLIC_URL: 'https://tocsin.example' },
    ...{ SMTP_URL: `smtp://tocsin:canary@127.0.0.1:${mail.port}`, SMTP_TO: 'ops@example.org, Ada <ada@example.org>' },
  };
  platform = await startPlatform({
    name: 'notifications-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    openLog: () => openJournal({}),
    definitions: [outboundDispatcher],
  });
  const hmac = platform.keyRing.pepperedHmac(secret);
  const key = (scopes: Scope[]) => ({ name: 'k', scopes, secretHmac: hmac, expiresAt: null });
  for (const ws of [WS, OTHER_WS])
    await publish('workspace', ws, ws, { name: 'w', slug: 'w', wrappedDataKey: platform.keyRing.newDataKey(ws) });
  await publish('api-key', keyIds.reader, WS, key(['read']));
  await publish('api-key', keyIds.other, OTHER_WS, key(['admin']));
  const rca = { autoTrigger: true, minSeverity: 'medium' };
  await publish('webhook', webhooks.told, WS, { name: 'Told', tokenHmac: 'a', rca: { ...rca, notifyWorkspace: true } });
  await publish('webhook', webhooks.quiet, WS, { name: 'Quiet', tokenHmac: 'b', rca });
  await platform.feed.refresh();
  await waitFor(() => platform.feed.webhook(webhooks.quiet));
  application = await startApplication(platform, [outboundDispatcher.module], [outboundDispatcher.name], {
    host: '127.0.0.1',
    port: 0,
  });
});
afterAll(async () => {
  await application?.close();
  await mail?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
async function call(method: string, path: string, body?: unknown, keyId = keyIds.reader) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer tsk_${keyId}_${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}
const bell = async (query = 'limit=200'): Promise<Json> => (await call('GET', `notifications?${query}`)).body;
const rung = (kind: string, count = 1): Promise<Json> =>
  waitFor(
    async () => ((await bell())['items'] as Json[]).find((one) => one['kind'] === kind && one['count'] === count),
    { what: kind },
  );

async function say(name: EventTypeName, data: Record<string, unknown> = {}, source = '/tocsin'): Promise<void> {
  const event = {
    id: id('evt'),
    name,
    workspaceId: WS,
    source,
    at: new Date().toISOString(),
    data: { ...eventTypeOf(name).example, ...data },
  };
  const { topic, key, value, headers, type } = platformRecordOf(event);
  await platform.eventLog.append([{ topic, key, value, headers: { ...headers, type } }]);
}
async function open(name: string, webhookId: string, holdUntil?: Date): Promise<void> {
  const record = anIncidentEvent(name, 1, 'IncidentOpened', 'incident.created');
  if (holdUntil) record.event.data = { hold_until: holdUntil.toISOString() };
  Object.assign(record.incident, { workspace_id: WS, webhook_id: webhookId, title: name });
  const value = encodeRecord('incident.event.v1', record);
  const headers = {
    type: 'incident.event.v1',
    ce_type: 'tocsin.incident.created.v1',
    mark: `${record.incident.id};1;0`,
  };
  await platform.eventLog.append([{ topic: 'incident.events', key: record.incident.id, value, headers }]);
}
async function deadLetter(offset: number): Promise<void> {
  const facts = encodeFacts('dead.letter.v1', {
    ...{
      service: 'normalizer',
      topic: 'webhook.received',
      partition: 0,
      offset: String(offset),
      reason: 'unrecognised-payload',
    },
    ...{
      detail: 'not of this platform',
      at: new Date().toISOString(),
      workspaceId: WS,
      webhookId: null,
      receiptId: null,
    },
  });
  const headers = { type: 'dead.letter.v1', facts };
  await platform.eventLog.append([{ topic: 'dead-letters', key: 'k', value: Buffer.from('{}'), headers }]);
}

describe('the bell', () => {
  it('shows what Tocsin says of receivers and senders, and not what other services publish', async () => {
    await say('webhook.locked_out', { webhook_id: webhooks.told });
    await say('subscription.disabled', { subscription_name: 'Ticketing' });
    await say('finding.created');
    await say('conversation.completed', { webhook_id: webhooks.told }, '/somebody/else');
    await say('subscription.recovered', { subscription_name: 'Ticketing' });
    expect(await rung('receiver-recovered')).toMatchObject({ title: 'Ticketing answers again', read_at: null });
    expect(await rung('sender-locked-out')).toMatchObject({
      subject_id: webhooks.told,
      url: `https://tocsin.example/api/v1/webhooks/${webhooks.told}`,
    });
    expect(((await bell())['items'] as Json[]).map((one) => one['kind'] as string).sort()).toEqual([
      ...['receiver-disabled', 'receiver-recovered', 'sender-locked-out'],
    ]);
  });

  it('shows incidents and investigations of webhooks that want it', async () => {
    await open('quiet', webhooks.quiet);
    await open('told', webhooks.told);
    expect(await rung('incident-opened')).toMatchObject({
      title: 'Incident #1 opened: told',
      subject_id: incidentId('told'),
    });
    await say('conversation.completed', { webhook_id: webhooks.quiet, title: 'Nobody asked' });
    await say('conversation.completed', { webhook_id: webhooks.told, incident_id: incidentId('told') });
    expect(await rung('investigation-finished')).toMatchObject({ title: 'Root cause of incident 42' });
    expect(JSON.stringify(await bell())).not.toMatch(/quiet|Nobody asked/);
  });

  it('counts dead letters and deliveries that were given up, an hour each', async () => {
    for (let n = 0; n < 5; n += 1) await deadLetter(n);
    expect(await rung('dead-letters', 5)).toMatchObject({ text: expect.stringContaining('unrecognised-payload') });
    for (let n = 0; n < 3; n += 1)
      await say('delivery.exhausted', { subscription_name: 'Ticketing', delivery_id: `dlv_${n}` });
    expect(await rung('delivery-given-up', 3)).toMatchObject({ title: 'Deliveries to Ticketing were given up' });
  });

  it('is read one by one or as a whole, and rings again when there is more', async () => {
    const letters = await rung('dead-letters', 5);
    const before = (await bell())['unread'] as number;
    expect((await call('POST', `notifications/${letters['id']}/read`)).body).toEqual({ read: 1, unread: before - 1 });
    expect((await call('POST', `notifications/${letters['id']}/read`)).body).toEqual({ read: 0, unread: before - 1 });
    expect(((await bell('unread=true'))['items'] as Json[]).map((one) => one['id'] as string)).not.toContain(
      letters['id'],
    );
    await deadLetter(9);
    expect(await rung('dead-letters', 6)).toMatchObject({ id: letters['id'], read_at: null });
    expect((await call('POST', 'notifications/read', {})).body).toMatchObject({ unread: 0 });
    expect((await bell('unread=true'))['items']).toEqual([]);
  });

  it('has pages, and is of one workspace only', async () => {
    const all = ((await bell())['items'] as Json[]).map((one) => one['id'] as string);
    const first = await bell('limit=2');
    const next = await bell(`limit=200&cursor=${first['next_cursor']}`);
    expect([...(first['items'] as Json[]), ...(next['items'] as Json[])].map((one) => one['id'] as string)).toEqual(
      all,
    );
    expect((await call('GET', 'notifications', undefined, keyIds.other)).body).toEqual({
      items: [],
      next_cursor: null,
      unread: 0,
    });
    expect((await call('POST', `notifications/${all[0]}/read`, undefined, keyIds.other)).status).toBe(404);
    expect((await call('GET', 'notifications?cursor=x')).status).toBe(422);
    expect((await call('POST', 'notifications/read', { ids: [] })).status).toBe(422);
  });
});

describe('the mail', () => {
  it('says the same, signed in and to everybody who is named', async () => {
    const posts = await waitFor(() => mail.posts.some(({ text }) => text.includes('was locked out')) && mail.posts, {
      timeoutMs: 30_000,
    });
    const post = posts.find(({ text }) => text.includes('was locked out'))!;
    expect(post).toMatchObject({
      from: 'tocsin@localhost',
      to: ['ops@example.org', 'ada@example.org'],
      user: 'tocsin:canary',
    });
    expect(readable(post.headers['subject'] ?? '')).toMatch(/^\[Tocsin\] /);
    expect(post.text).toContain(`https://tocsin.example/api/v1/webhooks/${webhooks.told}`);
  });

  it('is tried again when the server refuses it', async () => {
    mail.refuse = { command: 'MAIL', reply: '451 later' };
    await say('webhook.rate_limited', { webhook_name: 'Busy' });
    await rung('limit-reached');
    const due = async (): Promise<{ attempts: number; due: boolean } | undefined> =>
      (
        await platform.pools.pipeline.query<{ attempts: number; due: boolean }>(
          `select mail_attempts as attempts, mail_due as due from outbound_dispatcher.notifications where kind = 'limit-reached'`,
        )
      ).rows[0];
    await waitFor(async () => ((await due())?.attempts ?? 0) >= 1, { timeoutMs: 30_000 });
    expect(await due()).toMatchObject({ due: true });
    mail.refuse = undefined;
    await platform.pools.pipeline.query(
      `update outbound_dispatcher.notifications set mail_after = '-infinity' where kind = 'limit-reached'`,
    );
    await waitFor(() => mail.posts.some(({ text }) => text.includes('Busy is over its limit')), { timeoutMs: 30_000 });
    await waitFor(async () => (await due())?.due === false);
  });

  it('rings and is sent for what flaps when the hold ends', async () => {
    await open('flapping', webhooks.told, new Date(Date.now() + 300_000));
    await open('behind it', webhooks.told);
    const titles = async () => ((await bell())['items'] as Json[]).map(({ title }) => String(title));
    await waitFor(async () => (await titles()).some((title) => title.includes('behind it')));
    const { unread } = await bell();
    expect((await titles()).join()).not.toContain('flapping');
    await waitFor(() => mail.posts.some(({ text }) => text.includes('opened: behind it')), { timeoutMs: 30_000 });
    expect(mail.posts.some(({ text }) => text.includes('opened: flapping'))).toBe(false);
    await platform.pools.pipeline.query(
      `update outbound_dispatcher.notifications set at = now(), mail_after = now() where title like '%flapping%'`,
    );
    await waitFor(async () => (await titles()).some((title) => title.includes('flapping')));
    expect((await bell())['unread']).toBe(Number(unread) + 1);
    await waitFor(() => mail.posts.some(({ text }) => text.includes('opened: flapping')), { timeoutMs: 30_000 });
  });
});
