import { encodeRecord, type NormalizedAlert, topics, type WebhookDocument } from '@tocsin/contracts';
import { correlateStage, dedupCorrelator, WebhookRules } from '@tocsin/dedup-correlator';
import { newWebhook } from '@tocsin/domain/replay';
import { openJournal } from '@tocsin/event-log/journal';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPipeline, createPools, type Input, type Pipeline } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { Estate, ruleDocument, WEBHOOK, WORKSPACE } from './correlate-load.ts';
import { nameOf, startServer } from './server.ts';

const BATCH = 500;
const INCIDENTS = 10_000;
const RULES = 100;
const SOURCE = { group: 'dedup-correlator', topic: 'correlation.inputs', partition: 0 } as const;
const LOG_ID = 'bench';

export interface StoreOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

/** The service's own stage and transaction: positions, marks, state, outbox, and what it says into a log in memory. */
class Store {
  private readonly pipeline: Pipeline;
  private readonly stage = correlateStage(new WebhookRules(new StaticConfigurationFeed([documentWithRules()])));
  private offset = 0n;

  constructor(pipeline: Pipeline) {
    this.pipeline = pipeline;
  }

  /** As the log would deliver them: the normalizer has encoded them, so that is not measured. */
  inputsOf = (alerts: readonly NormalizedAlert[]): Input[] => alerts.map((alert) => inputOf(alert, this.offset++));

  async take(inputs: Input[]): Promise<void> {
    const batch = { source: SOURCE, logId: LOG_ID, inputs, heartbeat: () => Promise.resolve() };
    const result = await this.pipeline.commitBatch(batch, this.stage);
    if (result.kind !== 'committed') throw new Error(`a batch was not committed: ${JSON.stringify(result)}`);
  }
}

function inputOf(alert: NormalizedAlert, offset: bigint): Input {
  const { receiptId, workspaceId, webhookId, scope, receivedAt } = alert;
  const record = { receiptId, workspaceId, webhookId, scope, receivedAt, receiptTotal: 1, alerts: [alert] };
  const value = Buffer.from(encodeRecord('alerts.normalized.v1', record));
  const type = 'alerts.normalized.v1';
  return { offset, key: scope, type, value, headers: { type }, timestamp: Date.parse(receivedAt) };
}

function documentWithRules(): WebhookDocument {
  const body = newWebhook('bench', 'generic');
  const correlation = { ...body.correlation, rules: ruleDocument(RULES) };
  return {
    ...{ revision: 1, kind: 'webhook', id: WEBHOOK, workspaceId: WORKSPACE, deleted: false },
    body: { ...body, correlation },
  };
}

/** Of a hundred alerts 60 repeats, 10 ends, 12 joined by a rule, 10 by the window, 8 new incidents, as in the other figures. */
function mixed(estate: Estate, ends: NormalizedAlert[], count: number): NormalizedAlert[] {
  let service = 0;
  return Array.from({ length: count }, (_, index) => {
    service = (service + 7_919) % estate.services;
    const place = (index * 37) % 100;
    if (place < 60) return estate.repeat(service);
    const joined = place < 72 ? estate.related(service) : place < 82 ? estate.nearby(service) : undefined;
    if (joined) {
      ends.push(joined);
      return joined;
    }
    const end = place < 92 ? ends.shift() : undefined;
    return end ? estate.resolve(end) : estate.strange();
  });
}

/** Alerts a second through the correlator's own transactions, one batch after the other as one partition has them. */
export async function benchStore({ runs, seconds, say }: StoreOptions): Promise<{ rates: number[]; server: string }> {
  const postgres = await startServer();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const directory = dedupCorrelator.migrations;
  const database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', ...(directory ? { directory } : {}) }],
  });
  const pools = createPools({ connectionString: database.url, applicationName: 'bench', max: 4 });
  const log = await openJournal({});
  await log.ensureTopics(topics);
  const options = { pool: pools.pipeline, schema: 'dedup_correlator', service: 'dedup-correlator', log } as const;
  const pipeline = createPipeline({ ...options, now: () => new Date(), publisher: 'per-partition' });
  try {
    await pipeline.assigned(SOURCE, { logId: LOG_ID, first: 0n, end: 1_000_000_000n });
    const [store, estate, ends] = [new Store(pipeline), new Estate(INCIDENTS), [] as NormalizedAlert[]];
    for (let service = 0; service < INCIDENTS; service += BATCH)
      await store.take(store.inputsOf(Array.from({ length: BATCH }, (_, index) => estate.opening(service + index))));
    await pools.pipeline.query('analyze');
    const rates: number[] = [];
    for (let run = 0; run <= runs; run++) {
      const until = performance.now() + (run === 0 ? 2_000 : seconds * 1_000);
      let [alerts, ms] = [0, 0];
      while (performance.now() < until) {
        const batch = store.inputsOf(mixed(estate, ends, BATCH));
        const start = performance.now();
        await store.take(batch);
        ms += performance.now() - start;
        alerts += BATCH;
      }
      if (run > 0) rates.push((alerts * 1_000) / ms); // the first one warms up
      if (run > 0) say(`with PostgreSQL ${run}/${runs}: ${rates.at(-1)?.toFixed(0)} alerts/s`);
    }
    return { rates, server: await nameOf(pools.pipeline) };
  } finally {
    await pipeline.close();
    await log.close();
    await pools.close();
    await database.drop();
    await postgres.stop();
  }
}
