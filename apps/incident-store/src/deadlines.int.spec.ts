import { randomBytes } from 'node:crypto';
import { defaultPolicy } from '@tocsin/domain/incident';
import { openJournal } from '@tocsin/event-log/journal';
import { topics, type NormalizedAlert } from '@tocsin/contracts';
import { createPipeline, createPools } from '@tocsin/postgres';
import { waitFor } from '@tocsin/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type RunningStore } from './spec/store.ts';
import { TimerWorker } from './timer-worker.ts';

let store: RunningStore;
beforeAll(async () => {
  store = await startStore('deadlines.int.spec', { autoResolveAfterMinutes: 120 });
});
afterAll(() => store.close());

const hence = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
const read = async (receipt: string) => (await store.call('GET', `incidents/${store.scene.incidentId(receipt)}`)).body;
const becomes = (receipt: string, status: string) =>
  waitFor(async () => (await read(receipt))['status'] === status, { timeoutMs: 20_000 });
const timersOf = async (receipt: string): Promise<{ kind: string; due_at: Date }[]> => {
  const { rows } = await store.pools.pipeline.query<{ kind: string; due_at: Date }>(
    'select kind, due_at from incident_store.timers where incident_id = $1',
    [store.scene.incidentId(receipt)],
  );
  return rows;
};
const firing = (fields: Partial<NormalizedAlert> = {}) => ({ firingKey: 'f', ...fields });

describe('an alert whose source states an end', () => {
  it('is over when that passes without a refresh, and its incident with it; the key is free', async () => {
    const { scene } = store;
    const endsAt = hence(1);
    await store.settle(scene.opened('e1', 0, firing({ endsAt })));
    expect((await store.call('GET', `incidents/${scene.incidentId('e1')}/alerts`)).body.items).toMatchObject([
      { status: 'open', ends_at: endsAt, ends_because: 'end-passed' },
    ]);
    await becomes('e1', 'resolved');
    const { body } = await store.call('GET', `incidents/${scene.incidentId('e1')}/timeline`);
    expect(body.items.slice(1)).toMatchObject([
      { type: 'AlertsResolved', reason: 'end-passed', actor: { kind: 'system', name: 'auto-resolve timer' } },
      {
        ...{ type: 'IncidentResolved', reason: 'end-passed', data: { as_of: endsAt } },
        summary: 'Resolved: the end that its source had stated passed without news.',
      },
    ]);
    expect(await timersOf('e1')).toEqual([]);
    const held = await store.pools.pipeline.query('select from incident_store.key_holders where incident_id = $1', [
      scene.incidentId('e1'),
    ]);
    expect(held.rowCount).toBe(0);
    const fact = await waitFor(
      () =>
        store.facts.find(
          ({ incidentId, fact: { kind } }) => incidentId === scene.incidentId('e1') && kind === 'closed',
        ),
      { timeoutMs: 20_000 },
    );
    expect(fact.keys).toMatchObject([{ dedupKey: 'e1' }]);
  });

  it('lives on with every refresh: the timer that a refresh has overtaken ends nothing and is set anew', async () => {
    const { scene } = store;
    const later = hence(3_600);
    await store.settle(scene.opened('e2', 0, firing({ endsAt: hence(1) })));
    await store.settle(scene.repeat('e2b', 1, 'e2', firing({ endsAt: later })));
    await waitFor(async () => (await timersOf('e2'))[0]?.due_at.toISOString() === later, { timeoutMs: 20_000 });
    expect(await read('e2')).toMatchObject({ status: 'open', version: 1 });
  });

  it('opens its incident again when its source vouches for the same firing after all', async () => {
    const { scene } = store;
    await store.settle(
      scene.opened('e3', 0, firing({ endsAt: hence(-1), occurredAt: scene.minute(-60), occurredAtOrders: true })),
    );
    await becomes('e3', 'resolved');
    const again = firing({
      endsAt: hence(3_600),
      occurredAt: scene.minute(-60),
      occurredAtOrders: true,
      receivedAt: hence(0),
    });
    await store.settle(scene.repeat('e3b', 1, 'e3', again));
    expect(await read('e3')).toMatchObject({ status: 'open', webhook_occurrence_count: 2 });
    expect((await store.call('GET', `alerts/${scene.alertId('e3b')}`)).body).toMatchObject({ outcome: 'reopened' });
  });

  it('leaves the incident open while another alert is', async () => {
    const { scene } = store;
    const far = hence(3_600);
    await store.settle(
      scene.opened('e4', 0, firing({ endsAt: hence(-1) })),
      scene.decided(scene.alert('e4b', 1, { endsAt: far }), { kind: 'correlated', incidentId: scene.incidentId('e4') }),
    );
    await waitFor(async () => (await timersOf('e4'))[0]?.due_at.toISOString() === far, { timeoutMs: 20_000 });
    expect(await read('e4')).toMatchObject({ status: 'open' });
    expect((await store.call('GET', `incidents/${scene.incidentId('e4')}/alerts`)).body.items).toMatchObject([
      { status: 'resolved', ends_at: null },
      { status: 'open', ends_at: far },
    ]);
  });

  it('takes its deadline along to another incident', async () => {
    const { scene } = store;
    await store.settle(scene.opened('e5', 0, firing({ endsAt: hence(2) })), scene.opened('e6', 0));
    const merged = await store.call('POST', `incidents/${scene.incidentId('e5')}/merge`, {
      into: scene.incidentId('e6'),
    });
    expect(merged.status).toBe(200);
    expect(await timersOf('e5')).toEqual([]);
    await waitFor(
      async () =>
        (await store.call('GET', `incidents/${scene.incidentId('e6')}/alerts`)).body.items.some(
          ({ id, status }) => id === scene.alertId('e5') && status === 'resolved',
        ),
      { timeoutMs: 20_000 },
    );
    expect(await read('e6')).toMatchObject({ status: 'open' });
  });
});

