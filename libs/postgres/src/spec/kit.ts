import { setTimeout as sleep } from 'node:timers/promises';
import { topics } from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import type { BatchResult, EventLog, LogRecord, Source } from '@tocsin/event-log';
import { testDatabase, waitFor } from '@tocsin/testing';
import { Client, type Pool } from 'pg';
import {
  createPipeline,
  createPools,
  migrate,
  parseMark,
  type Input,
  type Output,
  type Pipeline,
  type PipelineOptions,
  type Stage,
} from '../index.ts';

export const SCHEMA = 'suite_store';
export const LOG_ID = 'log-1';
export const source = (partition = 0): Source => ({ group: 'suite', topic: 'alert.correlated', partition });

/** A database with the state that the suite's stage keeps, and the pools of one process. */
export class Ground {
  private constructor(
    readonly url: string,
    readonly pool: Pool,
    private readonly end: () => Promise<void>,
  ) {}

  static async open(): Promise<Ground> {
    const database = await testDatabase({ migrations: [] });
    await migrate({ connectionString: database.url, schema: SCHEMA });
    const admin = new Client({ connectionString: database.url });
    await admin.connect();
    // Deadlocks are found soon, so that the writers' spec does not wait for them.
    await admin.query(
      `do $$ begin execute format('alter database %I set deadlock_timeout = 30', current_database()); end $$`,
    );
    await admin.query(`
      create table ${SCHEMA}.applied (partition int not null, n bigint not null, key text not null, text text not null, primary key (partition, n));
      create table ${SCHEMA}.streams (id text primary key, version bigint not null);
      create table ${SCHEMA}.events (stream text not null, version bigint not null, cause text not null, primary key (stream, version), unique (stream, cause));
      grant select, insert, update, delete, truncate on all tables in schema ${SCHEMA} to tocsin_pipeline`);
    await admin.end();
    const pools = createPools({ connectionString: database.url, applicationName: 'suite', max: 20 });
    return new Ground(database.url, pools.pipeline, async () => {
      await pools.close();
      await database.drop();
    });
  }

  async clear(): Promise<void> {
    const names = ['applied', 'streams', 'events', 'outbox', 'consumer_marks', 'consumer_positions'];
    await this.pool.query(`truncate ${names.map((name) => `${SCHEMA}.${name}`).join(', ')}`);
  }

  async rows<Row extends object>(sql: string): Promise<Row[]> {
    return (await this.pool.query<Row>(sql)).rows;
  }

  /** Numbers of the inputs that were applied. */
  async applied(partition = 0): Promise<number[]> {
    const rows = await this.rows<{ n: string }>(
      `select n from ${SCHEMA}.applied where partition = ${partition} order by n`,
    );
    return rows.map(({ n }) => Number(n));
  }

  close(): Promise<void> {
    return this.end();
  }
}

export const openLog = async (): Promise<EventLog> => {
  const log = await openJournal();
  await log.ensureTopics(topics);
  return log;
};

export const pipelineOf = (
  ground: Pick<Ground, 'pool'>,
  log: EventLog,
  options: Partial<PipelineOptions> = {},
): Pipeline =>
  createPipeline({
    pool: ground.pool,
    schema: SCHEMA,
    service: 'suite',
    log,
    now: () => new Date(),
    publisher: 'per-partition',
    ...options,
  });

export const anInput = (n: number, more: Partial<Input> = {}): Input => ({
  offset: BigInt(n),
  key: `key-${n % 3}`,
  type: 'test.v1',
  value: Buffer.from(JSON.stringify({ n })),
  headers: { traceparent: `00-trace-${n}` },
  timestamp: 0,
  ...more,
});
export const inputsOf = (count: number, from = 0): Input[] =>
  Array.from({ length: count }, (_, index) => anInput(from + index));
export const numberOf = (input: Input): number => (JSON.parse(input.value.toString()) as { n: number }).n;
export const outputOf = (input: Input): Output => ({
  topic: 'incident.events',
  key: input.key,
  type: 'test.applied.v1',
  value: input.value,
  by: { input: input.offset },
});

/** Inserts one row per input and says one output per input. `text` decides what is stored, and may throw. */
export const insertStage = (partition = 0, text: (input: Input) => string = () => 'ok'): Stage<undefined> => ({
  load: () => Promise.resolve(undefined),
  apply: async (tx, inputs) => {
    await tx.query(
      `insert into ${SCHEMA}.applied (partition, n, key, text) select $1, * from unnest($2::bigint[], $3::text[], $4::text[])`,
      [partition, inputs.map(numberOf), inputs.map(({ key }) => key), inputs.map(text)],
    );
    return { verdicts: inputs.map(() => ({ kind: 'handled' as const })), outputs: inputs.map(outputOf) };
  },
  forget: () => undefined,
});

