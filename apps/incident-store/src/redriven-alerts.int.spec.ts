import { randomBytes } from 'node:crypto';
import { encodeRecord, type AlertAnswer, type ReceiptsSettled } from '@tocsin/contracts';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPools, failureOf, type Input, type Pools, type Stage } from '@tocsin/postgres';
import { testDatabase, uniquePrefix } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './correlated-builders.ts';
import { alertPolicies } from './policies.ts';
import { recordAlertsStage } from './record-alerts-batch.ts';
import { settleReceiptsStage } from './settle-receipts-batch.ts';

const START = Date.parse('2026-04-02T08:00:00.000Z');
let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'redriven-alerts.int.spec', max: 2 });
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

async function apply<Loaded>(stage: Stage<Loaded>, ...inputs: Input[]): Promise<void> {
  await write(stage, inputs, await stage.load(inputs));
}

async function write<Loaded>(stage: Stage<Loaded>, inputs: Input[], loaded: Loaded): Promise<void> {
  const tx = await pools.pipeline.connect();
  try {
    await tx.query('begin');
    await stage.apply(tx, inputs, loaded);
    await tx.query('commit');
  } catch (error) {
    await tx.query('rollback');
    throw error;
  } finally {
    tx.release();
  }
}
const recording = () =>
  recordAlertsStage({
    pool: pools.pipeline,
    policies: alertPolicies(new StaticConfigurationFeed(), () => new Date(START)),
    random: randomBytes,
  });
const alertsCome = (...inputs: Input[]) => apply(recording(), ...inputs);

type Item = ReceiptsSettled['items'][number];
const settles = (on: Scene, ...over: Partial<Item>[]) => {
  const items = over.map((one): Item => ({
    ...{ receiptId: on.receiptId('a'), workspaceId: on.workspaceId, webhookId: on.webhookId },
    ...{ receivedAt: on.minute(0), settledAt: on.minute(0), total: 0, alerts: [] },
    ...one,
  }));
  const value = Buffer.from(encodeRecord('receipts.settled.v1', { items }));
  const input = { offset: 0n, key: on.webhookId, type: 'receipts.settled.v1', value, headers: {}, timestamp: START };
  return apply(settleReceiptsStage(), input);
};
const dead: Partial<Item> = { outcome: 'dead-lettered', reason: 'unrecognised-payload', detail: 'not ours' };
const answer = (on: Scene, outcome: AlertAnswer['outcome'], reason: AlertAnswer['reason']): Partial<Item> => ({
  total: 3,
  alerts: [{ index: 0, alertId: on.alertId('a'), incidentId: null, outcome, reason, occurrenceCount: null }],
});
const scene = () => new Scene(`ws_${uniquePrefix()}`, `whk_${uniquePrefix()}`, START);
const receiptOf = async (on: Scene) =>
  (
    await pools.pipeline.query(
      'select outcome, reason, detail, total from incident_store.receipts where receipt_id = $1',
      [on.receiptId('a')],
    )
  ).rows as unknown[];
const outcomeOf = async (on: Scene) =>
  (
    await pools.pipeline.query('select outcome, incident_id from incident_store.alert_outcomes where alert_id = $1', [
      on.alertId('a'),
    ])
  ).rows as unknown[];

describe('a receipt that was dead-lettered as a whole', () => {
  const settled = { outcome: null, reason: null, detail: null, total: 1 };

  it('shows its alerts once it was redriven, whichever is heard first', async () => {
    const [before, after] = [scene(), scene()];
    await settles(before, dead);
    await alertsCome(before.input(before.opened('a', 0)));
    await alertsCome(after.input(after.opened('a', 0)));
    await settles(after, dead);
    expect([await receiptOf(before), await receiptOf(after)]).toEqual([[settled], [settled]]);
  });

  it('shows that it is ignored now, whichever is heard first', async () => {
    const ignored: Partial<Item> = { outcome: 'ignored', reason: 'handshake', detail: 'a ping' };
    const [before, after] = [scene(), scene()];
    await settles(before, dead);
    await settles(before, ignored);
    await settles(after, ignored);
    await settles(after, dead);
    const expected = [{ outcome: 'ignored', reason: 'handshake', detail: 'a ping', total: 0 }];
    expect([await receiptOf(before), await receiptOf(after)]).toEqual([expected, expected]);
  });
});

describe('an element that was dead-lettered among others', () => {
  it('opens its incident when it is redriven, and has that as its answer', async () => {
    const on = scene();
    await settles(on, answer(on, 'dead-lettered', 'unrecognised-payload'));
    await alertsCome(on.input(on.opened('a', 0)));
    expect(await outcomeOf(on)).toEqual([{ outcome: 'created', incident_id: on.incidentId('a') }]);
    const { rows } = await pools.pipeline.query(
      'select occurrences from incident_store.incident_alerts where incident_id = $1',
      [on.incidentId('a')],
    );
    expect(rows).toEqual([{ occurrences: 1 }]);
  });

  it('is decided anew where its dead letter was heard after it was looked for', async () => {
    const on = scene();
    const inputs = [on.input(on.opened('a', 0), on.opened('b', 0))];
    const loaded = await recording().load(inputs);
    await settles(on, answer(on, 'dead-lettered', 'unrecognised-payload'));
    const failure: unknown = await write(recording(), inputs, loaded).catch((error: unknown) => error);
    expect(failureOf(failure)).toMatchObject({ kind: 'retry', reason: 'database-conflict' });
    expect(await outcomeOf(on)).toEqual([{ outcome: 'dead-lettered', incident_id: null }]);
    await alertsCome(...inputs);
    expect(await outcomeOf(on)).toEqual([{ outcome: 'created', incident_id: on.incidentId('a') }]);
  });

  it('keeps the answer of a person’s alert when its old dead letter is heard late', async () => {
    const on = scene();
    await alertsCome(on.input(on.opened('a', 0)));
    await settles(on, answer(on, 'dead-lettered', 'unrecognised-payload'));
    expect(await outcomeOf(on)).toEqual([{ outcome: 'created', incident_id: on.incidentId('a') }]);
  });

  it('is ignored when that is what came of it, also where both are heard at once', async () => {
    const on = scene();
    const both = [answer(on, 'dead-lettered', 'unrecognised-payload'), answer(on, 'ignored', 'note')];
    await settles(on, ...both);
    expect(await outcomeOf(on)).toEqual([{ outcome: 'ignored', incident_id: null }]);
  });

  it('that comes twice after a redrive counts once', async () => {
    const on = scene();
    await settles(on, answer(on, 'dead-lettered', 'unrecognised-payload'));
    await alertsCome(on.input(on.opened('a', 0)));
    await alertsCome(on.input(on.opened('a', 0)));
    const { rows } = await pools.pipeline.query(
      'select occurrences from incident_store.incident_alerts where incident_id = $1',
      [on.incidentId('a')],
    );
    expect(rows).toEqual([{ occurrences: 1 }]);
  });
});
