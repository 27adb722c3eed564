import { randomBytes } from 'node:crypto';
import {
  alertIdOf,
  type AlertsCorrelated,
  type ApiKeyDocument,
  deriveId,
  encodeRecord,
  mintId,
  type ReceiptsSettled,
  topics,
} from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  Assignments,
  createKeyRing,
  Health,
  type RunningApplication,
  startApplication,
  StaticConfigurationFeed,
} from '@tocsin/nest-shell';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase, uniquePrefix, waitFor } from '@tocsin/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './correlated-builders.ts';
import { IncidentStoreModule } from './incident-store.module.ts';

const secret = 'abcdefghijklmnopqrstuvwxyz234567';
const keyRing = createKeyRing(`k:${randomBytes(32).toString('base64')}`, 'pepper of some length', randomBytes);
const scene = new Scene(mintId('ws', randomBytes(16)), mintId('whk', randomBytes(16)), Date.now() - 3_600_000);
const { workspaceId, webhookId } = scene;
const keyOf = (id: string, workspace: string): ApiKeyDocument => ({
  ...{ revision: 1, kind: 'api-key', id, workspaceId: workspace, deleted: false },
  body: { name: id, scopes: ['read'], secretHmac: keyRing.pepperedHmac(secret), expiresAt: null },
});

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
let eventLog: Awaited<ReturnType<typeof openJournal>>;
let running: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'receipts.int.spec' });
  eventLog = await openJournal();
  await eventLog.ensureTopics(topics);
  const feed = new StaticConfigurationFeed([
    keyOf('readeronly', workspaceId),
    keyOf('stranger', `ws_${uniquePrefix()}`),
  ]);
  running = await startApplication(
    {
      config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
      ...{ environment: {}, eventLog, pools, feed, keyRing, assignments: new Assignments(), random: randomBytes },
      health: new Health({ pool: pools.pipeline, feed, eventLog }),
      clock: () => new Date(),
      log: pino({ level: 'silent' }),
      close: () => eventLog.close(),
    },
    [IncidentStoreModule],
    ['incident-store'],
    { host: '127.0.0.1', port: 0 },
  );
});
afterAll(async () => {
  await running?.close();
  await pools?.close();
  await database?.drop();
});

async function receipt(id: string, key = 'readeronly') {
  const response = await fetch(`${running.url}/api/v1/receipts/${id}`, {
    headers: { authorization: `Bearer tsk_${key}_${secret}` },
  });
  const body = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, retryAfter: response.headers.get('retry-after') };
}
const append = (topic: 'alert.correlated' | 'webhook.outcomes', type: string, value: Uint8Array) =>
  eventLog.append([{ topic, key: webhookId, value, headers: { type } }]);
const correlate = (record: AlertsCorrelated) =>
  append('alert.correlated', 'alerts.correlated.v1', encodeRecord('alerts.correlated.v1', record));
const receivedAt = scene.minute(1);
const settle = (receiptId: string, more: Partial<ReceiptsSettled['items'][number]>) => {
  const item = { receiptId, workspaceId, webhookId, receivedAt, settledAt: scene.minute(2), total: 0, alerts: [] };
  return append(
    'webhook.outcomes',
    'receipts.settled.v1',
    encodeRecord('receipts.settled.v1', { items: [{ ...item, ...more }] }),
  );
};
const accept = (...receiptIds: string[]) =>
  append(
    'webhook.outcomes',
    'requests.answered.v1',
    encodeRecord('requests.answered.v1', {
      workspaceId,
      webhookId,
      answered: receiptIds.map((receiptId) => ({ receiptId, receivedAt, responseCode: 202, latencyMs: 1 })),
      rejected: [],
    }),
  );
/** A record that opens an incident; the scene names its receipts in its own way. */
function opened(id: string, more: Partial<AlertsCorrelated> = {}): AlertsCorrelated {
  const record = scene.record(scene.opened(id, 0));
  return { ...(JSON.parse(JSON.stringify(record).replaceAll(record.receiptId, id)) as AlertsCorrelated), ...more };
}
const fresh = () => deriveId('rcv', uniquePrefix());
const stage = (name: string, progress: string, more: object = {}) => ({ stage: name, progress, ...more });

