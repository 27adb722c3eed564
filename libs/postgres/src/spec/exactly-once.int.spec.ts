import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPools, markOf, setPosition, showPositions, type Input } from '../index.ts';
import { counting, Mortal, proxyTo } from './faults.ts';
import { ground, log, upTo, useFreshGround } from './fresh-ground.ts';
import {
  anInput,
  drive,
  expectedOccurrences,
  firstOccurrences,
  inputsOf,
  insertStage,
  LOG_ID,
  oneBatch,
  openLog,
  pipelineOf,
  recordsOn,
  SCHEMA,
  seeded,
  source,
} from './kit.ts';

useFreshGround();

/** Fresh inputs with marks of a foreign origin. */
const marked = (count: number, shift = 0): Input[] =>
  upTo(count).map((n) =>
    anInput(n, { offset: BigInt(n + shift), mark: { origin: 'stream-1', offset: BigInt(n), ordinal: 0 } }),
  );

describe('a crash', () => {
  const COUNT = 12;

  it('at any await changes neither rows nor first occurrences', async () => {
    let crashes = 0;
    for (let step = 1; ; step++) {
      await ground.clear();
      const log = await openLog();
      const mortal = new Mortal(step);
      const first = pipelineOf({ pool: mortal.pool(ground.pool) }, mortal.log(log));
      const running = drive({
        pipeline: first,
        inputs: inputsOf(COUNT),
        stage: insertStage(),
        before: async () => (mortal.dead ? Promise.reject(new Error('dead')) : undefined),
      });
      const survived = await Promise.race([running.then(() => true), whenDead(mortal)]).catch(() => false);
      await first.close();
      await running.catch(() => undefined);
      const second = pipelineOf(ground, log);
      await drive({ pipeline: second, inputs: inputsOf(COUNT), stage: insertStage() });
      await second.flush();
      expect(await ground.applied(), `rows after a crash at step ${step}`).toEqual(upTo(COUNT));
      expect(
        firstOccurrences(await recordsOn(log, 'incident.events')),
        `records after a crash at step ${step}`,
      ).toEqual(expectedOccurrences(COUNT));
      await second.close();
      await log.close();
      if (survived && !mortal.dead) break;
      crashes++;
    }
    expect(crashes).toBeGreaterThan(30); // 3 batches of at least 5 awaits, before and after each
  });

  const whenDead = async (mortal: Mortal): Promise<boolean> => {
    while (!mortal.dead) await sleep(1);
    return false;
  };
});

describe('a COMMIT whose reply is lost', () => {
  it('is neither repeated nor forgotten, and its outputs are published', async () => {
    const proxy = await proxyTo(ground.url);
    const pools = createPools({ connectionString: proxy.url, applicationName: 'lossy', max: 4 });
    const pipeline = pipelineOf({ pool: pools.pipeline }, log);
    let batches = 0;
    const results = await drive({
      pipeline,
      inputs: inputsOf(20),
      stage: insertStage(),
      before: async () => batches++ % 2 === 1 && proxy.loseNextCommit(),
    });
    await pipeline.flush();
    expect(proxy.lost()).toBeGreaterThanOrEqual(2);
    expect(results.filter(({ kind }) => kind === 'overtaken')).toHaveLength(proxy.lost());
    expect(await ground.applied()).toEqual(upTo(20));
    expect(firstOccurrences(await recordsOn(log, 'incident.events'))).toEqual(expectedOccurrences(20));
    await pipeline.close();
    await pools.close();
    await proxy.close();
  });
});

describe('two owners of one partition', () => {
  it.each(upTo(12))('apply each offset once and publish in order (seed %i)', async (seed) => {
    const random = seeded(seed);
    const inputs = inputsOf(40);
    const owners = [pipelineOf(ground, log), pipelineOf(ground, log)];
    const pause = async (): Promise<void> => {
      for (let turns = Math.floor(random() * 8); turns > 0; turns--)
        await new Promise((resolve) => setImmediate(resolve));
    };
    const size = (): number => 1 + Math.floor(random() * 7);
    await Promise.all(owners.map((pipeline) => drive({ pipeline, inputs, stage: insertStage(), size, before: pause })));
    await Promise.all(owners.map((pipeline) => pipeline.flush()));
    expect(await ground.applied()).toEqual(upTo(40));
    expect(firstOccurrences(await recordsOn(log, 'incident.events'))).toEqual(expectedOccurrences(40));
    await Promise.all(owners.map((pipeline) => pipeline.close()));
  });

  it('fence each other without a position row', async () => {
    const owners = [pipelineOf(ground, log), pipelineOf(ground, log)];
    const results = await Promise.all(owners.map((pipeline) => oneBatch(pipeline, inputsOf(10), insertStage())));
    expect(results.map(({ kind }) => kind).toSorted()).toEqual(['committed', 'overtaken']);
    expect(await ground.applied()).toEqual(upTo(10));
    await Promise.all(owners.map((pipeline) => pipeline.close()));
  });
});

