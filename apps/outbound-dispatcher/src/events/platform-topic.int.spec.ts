import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base32, decodeFacts, eventTypeOf, mintId, type SubscriptionBody } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { openKafka } from '@tocsin/event-log/kafka';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, testKafka, uniquePrefix, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboundDispatcher } from '../index.ts';
import { startReceiver, type Receiver } from '../spec/receiver.ts';

// Another service of the organisation writes to the topic of a real broker, as it would in production.

const WS = mintId('ws', randomBytes(16));
let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let receiver: Receiver;
let theirs: EventLog;

async function publish(kind: string, docId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, WS, JSON.stringify(body)],
  );
}

beforeAll(async () => {
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! },
    ],
  });
  const { brokers } = await testKafka();
  const prefix = `${uniquePrefix()}.`;
  directory = await mkdtemp(join(tmpdir(), 'tocsin-topic-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, OUTBOUND_ALLOW: '127.0.0.1+http' };
  platform = await startPlatform({
    name: 'platform-topic-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    openLog: () => openKafka({ brokers, clientId: 'dispatcher', prefix }),
    definitions: [outboundDispatcher],
  });
  receiver = await startReceiver();
  await publish('workspace', WS, { name: 'w', slug: 'w', wrappedDataKey: platform.keyRing.newDataKey(WS) });
  const subscription: SubscriptionBody = {
    ...{
      name: 'receiver',
      url: receiver.url,
      events: ['*'],
      active: true,
      secrets: [],
      headers: [],
      envelope: 'cloudthinker',
    },
    ...{ retrySchedule: [0], timeoutSeconds: 5, userAgent: null, updateIntervalSeconds: 0 },
  };
  await publish('subscription', mintId('sub', randomBytes(16)), subscription);
  await platform.feed.refresh();
  await waitFor(() => platform.feed.subscriptions(WS).length === 1);
  application = await startApplication(platform, [outboundDispatcher.module], [outboundDispatcher.name], {
    host: '127.0.0.1',
    port: 0,
  });
  theirs = await openKafka({ brokers, clientId: 'scanner', prefix });
});
afterAll(async () => {
  await theirs?.close();
  await application?.close();
  await receiver?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

it('CloudEvents of both modes are delivered, and what is wrong is a dead letter', async () => {
  const data = eventTypeOf('finding.created').example;
  const attributes = { specversion: '1.0', source: '/scanner', type: 'finding.created', tocsinworkspace: WS };
  const ce = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]));
  const record = (value: unknown, headers: Record<string, string> = {}) => ({
    ...({ topic: 'platform.events', key: WS, value: Buffer.from(JSON.stringify(value)), headers } as const),
  });
  await theirs.append([
    record(
      { ...attributes, id: 'structured', data: { ...data, id: 'structured' } },
      { 'content-type': 'application/cloudevents+json' },
    ),
    record({ ...data, id: 'binary' }, { ...ce, ce_id: 'binary', 'content-type': 'application/json' }),
    record({ ...attributes, id: 'wrong', data: { id: 'wrong' } }),
    record({ ...attributes, id: 'structured', data: { ...data, id: 'structured' } }),
    record({ ...attributes, id: 'last', data: { ...data, id: 'last' } }),
  ]);
  const ids = () => receiver.received.map(({ body }) => (JSON.parse(body) as { data: { id: string } }).data.id);
  await waitFor(() => ids().includes('last'), { timeoutMs: 60_000, what: 'the last event' });
  await waitFor(() => ids().length >= 3);
  expect(ids().sort()).toEqual(['binary', 'last', 'structured']);
  const letters: string[] = [];
  await theirs.consume({ topic: 'dead-letters', group: 'spec', mode: 'group' }, (batch) => {
    for (const { headers } of batch.records) {
      const { service, reason, detail, workspaceId } = decodeFacts('dead.letter.v1', headers['facts'] ?? '{}');
      letters.push([service, reason, detail, workspaceId].join(' '));
    }
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
  await waitFor(() => letters.length > 0, { timeoutMs: 60_000, what: 'the dead letter' });
  expect(letters).toEqual([expect.stringMatching(new RegExp(`^outbound-dispatcher schema-mismatch data.* ${WS}$`))]);
}, 180_000);
