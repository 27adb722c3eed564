import { randomBytes } from 'node:crypto';
import {
  decodeRecord,
  encodeRecord,
  mintId,
  topics,
  type AlertsCorrelated,
  type ApiKeyDocument,
  type CorrelatedAlert,
  type IncidentFact,
} from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  Assignments,
  createKeyRing,
  Health,
  startApplication,
  StaticConfigurationFeed,
  type RunningApplication,
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
const keyOf = (id: string, workspaceId: string, scopes: ApiKeyDocument['body']['scopes']): ApiKeyDocument => ({
  ...{ revision: 1, kind: 'api-key', id, workspaceId, deleted: false },
  body: { name: `key ${id}`, scopes, secretHmac: keyRing.pepperedHmac(secret), expiresAt: null },
});

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
let eventLog: Awaited<ReturnType<typeof openJournal>>;
let running: RunningApplication;
const facts: IncidentFact[] = [];

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'alerts.int.spec' });
  eventLog = await openJournal();
  await eventLog.ensureTopics(topics);
  await eventLog.consume(
    { topic: 'correlation.inputs', group: 'alerts-spec', mode: 'broadcast-from-end' },
    ({ records }) => {
      for (const { value } of records) if (value) facts.push(decodeRecord('incident.fact.v1', value));
      return Promise.resolve({ kind: 'committed' as const, next: (records.at(-1)?.offset ?? 0n) + 1n });
    },
  );
  const feed = new StaticConfigurationFeed([
    keyOf('responder', scene.workspaceId, ['read', 'respond']),
    keyOf('readeronly', scene.workspaceId, ['read']),
    keyOf('stranger', `ws_${uniquePrefix()}`, ['admin']),
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

type Body = Record<string, unknown> & { items: Record<string, unknown>[] };
async function call(path: string, key = 'responder', method = 'GET'): Promise<{ status: number; body: Body }> {
  const headers = { authorization: `Bearer tsk_${key}_${secret}` };
  const response = await fetch(`${running.url}/api/v1/${path}`, { method, headers });
  return { status: response.status, body: (await response.json()) as Body };
}
const promote = (receipt: string, key?: string) => call(`alerts/${scene.alertId(receipt)}/promote`, key, 'POST');
const alertOf = async (receipt: string): Promise<Body> => (await call(`alerts/${scene.alertId(receipt)}`)).body;

/** Says what was correlated, and waits until the last of it has been settled. */
async function say(...items: CorrelatedAlert[]): Promise<void> {
  const records = items.map((item): AlertsCorrelated => scene.record(item));
  await eventLog.append(
    records.map((record) => ({
      ...{ topic: 'alert.correlated' as const, key: record.scope, value: encodeRecord('alerts.correlated.v1', record) },
      headers: { type: 'alerts.correlated.v1' },
    })),
  );
  for (const { alert } of items)
    await waitFor(async () => ((await call(`alerts/${alert.id}`)).status === 200 ? true : undefined), {
      timeoutMs: 20_000,
    });
}
const newest = (list: string) => call(list).then(({ body }) => body.items.map(({ id }) => id));

describe('recorded alerts', () => {
  it('are kept without an incident, counted, listed and read, with the why', async () => {
    await say(scene.recorded('r1', 0), scene.recordedAgain('r1b', 1, 'r1'));
    expect(await alertOf('r1')).toMatchObject({
      ...{ id: scene.alertId('r1'), status: 'recorded', outcome: 'recorded', reason: 'open-when', incident_id: null },
      ...{ title: 'Alert r1', occurrence_count: 2, why: { reason: 'open-when' }, last_seen_at: scene.minute(1) },
    });
    expect(await alertOf('r1b')).toMatchObject({
      outcome: 'recorded',
      counted_on: scene.alertId('r1'),
      occurrence_count: 2,
    });
    const { body } = await call(`receipts/${scene.receiptId('r1')}`);
    expect(body['status'] ?? 'not-found').not.toBe('created');
    expect((await call(`incidents/${scene.incidentId('r1')}`)).status).toBe(404);
  });

  it('are paged by webhook and status without gaps or repeats', async () => {
    await say(...Array.from({ length: 7 }, (_, index) => scene.recorded(`page${index}`, 30 + (index >> 1))));
    const mine = `alerts?outcome=recorded&webhook_id=${scene.webhookId}&status=recorded`;
    const seen: unknown[] = [];
    for (let next: unknown = ''; next !== null;) {
      const { body } = await call(`${mine}&limit=3${next === '' ? '' : `&cursor=${next as string}`}`);
      seen.push(...body.items.map(({ id }) => id));
      next = body['next_cursor'];
    }
    expect(seen).toEqual(await newest(`${mine}&limit=200`));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBeGreaterThanOrEqual(7);
    expect(await newest('alerts?webhook_id=whk_other')).toEqual([]);
    expect((await call('alerts?outcome=created')).status).toBe(422);
    expect((await call('alerts?cursor=nonsense')).status).toBe(422);
  });

  it('end with their resolve, and can then not be promoted', async () => {
    await say(scene.recorded('r2', 2), scene.recordedAgain('r2b', 3, 'r2', 'resolved'));
    expect(await alertOf('r2')).toMatchObject({ status: 'resolved', ended_at: scene.minute(3) });
    expect(await alertOf('r2b')).toMatchObject({ outcome: 'resolved', reason: 'alert-resolved', incident_id: null });
    expect(await promote('r2')).toMatchObject({
      status: 409,
      body: { code: 'wrong-state', current_status: 'resolved' },
    });
  });

  it('lose their key to an alert that opens an incident', async () => {
    const incidentId = scene.incidentId('r3b');
    const supersedes = scene.alertId('r3');
    const opening = scene.decided(scene.alert('r3b', 5, { key: 'r3' }), { kind: 'opened', incidentId, supersedes });
    await say(scene.recorded('r3', 4), opening);
    expect(await alertOf('r3')).toMatchObject({
      status: 'taken-over',
      incident_id: incidentId,
      ended_at: scene.minute(5),
    });
  });

  it('are not there for others', async () => {
    await say(scene.recorded('r4', 6));
    expect((await call(`alerts/${scene.alertId('r4')}`, 'stranger')).status).toBe(404);
    expect((await promote('r4', 'stranger')).status).toBe(404);
    expect((await promote('r4', 'readeronly')).status).toBe(403);
    expect((await promote('nobody')).status).toBe(404);
    expect((await call('alerts/alr_x')).status).toBe(404);
    expect((await call('alerts', 'stranger')).body.items).toEqual([]);
  });
});

describe('a promotion', () => {
  it('opens one incident with the repeats so far, tells the correlator, and does nothing twice', async () => {
    await say(scene.recorded('p1', 7), scene.recordedAgain('p1b', 8, 'p1'));
    const incidentId = scene.incidentId('p1');
    const [first, second] = await Promise.all([promote('p1'), promote('p1')]);
    for (const { status, body } of [first, second])
      expect({ status, body }).toMatchObject({
        status: 200,
        body: { id: incidentId, status: 'open', webhook_occurrence_count: 2, title: 'Alert p1' },
      });
    expect(first.body['events']).toEqual(second.body['events']);
    const { body } = await call(`incidents/${incidentId}/timeline`);
    expect(body.items.map(({ type, reason }) => [type, reason])).toEqual([
      ['IncidentOpened', 'promoted'],
      ['OccurrencesCounted', 'promoted'],
    ]);
    expect(body.items[0]).toMatchObject({ actor: { kind: 'api-key', id: 'responder' } });
    expect(await alertOf('p1')).toMatchObject({ status: 'promoted', incident_id: incidentId });
    const told = await waitFor(async () => facts.filter((fact) => fact.incidentId === incidentId)[0], {
      timeoutMs: 20_000,
    });
    expect(told).toMatchObject({ fact: { kind: 'open' }, keys: [{ dedupKey: 'p1', alertId: scene.alertId('p1') }] });
    expect(facts.filter((fact) => fact.incidentId === incidentId)).toHaveLength(1);
  });

  it('takes in what the correlator had decided before it heard: a repeat counts there, the resolve resolves there', async () => {
    await say(scene.recorded('p2', 9));
    await promote('p2');
    await say(scene.recordedAgain('p2b', 10, 'p2'), scene.recordedAgain('p2c', 11, 'p2', 'resolved'));
    expect(await alertOf('p2b')).toMatchObject({ outcome: 'deduplicated', incident_id: scene.incidentId('p2') });
    expect(await alertOf('p2c')).toMatchObject({ outcome: 'resolved', reason: 'all-alerts-resolved' });
    expect((await call(`incidents/${scene.incidentId('p2')}`)).body).toMatchObject({
      status: 'resolved',
      webhook_occurrence_count: 2,
    });
  });

  it('leaves the key to an incident that has it by now', async () => {
    const opening = { kind: 'opened', incidentId: scene.incidentId('p3b') } as const; // the correlator knew nothing of p3
    await say(scene.recorded('p3', 12), scene.decided(scene.alert('p3b', 13, { key: 'p3' }), opening));
    expect(await promote('p3')).toMatchObject({ status: 200, body: { id: scene.incidentId('p3') } });
    await say(scene.repeat('p3c', 14, 'p3b', { dedupKey: 'p3' }));
    expect(await alertOf('p3c')).toMatchObject({ incident_id: scene.incidentId('p3b') });
  });
});

describe('alerts above the limit', () => {
  it('open an incident that is named after their webhook, and join it as rolled up', async () => {
    const incidentId = scene.incidentId('o1');
    await say(
      scene.decided(scene.alert('o1', 15), { kind: 'opened', incidentId, rollUp: true }, 'over-limit'),
      scene.decided(scene.alert('o2', 16), { kind: 'rolled-up', incidentId }, 'over-limit'),
    );
    expect(await alertOf('o1')).toMatchObject({ outcome: 'created', reason: 'over-limit' });
    expect(await alertOf('o2')).toMatchObject({ outcome: 'rolled-up', reason: 'over-limit', incident_id: incidentId });
    const { body } = await call(`incidents/${incidentId}`);
    expect(body).toMatchObject({
      title: `Alerts above the rate limit of ${scene.webhookId}`,
      correlated_alert_count: 1,
    });
  });
});