describe('redelivery', () => {
  it('with other batch boundaries applies nothing twice', async () => {
    const pipeline = pipelineOf(ground, log);
    const inputs = inputsOf(20);
    expect(await oneBatch(pipeline, inputs.slice(0, 10), insertStage())).toEqual({ kind: 'committed', next: 10n });
    for (const [from, to] of [
      [0, 10],
      [5, 15],
      [9, 10],
      [0, 20],
    ] as const) {
      expect(await oneBatch(pipeline, inputs.slice(from, to), insertStage())).toEqual({ kind: 'overtaken', next: 10n });
    }
    expect(await oneBatch(pipeline, inputs.slice(10), insertStage())).toEqual({ kind: 'committed', next: 20n });
    expect(await ground.applied()).toEqual(upTo(20));
    await pipeline.close();
  });

  it('of the same outputs at new offsets applies nothing twice', async () => {
    const pipeline = pipelineOf(ground, log);
    await oneBatch(pipeline, marked(10), insertStage());
    const again = [...marked(10, 10).slice(4), ...marked(13, 20).slice(8)].map((input, index) => ({
      ...input,
      offset: BigInt(10 + index),
    }));
    expect(await oneBatch(pipeline, again, insertStage())).toEqual({ kind: 'committed', next: 21n });
    expect(await ground.applied()).toEqual(upTo(13));
    await pipeline.close();
  });

  it('after a lost position is only a re-read', async () => {
    const pipeline = pipelineOf(ground, log);
    await drive({ pipeline, inputs: marked(10), stage: insertStage() });
    await ground.pool.query(`delete from ${SCHEMA}.consumer_positions`);
    await drive({ pipeline, inputs: marked(14), stage: insertStage() });
    expect(await ground.applied()).toEqual(upTo(14));
    await pipeline.close();
  });

  it('outputs carry type, mark and trace of their input, in the order of the inputs', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage = insertStage();
    const one = { topic: 'incident.events', key: 'same', type: 'test.v2', value: Buffer.from('{}') } as const;
    const backwards: typeof stage = {
      ...stage,
      apply: async (tx, inputs, loaded) => ({
        verdicts: (await stage.apply(tx, inputs, loaded)).verdicts,
        outputs: [
          { ...one, by: { input: 2n } },
          { ...one, by: { stream: 'inc_1', version: 7n } },
          { ...one, by: { input: 0n }, headers: { traceparent: 'own' } },
          { ...one, by: { input: 2n } },
          { ...one, by: { stream: 'inc_1', version: 7n, input: 1n } },
        ],
      }),
    };
    await oneBatch(pipeline, inputsOf(3), backwards);
    await pipeline.flush();
    const origin = `${LOG_ID}/alert.correlated/0`;
    expect((await recordsOn(log, 'incident.events')).map(({ headers }) => headers)).toEqual([
      { type: 'test.v2', traceparent: 'own', mark: `${origin};0;0` },
      { type: 'test.v2', mark: 'inc_1;7;0' },
      { type: 'test.v2', traceparent: '00-trace-2', mark: `${origin};2;0` },
      { type: 'test.v2', traceparent: '00-trace-2', mark: `${origin};2;1` },
      { type: 'test.v2', traceparent: '00-trace-1', mark: 'inc_1;7;1' },
    ]);
    await pipeline.close();
  });
});

describe('assigned', () => {
  const at = (next: number, logId = LOG_ID) =>
    setPosition(ground.pool, SCHEMA, { ...source(), logId, next: BigInt(next) });
  const assigned = async (first: number, end: number): Promise<unknown> => {
    const pipeline = pipelineOf(ground, log);
    const answer = await pipeline.assigned(source(), { logId: LOG_ID, first: BigInt(first), end: BigInt(end) });
    await pipeline.close();
    return answer;
  };

  it('begins at the earliest record without a position', async () =>
    expect(await assigned(3, 10)).toEqual({ seek: 3n }));
  it('seeks to the position', async () => {
    await at(7);
    expect(await assigned(3, 10)).toEqual({ seek: 7n });
  });
  it('is content at the very end and at the very beginning', async () => {
    await at(10);
    expect(await assigned(3, 10)).toEqual({ seek: 10n });
    await at(3);
    expect(await assigned(3, 10)).toEqual({ seek: 3n });
  });
  it('halts on a gap', async () => {
    await at(2);
    expect(await assigned(3, 10)).toMatchObject({ halt: 'gap' });
  });
  it('halts when the log is behind the position', async () => {
    await at(11);
    expect(await assigned(3, 10)).toMatchObject({ halt: 'log-behind' });
  });
  it('halts when it is another log', async () => {
    await at(7, 'log-0');
    expect(await assigned(3, 10)).toMatchObject({ halt: 'log-behind' });
  });
  it('an operator sees and moves positions, also under a running owner', async () => {
    const pipeline = pipelineOf(ground, log);
    await oneBatch(pipeline, inputsOf(5), insertStage());
    expect(await showPositions(ground.pool, SCHEMA)).toEqual([{ ...source(), logId: LOG_ID, next: 5n }]);
    await at(8);
    expect(await oneBatch(pipeline, inputsOf(5, 5), insertStage())).toEqual({ kind: 'overtaken', next: 8n });
    expect(await oneBatch(pipeline, inputsOf(2, 8), insertStage())).toEqual({ kind: 'committed', next: 10n });
    expect(await ground.applied()).toEqual([0, 1, 2, 3, 4, 8, 9]);
    await pipeline.close();
  });
});

describe('cost', () => {
  it('an empty stage with 500 records takes at most 5 round trips', async () => {
    const { pool, statements } = counting(ground.pool);
    const pipeline = pipelineOf({ pool }, log);
    const empty = {
      ...insertStage(),
      apply: (_: unknown, inputs: Input[]) =>
        Promise.resolve({ verdicts: inputs.map(() => ({ kind: 'handled' as const })), outputs: [] }),
    };
    await oneBatch(pipeline, marked(500), empty);
    statements.length = 0;
    const next = marked(1000).slice(500);
    expect(next[0]!.mark && markOf(next[0]!.mark)).toBe('stream-1;500;0');
    expect(await oneBatch(pipeline, next, empty)).toEqual({ kind: 'committed', next: 1000n });
    expect(statements.length, statements.join('\n')).toBeLessThanOrEqual(5);
    await pipeline.close();
  });
});
