import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiKeyBody,
  base32,
  checkEventData,
  decodeFacts,
  eventFamilies,
  eventTypeNames,
  eventTypeOf,
  type EventTypeName,
  mintId,
  platformRecordOf,
  type Scope,
  type SubscriptionBody,
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
import { startReceiver, type Received, type Receiver } from '../spec/receiver.ts';

const id = <P extends string>(prefix: P) => mintId(prefix, randomBytes(16));
const WS = id('ws');
const OTHER_WS = id('ws');
const subscriptions = { all: id('sub'), findings: id('sub'), other: id('sub') };
const secret = 's'.repeat(52);
const keyIds = { sender: 'senderkey', reader: 'readerkey', other: 'otherkey' };

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
const receivers: Record<keyof typeof subscriptions, Receiver> = {} as never;
const letters: { reason: string; detail: string; workspaceId: string | null; value: string }[] = [];

/** Writes what the control-plane would have published. */
async function publish(kind: string, docId: string, workspaceId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, workspaceId, JSON.stringify(body)],
  );
}

const subscriptionTo = (url: string, events: string[]): SubscriptionBody => ({
  ...{ name: 'receiver', url, events, active: true, secrets: [], headers: [], envelope: 'cloudthinker' },
  ...{ retrySchedule: [0], timeoutSeconds: 5, userAgent: null, updateIntervalSeconds: 0 },
});