describe('a receipt, stage by stage', () => {
  it('says what each service said of it, and when', async () => {
    const id = fresh();
    const record = opened(id, { normalizedAt: scene.minute(3) });
    await correlate(record);
    const { status, body } = await receipt(record.receiptId);
    expect(status).toBe(200);
    const { settled_at } = body;
    expect(body).toMatchObject({
      status: 'created',
      total: 1,
      stages: [
        stage('received', 'done', { service: 'ingress-gateway', at: record.receivedAt }),
        stage('normalised', 'done', { service: 'normalizer', at: scene.minute(3), said: { alerts: 1 } }),
        stage('correlated', 'done', { service: 'dedup-correlator', said: { reasons: { 'new-alert': 1 } } }),
        stage('stored', 'done', { service: 'incident-store', at: settled_at, said: { outcomes: { created: 1 } } }),
      ],
      alerts: [{ index: 0, outcome: 'created', reason: 'new-alert', incident_id: body['incident_id'] }],
    });
    const correlated = (body['stages'] as { at: string }[])[2]?.at ?? '';
    expect(Math.abs(Date.parse(correlated) - Date.now())).toBeLessThan(60_000);
    expect(await receipt(record.receiptId, 'stranger')).toMatchObject({ status: 404 });
  });

  it('that the normalizer ignored needs no more', async () => {
    const id = fresh();
    await settle(id, { outcome: 'ignored', reason: 'handshake', detail: 'a ping' });
    expect((await receipt(id)).body).toMatchObject({
      status: 'ignored',
      settled_at: scene.minute(2),
      stages: [
        stage('received', 'done'),
        stage('normalised', 'done', {
          at: scene.minute(2),
          said: { alerts: 0, outcome: 'ignored', reason: 'handshake', detail: 'a ping' },
        }),
        stage('correlated', 'not-needed', { at: null }),
        stage('stored', 'not-needed', { at: null }),
      ],
      alerts: [],
    });
  });

  it('is shown as far as it is known', async () => {
    const id = fresh();
    const record = opened(id, { receiptTotal: 3 });
    await correlate(record);
    await settle(record.receiptId, {
      total: 3,
      alerts: [
        {
          index: 1,
          alertId: alertIdOf(record.receiptId, 1),
          incidentId: null,
          outcome: 'dead-lettered',
          reason: 'unrecognised-payload',
          occurrenceCount: null,
        },
      ],
    });
    await waitFor(async () => {
      const { rows } = await pools.pipeline.query('select from incident_store.alert_outcomes where receipt_id = $1', [
        record.receiptId,
      ]);
      return rows.length === 2;
    });
    expect((await receipt(record.receiptId)).body).toMatchObject({
      total: 3,
      settled_at: null,
      stages: [
        stage('received', 'done'),
        stage('normalised', 'done'),
        stage('correlated', 'partly', { said: { reasons: { 'new-alert': 1 } } }),
        stage('stored', 'partly', { said: { outcomes: { created: 1 } } }),
      ],
      alerts: [{ outcome: 'created' }, { outcome: 'dead-lettered', why: null }],
    });
  });
});

describe('a receipt that was accepted', () => {
  it('is known as that before anything else is known of it', async () => {
    const id = fresh();
    const waiting = receipt(id);
    await accept(id);
    expect(await waiting).toMatchObject({
      status: 200,
      body: {
        receipt_id: id,
        status: 'accepted',
        total: null,
        settled_at: null,
        received_at: receivedAt,
        stages: [
          stage('received', 'done', { at: receivedAt }),
          stage('normalised', 'pending', { at: null }),
          stage('correlated', 'pending', { at: null }),
          stage('stored', 'pending', { at: null }),
        ],
        alerts: [],
      },
    });
    expect(await receipt(id, 'stranger')).toMatchObject({ status: 404 });
    await settle(id, { outcome: 'ignored', reason: 'handshake' });
    expect((await receipt(id)).body).toMatchObject({ status: 'ignored', total: 0, settled_at: scene.minute(2) });
  });

  it('keeps what was said of it before', async () => {
    const [settled, later] = [fresh(), fresh()];
    await settle(settled, { outcome: 'ignored', reason: 'handshake' });
    await accept(settled, later);
    expect((await receipt(later)).body).toMatchObject({ status: 'accepted' });
    expect((await receipt(settled)).body).toMatchObject({ status: 'ignored', total: 0 });
  });
});

it('a receipt that nobody has told of is a 404 that says so, and when to ask again', async () => {
  expect(await receipt(fresh())).toMatchObject({ status: 404, body: { code: 'not-found' }, retryAfter: '1' });
  expect(await receipt('rcv_x')).toMatchObject({ status: 404, retryAfter: null });
});
