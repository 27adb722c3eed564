import { topics } from '@tocsin/contracts';
import { correlateStage, dedupCorrelator, WebhookRules } from '@tocsin/dedup-correlator';
import { openJournal } from '@tocsin/event-log/journal';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPipeline, createPools, type Input, type Pipeline } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { BATCH, Partition } from './correlate-partition.ts';
import { nameOf, startServer } from './server.ts';

/** Of all partitions together. */
const INCIDENTS = 10_000;
/** Partitions of the twelve that a process has where there are three of it. */
const PARTITIONS = 4;
/** Alerts of each second of a run, made before it. */
const ALERTS_PER_SECOND = 10_000;
const WARM_UP_SECONDS = 2;
const LOG_ID = 'bench';
/** What the log keeps: a broker's would take no memory of the service. */
const LOG_BYTES = 1024 * 1024;

export interface StoreOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

export interface StoreRates {
  partitions: number;
  /** Alerts a second of each run. */
  rates: number[];
}

/** The service's own stage and transactions: positions, marks, state, outbox, and what it says into a log in memory. */
class Correlator {
  private readonly pipeline: Pipeline;
  private readonly partitions: readonly Partition[];
  private readonly stage: ReturnType<typeof correlateStage>;

  constructor(pipeline: Pipeline, partitions: readonly Partition[]) {
    this.pipeline = pipeline;
    this.partitions = partitions;
    const feed = new StaticConfigurationFeed(partitions.map(({ webhook }) => webhook));
    this.stage = correlateStage(new WebhookRules(feed));
  }

  async open(): Promise<void> {
    for (const { source } of this.partitions)
      await this.pipeline.assigned(source, { logId: LOG_ID, first: 0n, end: 1_000_000_000n });
    await this.run((partition) => partition.openings());
  }

  /** Each partition has its batches one after the other, beside the others. @returns alerts a second */
  async run(batchesOf: (partition: Partition) => Input[][]): Promise<number> {
    const lots = this.partitions.map((partition) => ({ partition, batches: batchesOf(partition) }));
    const start = performance.now();
    await Promise.all(
      lots.map(async ({ partition, batches }) => {
        for (const inputs of batches) await this.take(partition, inputs);
      }),
    );
    const alerts = lots.flatMap(({ batches }) => batches).reduce((sum, { length }) => sum + length, 0);
    return (alerts * 1_000) / (performance.now() - start);
  }

  private async take({ source }: Partition, inputs: Input[]): Promise<void> {
    const batch = { source, logId: LOG_ID, inputs, heartbeat: () => Promise.resolve() };
    const result = await this.pipeline.commitBatch(batch, this.stage);
    if (result.kind !== 'committed') throw new Error(`a batch was not committed: ${JSON.stringify(result)}`);
  }
}

/** Alerts a second through the correlator's own transactions: of one partition, whose batches wait for each other, and of several side by side. */
export async function benchStore(
  options: StoreOptions,
): Promise<{ server: string; alone: StoreRates; together: StoreRates }> {
  const postgres = await startServer();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const directory = dedupCorrelator.migrations;
  const database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', ...(directory ? { directory } : {}) }],
  });
  const pools = createPools({ connectionString: database.url, applicationName: 'bench' });
  const log = await openJournal({ memoryBytes: LOG_BYTES });
  await log.ensureTopics(topics);
  const deps = { pool: pools.pipeline, schema: 'dedup_correlator', service: 'dedup-correlator', log } as const;
  const pipeline = createPipeline({ ...deps, now: () => new Date(), publisher: 'per-partition' });
  const measure = async (partitions: Partition[]): Promise<StoreRates> => {
    const correlator = new Correlator(pipeline, partitions);
    await correlator.open();
    await pools.pipeline.query('analyze');
    return ratesOf(correlator, partitions.length, options);
  };
  try {
    const alone = await measure([new Partition(0, INCIDENTS)]);
    const several = Array.from({ length: PARTITIONS }, (_, n) => new Partition(1 + n, INCIDENTS / PARTITIONS));
    return { server: await nameOf(pools.pipeline), alone, together: await measure(several) };
  } finally {
    await pipeline.close();
    await log.close();
    await pools.close();
    await database.drop();
    await postgres.stop();
  }
}

async function ratesOf(
  correlator: Correlator,
  partitions: number,
  { runs, seconds, say }: StoreOptions,
): Promise<StoreRates> {
  const alerts = (length: number): number => Math.ceil((length * ALERTS_PER_SECOND) / (BATCH * partitions));
  await correlator.run((partition) => partition.batches(alerts(WARM_UP_SECONDS)));
  const rates: number[] = [];
  for (let run = 1; run <= runs; run++) {
    rates.push(await correlator.run((partition) => partition.batches(alerts(seconds))));
    say(`with PostgreSQL, ${partitions} of its partitions, ${run}/${runs}: ${rates.at(-1)?.toFixed(0)} alerts/s`);
  }
  return { partitions, rates };
}