beforeAll(async () => {
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-events-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, OUTBOUND_ALLOW: '127.0.0.1+http' };
  platform = await startPlatform({
    name: 'events-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    openLog: () => openJournal({}),
    definitions: [outboundDispatcher],
  });
  const key = (scopes: Scope[]): ApiKeyBody => ({
    ...{ name: `key of ${scopes.join()}`, scopes, secretHmac: platform.keyRing.pepperedHmac(secret), expiresAt: null },
  });
  for (const name of ['all', 'findings', 'other'] as const) receivers[name] = await startReceiver();
  for (const ws of [WS, OTHER_WS])
    await publish('workspace', ws, ws, { name: 'w', slug: 'w', wrappedDataKey: platform.keyRing.newDataKey(ws) });
  await publish('api-key', keyIds.sender, WS, key(['ingest']));
  await publish('api-key', keyIds.reader, WS, key(['read']));
  await publish('api-key', keyIds.other, OTHER_WS, key(['admin']));
  await publish('subscription', subscriptions.all, WS, subscriptionTo(receivers.all.url, ['*']));
  await publish('subscription', subscriptions.findings, WS, subscriptionTo(receivers.findings.url, ['finding.*']));
  await publish('subscription', subscriptions.other, OTHER_WS, subscriptionTo(receivers.other.url, ['*']));
  await platform.feed.refresh();
  await waitFor(() => platform.feed.subscriptions(OTHER_WS).length === 1);
  application = await startApplication(platform, [outboundDispatcher.module], [outboundDispatcher.name], {
    host: '127.0.0.1',
    port: 0,
  });
  await platform.eventLog.consume({ topic: 'dead-letters', group: 'spec', mode: 'group' }, (batch) => {
    for (const { headers, value } of batch.records) {
      const { reason, detail, workspaceId } = decodeFacts('dead.letter.v1', headers['facts'] ?? '{}');
      letters.push({ reason, detail, workspaceId, value: value.toString() });
    }
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
});
afterAll(async () => {
  await application?.close();
  for (const receiver of Object.values(receivers)) await receiver.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  keyId = keyIds.sender,
) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer tsk_${keyId}_${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}
const bodiesAt = (receiver: Receiver): Json[] =>
  receiver.received.map(({ body }: Received) => JSON.parse(body) as Json);
const arrival = (receiver: Receiver, eventId: unknown): Promise<Json> =>
  waitFor(() => bodiesAt(receiver).find((body) => body['id'] === eventId));
const finding = eventTypeOf('finding.created').example;

describe('the catalogue over HTTP', () => {
  it('lists every event with a schema that its example fits', async () => {
    const { status, body } = await call('GET', 'event-types', undefined, {}, keyIds.reader);
    expect(status).toBe(200);
    expect((body['items'] as Json[]).map(({ name }) => name as string)).toEqual([...eventTypeNames]);
    for (const { name, example, schema, family, description } of body['items'] as Json[]) {
      expect(checkEventData(name as EventTypeName, example.data)).toEqual([]);
      expect(schema).toMatchObject({ type: 'object', required: expect.any(Array) });
      expect(eventFamilies).toContain(family);
      expect(description).not.toBe('');
    }
  });

  it('filters by family and by who may say it', async () => {
    const found = async (query: string) =>
      ((await call('GET', `event-types?${query}`, undefined, {}, keyIds.reader)).body['items'] as Json[]).map(
        ({ name }) => name as string,
      );
    expect(await found('family=finding')).toEqual(['finding.created', 'finding.resolved']);
    expect(await found('family=incident&source=published')).toEqual([]);
    expect(await found('source=tocsin')).toContain('delivery.exhausted');
    expect((await call('GET', 'event-types?family=nothing', undefined, {}, keyIds.reader)).status).toBe(422);
  });

  it('shows one, and says 404 for what it does not hold', async () => {
    expect((await call('GET', 'event-types/task.failed', undefined, {}, keyIds.reader)).body).toMatchObject({
      ...{ name: 'task.failed', family: 'task', source: 'published', cloudevents_type: 'tocsin.task.failed.v1' },
    });
    expect(await call('GET', 'event-types/task.lost', undefined, {}, keyIds.reader)).toMatchObject({ status: 404 });
  });
});

describe('an event that a service publishes over HTTP', () => {
  it.each(eventTypeNames.filter((name) => eventTypeOf(name).source === 'published'))(
    '%s reaches the subscriptions that name it, in the default envelope',
    async (type) => {
      const data = { ...eventTypeOf(type).example, marker: type };
      const { status, body } = await call('POST', 'events', { type, data, time: '2026-03-01T11:00:00+01:00' });
      expect({ status, body }).toMatchObject({
        ...{ status: 202, body: { type, time: '2026-03-01T10:00:00.000Z', workspace_id: WS, status: 'accepted' } },
      });
      const got = await arrival(receivers.all, body['id']);
      expect(got).toEqual({
        ...{ id: body['id'], type, timestamp: '2026-03-01T10:00:00.000Z', workspace_id: WS, data },
      });
      expect(checkEventData(type, got['data'])).toEqual([]);
      if (type.startsWith('finding.')) await arrival(receivers.findings, body['id']);
      expect(bodiesAt(receivers.findings).every((one) => String(one['type']).startsWith('finding.'))).toBe(true);
      expect(receivers.other.received).toEqual([]);
    },
  );

  it('is the same one when it is sent again under its key, and a conflict when it is another', async () => {
    const event = { type: 'finding.created', data: finding };
    const first = await call('POST', 'events', event, { 'idempotency-key': 'k-1' });
    expect(await call('POST', 'events', event, { 'idempotency-key': 'k-1' })).toEqual(first);
    const other = { ...event, data: { ...finding, title: 'Another' } };
    expect(await call('POST', 'events', other, { 'idempotency-key': 'k-1' })).toMatchObject({
      ...{ status: 409, body: { code: 'conflict' } },
    });
    await arrival(receivers.all, first.body['id']);
    expect((await call('POST', 'events', event, { 'idempotency-key': 'k-1' }, keyIds.other)).body['id']).not.toBe(
      first.body['id'],
    );
  });

  it('may be a CloudEvent, whose source and id name it as they do on the topic', async () => {
    const event = {
      ...{ specversion: '1.0', id: 'http-and-topic', source: '/scanner', type: 'tocsin.finding.created.v1' },
      ...{ datacontenttype: 'application/json', subject: 'bucket', data: finding },
    };
    const { status, body } = await call('POST', 'events', event);
    expect(status).toBe(202);
    await arrival(receivers.all, body['id']);
    await say(Buffer.from(JSON.stringify({ ...event, tocsinworkspace: WS })));
    const last = await call('POST', 'events', { type: 'finding.resolved', data: finding });
    await arrival(receivers.all, last.body['id']);
    expect(bodiesAt(receivers.all).filter((one) => one['id'] === body['id'])).toHaveLength(1);
  });

  it.each([
    [{ type: 'finding.created', data: { id: 'x' } }, 'data', 'required'],
    [{ type: 'finding.created', data: { ...finding, severity: 'worst' } }, 'data.severity', 'enum'],
    [{ type: 'finding.lost', data: {} }, 'type', 'unknown-event'],
    [{ type: 'incident.created', data: eventTypeOf('incident.created').example }, 'type', 'not-publishable'],
    [{ type: 'webhook.locked_out', data: eventTypeOf('webhook.locked_out').example }, 'type', 'not-publishable'],
    [{ type: 'finding.created' }, 'data', 'is-object'],
    [{ data: finding }, 'type', 'is-string'],
    [{ type: 'finding.created', data: finding, time: 'yesterday' }, 'time', 'is-iso8601'],
    [{ type: 'finding.created', data: finding, source: 'a\nb' }, 'source', 'matches'],
    [{ type: 'finding.created', data: finding, more: 1 }, 'more', 'whitelist-validation'],
    [{ type: 'finding.created', data: { ...finding, details: { a: 'x'.repeat(300_000) } } }, 'data', 'too-large'],
  ])('is refused with the path of what is wrong: %j', async (event, path, code) => {
    const { status, body } = await call('POST', 'events', event);
    expect(status).toBe(422);
    expect(body).toMatchObject({ code: 'validation-failed' });
    expect((body['errors'] as Json[]).map((error) => [error['path'], error['code']])).toContainEqual([path, code]);
  });

  it('keeps data as it is, also a key that is called constructor', async () => {
    const details = { constructor: 'x', __proto__x: 1, toString: 'y' };
    const { body } = await call('POST', 'events', { type: 'finding.created', data: { ...finding, details } });
    expect((await arrival(receivers.all, body['id']))['data'].details).toEqual(details);
  });

  it('needs a key that may publish', async () => {
    expect((await call('POST', 'events', { type: 'finding.created', data: finding }, {}, keyIds.reader)).status).toBe(
      403,
    );
  });
});

/** A record that another service wrote to the topic. */
const say = (value: Buffer, headers: Record<string, string> = {}) =>
  platform.eventLog.append([{ topic: 'platform.events', key: WS, value, headers }]);

describe('an event on the topic platform.events', () => {
  it('is delivered from either mode of CloudEvents, once for a source and id', async () => {
    const event = { specversion: '1.0', id: 'seven', source: '/cmdb', type: 'resource.changed', tocsinworkspace: WS };
    const data = { ...eventTypeOf('resource.changed').example, marker: 'topic' };
    const headers = Object.fromEntries(Object.entries(event).map(([name, value]) => [`ce_${name}`, value]));
    await say(Buffer.from(JSON.stringify({ ...event, data })));
    await say(Buffer.from(JSON.stringify(data)), headers);
    await say(Buffer.from(JSON.stringify(data)), { ...headers, ce_id: 'eight' });
    const marked = () => bodiesAt(receivers.all).filter((body) => body['data'].marker === 'topic');
    await waitFor(() => marked().length >= 2);
    expect(marked().map((body) => body['data'])).toEqual([data, data]);
  });

  it('is a dead letter with its reason where it is wrong, however many there are, and the rest goes on', async () => {
    const event = { specversion: '1.0', source: '/wrong', type: 'finding.created', tocsinworkspace: WS, data: finding };
    for (let number = 0; number < 50; number += 1)
      await say(Buffer.from(JSON.stringify({ ...event, id: `w-${number}`, data: { id: 'no title' } })));
    await say(Buffer.from('not json'));
    await say(Buffer.from(JSON.stringify({ ...event, id: 'lost', tocsinworkspace: id('ws') })));
    await say(Buffer.from(JSON.stringify({ ...event, id: 'forged', type: 'incident.resolved' })));
    await say(Buffer.from(JSON.stringify({ ...event, id: 'good', data: { ...finding, marker: 'after' } })));
    await waitFor(() => bodiesAt(receivers.all).some((body) => body['data'].marker === 'after'));
    await waitFor(() => letters.length >= 53);
    expect(letters.filter(({ detail }) => detail.includes('title'))).toHaveLength(50);
    expect(letters[0]).toMatchObject({ reason: 'schema-mismatch', workspaceId: WS });
    expect(letters.map(({ detail }) => detail).join('\n')).toMatch(/not JSON[^]*no workspace[^]*Tocsin only/);
    expect(letters.find(({ reason }) => reason === 'undecodable-record')?.value).toBe('not json');
  });

  it('of Tocsin about a receiver goes to the others only', async () => {
    const example = eventTypeOf('delivery.exhausted').example;
    const event = (number: number, about: string) => ({
      ...({
        id: mintId('evt', randomBytes(16)),
        name: 'delivery.exhausted',
        workspaceId: WS,
        source: '/tocsin',
      } as const),
      ...{ at: `2026-03-01T10:00:0${number}.000Z`, data: { ...example, subscription_id: about } },
    });
    const records = [event(1, subscriptions.all), event(2, subscriptions.findings)].map((one) => {
      const { topic, key, value, headers, type } = platformRecordOf(one);
      return { topic, key, value, headers: { ...headers, type } };
    });
    await platform.eventLog.append(records);
    const about = () => bodiesAt(receivers.all).filter(({ type }) => type === 'delivery.exhausted');
    await waitFor(() => about().length > 0);
    expect(about().map(({ data }) => data.subscription_id as string)).toEqual([subscriptions.findings]);
  });
});
