import { decodeFacts } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { createPools, RetryBatchError, type Input, type Stage } from '../index.ts';
import { proxyTo } from './faults.ts';
import { ground, log, upTo, useFreshGround } from './fresh-ground.ts';
import {
  anInput,
  drive,
  inputsOf,
  insertStage,
  numberOf,
  oneBatch,
  outputOf,
  pipelineOf,
  recordsOn,
  SCHEMA,
} from './kit.ts';

useFreshGround();

const deadLetters = async (): Promise<{ offset: string; reason: string; parts?: number[] }[]> =>
  (await recordsOn(log, 'dead-letters'))
    .map(({ headers }) => decodeFacts('dead.letter.v1', headers['facts']!))
    .map(({ offset, reason, parts }) => ({ offset, reason, ...(parts ? { parts } : {}) }));

describe('one bad record among 500', () => {
  const bad = {
    data: (input: Input) => (numberOf(input) === 321 ? 'nul \0 byte' : 'ok'),
    decision: (input: Input) => (numberOf(input) === 321 ? raise(new TypeError('cannot read x of undefined')) : 'ok'),
  };
  const raise = (error: Error): never => {
    throw error;
  };

  it.each([
    ['data-rejected-by-database', bad.data],
    ['decision-failed', bad.decision],
  ] as const)('%s: 499 are applied, one is a dead letter of the same transaction', async (reason, text) => {
    const pipeline = pipelineOf(ground, log);
    let loads = 0;
    const stage: Stage<undefined> = { ...insertStage(0, text), load: () => Promise.resolve(void loads++) };
    const inputs = inputsOf(500);
    expect(await oneBatch(pipeline, inputs, stage)).toEqual({ kind: 'committed', next: 500n });
    expect(await ground.applied()).toEqual(upTo(500).filter((n) => n !== 321));
    await pipeline.flush();
    expect(await deadLetters()).toEqual([{ offset: '321', reason }]);
    const [letter] = await recordsOn(log, 'dead-letters');
    expect(letter).toMatchObject({
      key: inputs[321]!.key,
      headers: { traceparent: '00-trace-321', type: 'dead.letter.v1' },
    });
    expect(letter!.value).toEqual(inputs[321]!.value);
    expect(loads).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(500)) + 2);
    await pipeline.close();
  });

  it('a record that cannot be decoded in load is isolated, too', async () => {
    const pipeline = pipelineOf(ground, log);
    const inner = insertStage();
    const stage: Stage<number[]> = {
      ...inner,
      load: (inputs) => Promise.resolve().then(() => inputs.map(numberOf)),
      apply: (tx, inputs) => inner.apply(tx, inputs, undefined),
    };
    const inputs = inputsOf(50).map((input, n) => (n === 7 ? { ...input, value: Buffer.from('{"n":') } : input));
    expect(await oneBatch(pipeline, inputs, stage)).toEqual({ kind: 'committed', next: 50n });
    expect(await ground.applied()).toEqual(upTo(50).filter((n) => n !== 7));
    await pipeline.flush();
    expect(await deadLetters()).toEqual([{ offset: '7', reason: 'undecodable-record' }]);
    await pipeline.close();
  });

  it('of a packed record only the broken alert is named, its siblings are applied', async () => {
    const pipeline = pipelineOf(ground, log);
    const alertsOf = (input: Input): string[] => JSON.parse(input.value.toString()) as string[];
    const single = insertStage();
    const stage: Stage<undefined> = {
      ...single,
      apply: async (tx, inputs) => {
        const rows = inputs.flatMap((input) =>
          alertsOf(input).map((text, index) => ({
            n: Number(input.offset) * 100 + Number(text.slice(0, 2)),
            key: `${index}`,
            text,
          })),
        );
        await tx.query(
          `insert into ${SCHEMA}.applied (partition, n, key, text) select 0, * from unnest($1::bigint[], $2::text[], $3::text[])`,
          [rows.map(({ n }) => n), rows.map(({ key }) => key), rows.map(({ text }) => text)],
        );
        return { verdicts: inputs.map(() => ({ kind: 'handled' as const })), outputs: inputs.map(outputOf) };
      },
      parts: {
        count: (input) => alertsOf(input).length,
        keep: (input, indexes) => ({
          ...input,
          value: Buffer.from(JSON.stringify(alertsOf(input).filter((_, index) => indexes.includes(index)))),
        }),
      },
    };
    const packed = (offset: number, broken: number[]): Input =>
      anInput(offset, {
        value: Buffer.from(
          JSON.stringify(
            upTo(20).map((index) => `${String(index).padStart(2, '0')}${broken.includes(index) ? '\0' : ''}`),
          ),
        ),
      });
    expect(await oneBatch(pipeline, [packed(0, []), packed(1, [3, 17]), packed(2, [])], stage)).toEqual({
      kind: 'committed',
      next: 3n,
    });
    expect(await ground.applied()).toEqual(
      upTo(60)
        .map((n) => Math.floor(n / 20) * 100 + (n % 20))
        .filter((n) => n !== 103 && n !== 117),
    );
    await pipeline.flush();
    expect(await deadLetters()).toEqual([{ offset: '1', reason: 'data-rejected-by-database', parts: [3, 17] }]);
    await pipeline.close();
  });

  it('a failure that needs two records of one batch kills neither while they can be told apart', async () => {
    const pipeline = pipelineOf(ground, log);
    const together: Stage<undefined> = {
      ...insertStage(),
      load: (inputs) =>
        inputs.length > 1 &&
        inputs.some((input) => numberOf(input) === 5) &&
        inputs.some((input) => numberOf(input) === 9)
          ? Promise.reject(new TypeError('both'))
          : Promise.resolve(undefined),
    };
    await drive({ pipeline, inputs: inputsOf(16), stage: together, size: () => 16 });
    expect(await ground.applied()).toEqual(upTo(16));
    expect(await deadLetters()).toEqual([]);
    await pipeline.close();
  });
});

