import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { EventLog } from '@tocsin/event-log';
import { readMarksOf } from '../consumer-marks.ts';
import { createPools, showPositions, type Input, type Pipeline, type Stage } from '../index.ts';
import { Mortal, proxyTo } from './faults.ts';
import { ground, log, upTo, useFreshGround } from './fresh-ground.ts';
import { markOf, originOf } from '../mark.ts';
import type { Ground } from './kit.ts';
import {
  anInput,
  drive,
  LOG_ID,
  numberOf,
  oneBatch,
  openLog,
  pipelineOf,
  recordsOn,
  SCHEMA,
  seeded,
  source,
} from './kit.ts';

useFreshGround();

const PARTITIONS = [0, 1, 2];
/** Inputs of one partition, which their keys name. */
const inputsOn = (partition: number, count: number): Input[] =>
  upTo(count).map((n) =>
    anInput(n, { key: `${partition}`, mark: { origin: `from ${partition}`, offset: BigInt(n), ordinal: 0 } }),
  );

/** One stage for all partitions. `text` may throw. */
const stageOf = (text: (input: Input) => string = () => 'ok'): Stage<undefined> => ({
  load: () => Promise.resolve(undefined),
  apply: async (tx, inputs) => {
    const texts = inputs.map(text);
    await tx.query(
      `insert into ${SCHEMA}.applied (partition, n, key, text) select k::int, n, k, t from unnest($1::bigint[], $2::text[], $3::text[]) as i (n, k, t)`,
      [inputs.map(numberOf), inputs.map(({ key }) => key), texts],
    );
    const outputs = inputs.map((input) => ({
      ...{ topic: 'incident.events' as const, key: input.key, type: 'test.applied.v1', value: input.value },
      by: { stream: `applied ${input.key}`, version: input.offset },
    }));
    return { verdicts: inputs.map(() => ({ kind: 'handled' as const })), outputs };
  },
  forget: () => undefined,
});

/** Drives as the log does, with the shared transactions. */
const joint = (pipeline: Pipeline): Pipeline => ({ ...pipeline, commitBatch: pipeline.commitTogether });
const single = (on: Pick<Ground, 'pool'> = ground, to = log): Pipeline =>
  joint(pipelineOf(on, to, { publisher: 'single' }));

async function expectAll(count: number, of: EventLog = log, when = ''): Promise<void> {
  for (const partition of PARTITIONS) expect(await ground.applied(partition), when).toEqual(upTo(count));
  const positions = await showPositions(ground.pool, SCHEMA);
  expect(
    positions.map(({ next }) => Number(next)),
    when,
  ).toEqual(PARTITIONS.map(() => count));
  const said = new Map<string, Set<number>>();
  for (const { key, value } of await recordsOn(of, 'incident.events')) {
    const { n } = JSON.parse(value.toString()) as { n: number };
    said.set(key, (said.get(key) ?? new Set()).add(n));
  }
  // In the order of their first occurrences.
  for (const partition of PARTITIONS) expect([...(said.get(`${partition}`) ?? [])], when).toEqual(upTo(count));
}