describe('auto_resolve_after_minutes', () => {
  it('ends what has been quiet for so long', async () => {
    const { scene } = store;
    await store.settle(scene.opened('q1', -90));
    await becomes('q1', 'resolved');
    const { body } = await store.call('GET', `incidents/${scene.incidentId('q1')}/timeline`);
    expect(body.items.at(-1)).toMatchObject({ type: 'IncidentResolved', reason: 'quiet' });
    expect(body.items.at(-1)?.['data']).toMatchObject({ as_of: scene.minute(30) });
  });

  it('counts from the last time that the alert was heard of', async () => {
    const { scene } = store;
    await store.settle(scene.opened('q2', 0));
    expect(await timersOf('q2')).toMatchObject([{ kind: 'alerts', due_at: new Date(scene.minute(120)) }]);
    await store.settle(scene.repeat('q2b', 30, 'q2'));
    expect((await store.call('GET', `incidents/${scene.incidentId('q2')}/alerts`)).body.items).toMatchObject([
      { ends_at: scene.minute(150), ends_because: 'quiet' },
    ]);
  });

  it('is over with a resolve by hand', async () => {
    const { scene } = store;
    await store.settle(scene.opened('q3', 0));
    await store.call('POST', `incidents/${scene.incidentId('q3')}/resolve`);
    expect(await timersOf('q3')).toEqual([]);
  });
});

describe('timers', () => {
  it('are rows: any process goes on with what another one has set, and of two only one ends an alert', async () => {
    const { scene } = store;
    await store.settle(scene.opened('w1', 0));
    const pools = createPools({ connectionString: store.databaseUrl, applicationName: 'another process' });
    const log = await openJournal();
    await log.ensureTopics(topics);
    const now = () => new Date(Date.parse(scene.minute(121)));
    const pipeline = createPipeline({
      ...{ pool: pools.pipeline, schema: 'incident_store', service: 'incident-store', log, now },
      publisher: 'single',
    });
    const policies = {
      ...{ settle: () => Promise.resolve(), now: () => now().toISOString() },
      of: () => ({ ...defaultPolicy, configRevision: 1 }),
    };
    const worker = () =>
      new TimerWorker({
        ...{ pool: pools.pipeline, pipeline, policies, eventLog: log, clock: now, random: randomBytes },
        log: pino({ level: 'silent' }),
      });
    await Promise.all([worker().runDue(), worker().runDue()]);
    expect(await read('w1')).toMatchObject({ status: 'resolved', version: 3 });
    await pipeline.close();
    await log.close();
    await pools.close();
  });
});