describe('what is not the fault of a record', () => {
  it('a unique violation is tried again, never a dead letter', async () => {
    const pipeline = pipelineOf(ground, log);
    await ground.pool.query(`insert into ${SCHEMA}.applied values (0, 4, 'other', 'writer')`);
    expect(await oneBatch(pipeline, inputsOf(10), insertStage())).toMatchObject({
      kind: 'retry',
      reason: 'database-conflict',
    });
    await ground.pool.query(`delete from ${SCHEMA}.applied`);
    expect(await oneBatch(pipeline, inputsOf(10), insertStage())).toEqual({ kind: 'committed', next: 10n });
    expect(await deadLetters()).toEqual([]);
    await pipeline.close();
  });

  it('an outage of the database is waited for', async () => {
    const proxy = await proxyTo(ground.url);
    const pools = createPools({ connectionString: proxy.url, applicationName: 'outage', max: 4 });
    const pipeline = pipelineOf({ pool: pools.pipeline }, log);
    let batches = 0;
    let healed: Promise<void> | undefined;
    const results = await drive({
      pipeline,
      inputs: inputsOf(12),
      stage: insertStage(),
      before: async () => {
        if (++batches === 3) await proxy.cut();
        if (batches === 12) healed = proxy.open();
      },
    });
    await healed;
    expect(results.filter(({ kind }) => kind === 'retry').length).toBeGreaterThanOrEqual(8);
    expect(
      results.every(
        (result) =>
          result.kind !== 'retry' || result.reason === 'database-unavailable' || result.reason === 'outbox-blocked',
      ),
    ).toBe(true);
    expect(await ground.applied()).toEqual(upTo(12));
    await pipeline.flush();
    expect(await deadLetters()).toEqual([]);
    await pipeline.close();
    await pools.close();
    await proxy.close();
  });

  it('a stage that waits for its configuration is asked again when it says', async () => {
    const pipeline = pipelineOf(ground, log);
    const behind: Stage<undefined> = {
      ...insertStage(),
      load: () => Promise.reject(new RetryBatchError('configuration-behind', 123, 'revision 7 is not here yet')),
    };
    expect(await oneBatch(pipeline, inputsOf(3), behind)).toEqual({
      kind: 'retry',
      reason: 'configuration-behind',
      afterMs: 123,
    });
    await pipeline.close();
  });

  it('a missing table is tried again', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage: Stage<undefined> = {
      ...insertStage(),
      apply: async (tx) => (await tx.query('select from nowhere'), { verdicts: [], outputs: [] }),
    };
    expect(await oneBatch(pipeline, inputsOf(3), stage)).toMatchObject({ kind: 'retry', reason: 'handler-failed' });
    await pipeline.close();
  });

  it('verdicts that do not fit the inputs stop the partition', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage: Stage<undefined> = { ...insertStage(), apply: () => Promise.resolve({ verdicts: [], outputs: [] }) };
    expect(await oneBatch(pipeline, inputsOf(3), stage)).toMatchObject({ kind: 'halt', reason: 'handler-contract' });
    await pipeline.close();
  });
});

describe('the poison rate', () => {
  it('all bad: halts and changes nothing', async () => {
    const pipeline = pipelineOf(ground, log);
    expect(
      await oneBatch(
        pipeline,
        inputsOf(500),
        insertStage(0, () => '\0'),
      ),
    ).toMatchObject({ kind: 'halt', reason: 'poison-rate' });
    expect(await ground.applied()).toEqual([]);
    expect(await ground.rows(`select from ${SCHEMA}.consumer_positions`)).toEqual([]);
    expect(await deadLetters()).toEqual([]);
    await pipeline.close();
  });

  it('allows 20 a minute on one partition, declared ones included, and forgets them after it', async () => {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const pipeline = pipelineOf(ground, log, { now: () => new Date(now) });
    const declare: Stage<undefined> = {
      ...insertStage(),
      apply: (_, inputs) =>
        Promise.resolve({
          verdicts: inputs.map(() => ({
            kind: 'dead-letter' as const,
            reason: 'schema-mismatch' as const,
            detail: 'no title',
          })),
          outputs: [],
        }),
    };
    expect(await oneBatch(pipeline, inputsOf(20), declare)).toMatchObject({ kind: 'committed' });
    expect(await oneBatch(pipeline, inputsOf(1, 20), declare)).toMatchObject({ kind: 'halt', reason: 'poison-rate' });
    now += 61_000;
    expect(await oneBatch(pipeline, inputsOf(1, 20), declare)).toMatchObject({ kind: 'committed' });
    await pipeline.flush();
    expect(await deadLetters()).toHaveLength(21);
    await pipeline.close();
  });
});