describe('batches of several partitions', () => {
  it('that come together share a transaction, and each keeps its own position and marks', async () => {
    const pipeline = single();
    const stage = stageOf();
    await Promise.all(
      PARTITIONS.map((partition) => oneBatch(pipeline, inputsOn(partition, 5), stage, source(partition))),
    );
    const [shared] = await ground.rows<{ transactions: number; rows: number }>(
      `select count(distinct xmin::text)::int as transactions, count(*)::int as rows from ${SCHEMA}.applied`,
    );
    expect(shared).toEqual({ transactions: 1, rows: 15 });
    const marks = await ground.rows(
      `select partition, mark_offset::int as at from ${SCHEMA}.consumer_marks order by 1`,
    );
    expect(marks).toEqual(PARTITIONS.map((partition) => ({ partition, at: 4 })));
    await pipeline.flush();
    await expectAll(5);
    await pipeline.close();
  });

  it('what follows from an input carries its mark and its trace, although others have the same offset', async () => {
    const pipeline = single();
    const stage: Stage<undefined> = {
      ...stageOf(),
      apply: (_tx, inputs) =>
        Promise.resolve({
          verdicts: inputs.map(() => ({ kind: 'handled' as const })),
          outputs: inputs.flatMap((input) => [
            {
              topic: 'incident.events' as const,
              key: input.key,
              type: 'test.said.v1',
              value: input.value,
              by: { input },
            },
            {
              ...{ topic: 'incident.events' as const, key: input.key, type: 'test.said.v1', value: input.value },
              by: { stream: `stream ${input.key}`, version: input.offset, input },
            },
          ]),
        }),
    };
    const traced = (partition: number) =>
      inputsOn(partition, 2).map((input) => ({
        ...input,
        headers: { ...input.headers, traceparent: `${partition}/${input.offset}` },
      }));
    await Promise.all(PARTITIONS.map((partition) => oneBatch(pipeline, traced(partition), stage, source(partition))));
    await pipeline.flush();
    const said = await recordsOn(log, 'incident.events');
    const marks = said.map(({ key, headers: { mark, traceparent } }) => `${key} ${mark} ${traceparent}`);
    const expected = PARTITIONS.flatMap((partition) =>
      [0, 1].flatMap((offset) => [
        `${partition} ${markOf({ origin: originOf(LOG_ID, source(partition)), offset: BigInt(offset), ordinal: 0 })} ${partition}/${offset}`,
        `${partition} ${markOf({ origin: `stream ${partition}`, offset: BigInt(offset), ordinal: 0 })} ${partition}/${offset}`,
      ]),
    );
    expect(marks.sort()).toEqual(expected.sort());
    await pipeline.close();
  });

  it('a large one has a transaction of its own', async () => {
    const pipeline = single();
    const stage = stageOf();
    await Promise.all(
      PARTITIONS.map((partition) =>
        oneBatch(pipeline, inputsOn(partition, partition === 0 ? 201 : 5), stage, source(partition)),
      ),
    );
    const shared = await ground.rows(
      `select partition from ${SCHEMA}.applied group by partition having min(xmin::text) = (select min(xmin::text) from ${SCHEMA}.applied where partition = 2) order by 1`,
    );
    expect(shared).toEqual([{ partition: 1 }, { partition: 2 }]);
    await pipeline.close();
  });

  it('apply nothing twice that comes again at new offsets', async () => {
    const pipeline = single();
    const stage = stageOf();
    const again = (partition: number): Input[] =>
      inputsOn(partition, 8).map((input) => ({ ...input, offset: input.offset + 5n }));
    await Promise.all(
      PARTITIONS.map((partition) => oneBatch(pipeline, inputsOn(partition, 5), stage, source(partition))),
    );
    await Promise.all(PARTITIONS.map((partition) => oneBatch(pipeline, again(partition), stage, source(partition))));
    for (const partition of PARTITIONS) expect(await ground.applied(partition)).toEqual(upTo(8));
    await pipeline.close();
  });

  it('look their marks up one by one, also where the server has no statistics yet', async () => {
    const stored = 20_000;
    await ground.pool.query(
      `insert into ${SCHEMA}.consumer_marks (consumer_group, topic, partition, origin, mark_offset, ordinal, touched_on)
       select $1, $2, n % 3, 'from ' || n, n, 0, now() from generate_series(1, ${stored}) n`,
      [source(0).group, source(0).topic],
    );
    const wanted = PARTITIONS.map((partition) => ({
      source: source(partition),
      inputs: upTo(100).map((n) => {
        const number = 3 * n + partition + 3;
        return anInput(n, { mark: { origin: `from ${number}`, offset: 0n, ordinal: 0 } });
      }),
    }));
    const tx = await ground.pool.connect();
    await tx.query('begin');
    const marks = await readMarksOf(tx, SCHEMA, wanted);
    const { rows } = await tx.query<{ read: number }>(
      `select (seq_tup_read + idx_tup_fetch)::int as read from pg_stat_xact_user_tables where schemaname = $1 and relname = 'consumer_marks'`,
      [SCHEMA],
    );
    await tx.query('rollback');
    tx.release();
    expect(marks.map(({ size }) => size)).toEqual(PARTITIONS.map(() => 100));
    expect(rows[0]?.read).toBeLessThan(1_000);
  });

  it.each(upTo(12))('of two owners are applied once each and published in order (seed %i)', async (seed) => {
    const random = seeded(seed);
    const owners = [single(), single()];
    const pause = async (): Promise<void> => {
      for (let turns = Math.floor(random() * 8); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
    };
    const size = (): number => 1 + Math.floor(random() * 7);
    await Promise.all(
      owners.flatMap((pipeline) => {
        const stage = stageOf();
        return PARTITIONS.map((partition) =>
          drive({ pipeline, inputs: inputsOn(partition, 20), stage, of: source(partition), size, before: pause }),
        );
      }),
    );
    await Promise.all(owners.map((pipeline) => pipeline.flush()));
    await expectAll(20);
    await Promise.all(owners.map((pipeline) => pipeline.close()));
  });
});

describe('what one batch of several cannot', () => {
  it('is told apart: its poison is a dead letter, all else is applied', async () => {
    const pipeline = single();
    const stage = stageOf((input) => {
      if (input.key === '1' && numberOf(input) === 2) throw new SyntaxError('broken record');
      return 'ok';
    });
    const results = await Promise.all(
      PARTITIONS.map((partition) => oneBatch(pipeline, inputsOn(partition, 5), stage, source(partition))),
    );
    expect(results).toEqual(PARTITIONS.map(() => ({ kind: 'committed', next: 5n })));
    expect(await ground.applied(0)).toEqual(upTo(5));
    expect(await ground.applied(1)).toEqual([0, 1, 3, 4]);
    expect(await ground.applied(2)).toEqual(upTo(5));
    await pipeline.flush();
    expect(await recordsOn(log, 'dead-letters')).toHaveLength(1);
    await pipeline.close();
  });

  it('a position that another owner has moved holds only its own partition up', async () => {
    const [one, other] = [single(), single()];
    await oneBatch(other, inputsOn(1, 3), stageOf(), source(1));
    const stage = stageOf();
    const results = await Promise.all(
      PARTITIONS.map((partition) => oneBatch(one, inputsOn(partition, 5), stage, source(partition))),
    );
    expect(results).toEqual([
      { kind: 'committed', next: 5n },
      { kind: 'overtaken', next: 3n },
      { kind: 'committed', next: 5n },
    ]);
    expect(await ground.applied(1)).toEqual(upTo(3));
    await Promise.all([one.close(), other.close()]);
  });

  it('statements that fail behind the back of the stage take everything back', async () => {
    const pipeline = single();
    const stage = stageOf();
    let applies = 0;
    const broken: typeof stage = {
      ...stage,
      apply: async (tx, inputs, loaded) => {
        const result = await stage.apply(tx, inputs, loaded);
        applies += 1;
        const writes = applies === 1 ? tx.query('select 1 / 0') : Promise.resolve();
        return { ...result, outputs: [], writes, committed: () => expect(applies).toBeGreaterThan(1) };
      },
    };
    const results = await Promise.all(
      PARTITIONS.map((partition) => oneBatch(pipeline, inputsOn(partition, 5), broken, source(partition))),
    );
    expect(results).toEqual(PARTITIONS.map(() => ({ kind: 'committed', next: 5n })));
    expect(applies).toBe(1 + PARTITIONS.length);
    for (const partition of PARTITIONS) expect(await ground.applied(partition)).toEqual(upTo(5));
    await pipeline.close();
  });

  it('a COMMIT whose reply is lost is neither repeated nor forgotten', async () => {
    const proxy = await proxyTo(ground.url);
    const pools = createPools({ connectionString: proxy.url, applicationName: 'lossy', max: 8 });
    const pipeline = single({ pool: pools.pipeline });
    const stage = stageOf();
    let batches = 0;
    await Promise.all(
      PARTITIONS.map((partition) =>
        drive({
          ...{ pipeline, stage, inputs: inputsOn(partition, 20), of: source(partition) },
          before: async () => batches++ % 4 === 1 && proxy.loseNextCommit(),
        }),
      ),
    );
    expect(proxy.lost()).toBeGreaterThanOrEqual(1);
    await pipeline.flush();
    await expectAll(20);
    await pipeline.close();
    await pools.close();
    await proxy.close();
  });

  it('a crash at any await changes neither rows nor what is said', async () => {
    let crashes = 0;
    for (let step = 1; ; step++) {
      await ground.clear();
      const log = await openLog();
      const mortal = new Mortal(step);
      const first = single({ pool: mortal.pool(ground.pool) }, mortal.log(log));
      const stage = stageOf();
      const before = (): Promise<void> => (mortal.dead ? Promise.reject(new Error('dead')) : Promise.resolve());
      const running = Promise.all(
        PARTITIONS.map((partition) =>
          drive({
            pipeline: first,
            inputs: inputsOn(partition, 6),
            stage,
            of: source(partition),
            before,
            size: () => 3,
          }),
        ),
      );
      const survived = await Promise.race([running.then(() => true), whenDead(mortal)]).catch(() => false);
      await first.close();
      await running.catch(() => undefined);
      const second = single(ground, log);
      const again = stageOf();
      await Promise.all(
        PARTITIONS.map((partition) =>
          drive({ pipeline: second, inputs: inputsOn(partition, 6), stage: again, of: source(partition) }),
        ),
      );
      await second.flush();
      await expectAll(6, log, `after a crash at step ${step}`);
      await second.close();
      await log.close();
      if (survived && !mortal.dead) break;
      crashes++;
    }
    expect(crashes).toBeGreaterThan(10);
  });

  const whenDead = async (mortal: Mortal): Promise<boolean> => {
    while (!mortal.dead) await sleep(1);
    return false;
  };
});

it('a log of another name goes its own way', async () => {
  const pipeline = single();
  const stage = stageOf();
  const [ours, theirs] = await Promise.all([
    oneBatch(pipeline, inputsOn(0, 3), stage, source(0)),
    pipeline.commitBatch(
      { source: source(1), logId: `${LOG_ID} of old`, inputs: inputsOn(1, 3), heartbeat: () => Promise.resolve() },
      stage,
    ),
  ]);
  expect([ours.kind, theirs.kind]).toEqual(['committed', 'committed']);
  const positions = await showPositions(ground.pool, SCHEMA);
  expect(positions.map(({ logId }) => logId)).toEqual([LOG_ID, `${LOG_ID} of old`]);
  await pipeline.close();
});