export interface Driving {
  pipeline: Pipeline;
  inputs: readonly Input[];
  stage: Stage<unknown>;
  of?: Source;
  /** Records per batch, asked before each. */
  size?: () => number;
  /** Runs before each batch, e.g. to give another owner its turn. */
  before?: () => Promise<unknown>;
}

async function assign(
  pipeline: Pipeline,
  of: Source,
  end: bigint,
  before: Driving['before'],
): Promise<{ seek: bigint }> {
  for (;;) {
    await before?.();
    const start = await pipeline.assigned(of, { logId: LOG_ID, first: 0n, end }).catch(() => undefined);
    if (start === undefined) {
      await sleep(5); // the driver asks again until it gets an answer
      continue;
    }
    if (start === 'group-offset' || 'halt' in start) throw new Error(`not assigned: ${JSON.stringify(start)}`);
    return start;
  }
}

/** Gives up on a spec that gets nowhere, so that it fails instead of going on behind the next ones. */
const FRUITLESS_MAX = 300;

/** What a driver of the log does with one assigned partition, until the end of the inputs. Inputs have offsets 0, 1, … */
export async function drive({
  pipeline,
  inputs,
  stage,
  of = source(),
  size = () => 4,
  before,
}: Driving): Promise<BatchResult[]> {
  const end = BigInt(inputs.length);
  const start = await assign(pipeline, of, end, before);
  const results: BatchResult[] = [];
  for (let next = start.seek, fruitless = 0; next < end;) {
    if (++fruitless > FRUITLESS_MAX)
      throw new Error(
        `no progress at ${next}: ${JSON.stringify(results.at(-1), (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value))}`,
      );
    await before?.();
    const batch = inputs.slice(Number(next), Number(next) + size());
    const result = await pipeline.commitBatch(
      { source: of, logId: LOG_ID, inputs: batch, heartbeat: () => Promise.resolve() },
      stage,
    );
    results.push(result);
    if (result.kind === 'halt') return results;
    if (result.kind === 'retry') await sleep(Math.min(result.afterMs, 20));
    else {
      next = result.next;
      fruitless = 0;
    }
  }
  return results;
}

export const oneBatch = (
  pipeline: Pipeline,
  inputs: Input[],
  stage: Stage<unknown>,
  of = source(),
): Promise<BatchResult> =>
  pipeline.commitBatch({ source: of, logId: LOG_ID, inputs, heartbeat: () => Promise.resolve() }, stage);

/** Everything on a topic, partition by partition, as a reader gets it. */
export async function recordsOn(log: EventLog, topic: 'incident.events' | 'dead-letters'): Promise<LogRecord[]> {
  const { partitions } = await log.offsets(topic);
  const total = partitions.reduce((sum, { first, end }) => sum + Number(end - first), 0);
  const read = new Map<number, LogRecord[]>();
  const consumer = await log.consume({ topic, group: `reader-${Math.random()}`, mode: 'group' }, (batch) => {
    read.set(batch.source.partition, [...(read.get(batch.source.partition) ?? []), ...batch.records]);
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
  await waitFor(() => [...read.values()].flat().length >= total, { timeoutMs: 20_000 });
  await consumer.close();
  return [...read].toSorted(([a], [b]) => a - b).flatMap(([, records]) => records);
}

/** Per key the numbers in the order in which a reader that drops repeats by mark sees them. */
export function firstOccurrences(records: readonly LogRecord[]): Record<string, number[]> {
  const seen = new Map<string, [bigint, number]>();
  const perKey: Record<string, number[]> = {};
  for (const record of records) {
    const mark = parseMark(record.headers['mark'])!;
    const partitionOrigin = `${record.key}|${mark.origin}`;
    const highest = seen.get(partitionOrigin);
    if (highest && (mark.offset < highest[0] || (mark.offset === highest[0] && mark.ordinal <= highest[1]))) continue;
    seen.set(partitionOrigin, [mark.offset, mark.ordinal]);
    (perKey[record.key] ??= []).push((JSON.parse(record.value.toString()) as { n: number }).n);
  }
  return Object.fromEntries(Object.entries(perKey).toSorted(([a], [b]) => a.localeCompare(b)));
}

export function expectedOccurrences(count: number): Record<string, number[]> {
  const perKey: Record<string, number[]> = {};
  for (let n = 0; n < count; n++) (perKey[`key-${n % 3}`] ??= []).push(n);
  return perKey;
}

/** Small seeded generator (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
