import type { EventLog } from '@tocsin/event-log';
import { describe, expect, it } from 'vitest';
import { parseMark, RetryBatchError, type Input, type Output, type Stage } from '../index.ts';
import { ground, log, useFreshGround } from './fresh-ground.ts';
import {
  inputsOf,
  insertStage,
  LOG_ID,
  numberOf,
  oneBatch,
  outputOf,
  pipelineOf,
  recordsOn,
  SCHEMA,
  source,
} from './kit.ts';

useFreshGround();

/** A stage that does not wait for what it writes. `fault`: what is wrong with the input of this number, if anything. */
const sendingStage = (fault: (n: number) => 'text' | 'answer' | undefined = () => undefined): Stage<null> => ({
  load: () => Promise.resolve(null),
  apply: (tx, inputs) => {
    const text = (n: number) => (fault(n) === 'text' ? 'broken \u0000' : `n ${n}`);
    const rows = inputs.map((input) =>
      tx.query(`insert into ${SCHEMA}.applied values (0, $1, $2, $3)`, [
        numberOf(input),
        input.key,
        text(numberOf(input)),
      ]),
    );
    const writes = Promise.all(rows).then(() => {
      if (inputs.some((input) => fault(numberOf(input)) === 'answer'))
        throw new RetryBatchError('database-conflict', 0, 'somebody else came between');
    });
    const verdicts = inputs.map(() => ({ kind: 'handled' as const }));
    return Promise.resolve({ verdicts, outputs: inputs.map(outputOf), writes });
  },
  forget: () => undefined,
});

describe('statements that a stage has sent and does not wait for', () => {
  it('are committed with its outputs', async () => {
    const pipeline = pipelineOf(ground, log);
    expect(await oneBatch(pipeline, inputsOf(5), sendingStage())).toMatchObject({ kind: 'committed' });
    expect(await ground.applied()).toEqual([0, 1, 2, 3, 4]);
    await pipeline.flush();
    expect(await recordsOn(log, 'incident.events')).toHaveLength(5);
    await pipeline.close();
  });

  it('name the record that the database refuses: it becomes a dead letter, its neighbours are applied', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage = sendingStage((n) => (n === 3 ? 'text' : undefined));
    expect(await oneBatch(pipeline, inputsOf(5), stage)).toMatchObject({ kind: 'committed' });
    expect(await ground.applied()).toEqual([0, 1, 2, 4]);
    await pipeline.flush();
    expect(await recordsOn(log, 'incident.events')).toHaveLength(4);
    expect(await recordsOn(log, 'dead-letters')).toHaveLength(1);
    await pipeline.close();
  });

  it('leave nothing behind where their answer is refused, and are sent again', async () => {
    const pipeline = pipelineOf(ground, log);
    let refused = true;
    const stage = sendingStage((n) => (n === 3 && refused ? 'answer' : undefined));
    expect(await oneBatch(pipeline, inputsOf(5), stage)).toMatchObject({ kind: 'retry', reason: 'database-conflict' });
    expect(await ground.applied()).toEqual([]);
    expect(await ground.rows(`select from ${SCHEMA}.outbox`)).toHaveLength(0);
    refused = false;
    expect(await oneBatch(pipeline, inputsOf(5), stage)).toMatchObject({ kind: 'committed' });
    expect(await ground.applied()).toEqual([0, 1, 2, 3, 4]);
    await pipeline.flush();
    expect(await recordsOn(log, 'incident.events')).toHaveLength(5);
    await pipeline.close();
  });
});

describe('outputs that come in lots', () => {
  /** Says two outputs per input, in lots of three outputs, so that those of one input fall into two lots. */
  const lotStage = (from: (inputs: Input[]) => Input[] = (inputs) => inputs): Stage<undefined> => {
    const stage = insertStage();
    return {
      ...stage,
      apply: async (tx, inputs, loaded) => {
        const { verdicts } = await stage.apply(tx, inputs, loaded);
        const said = from(inputs).flatMap((input) => [outputOf(input), outputOf(input)]);
        return { verdicts, outputs: [], lots: lotsOf(said) };
      },
    };
  };
  function* lotsOf(outputs: Output[]): Generator<Output[]> {
    for (let at = 0; at < outputs.length; at += 3) yield outputs.slice(at, at + 3);
  }
  const saidOf = async (topic: 'incident.events' | 'dead-letters') =>
    (await recordsOn(log, topic)).map(({ headers }) => parseMark(headers['mark']));

  it('are published once each, in the order of their inputs', async () => {
    const pipeline = pipelineOf(ground, log);
    const inputs = inputsOf(7).map((input) => ({ ...input, key: 'same' }));
    expect(await oneBatch(pipeline, inputs, lotStage())).toMatchObject({ kind: 'committed' });
    await pipeline.flush();
    expect((await saidOf('incident.events')).map((mark) => [mark?.offset, mark?.ordinal])).toEqual(
      inputs.flatMap(({ offset }) => [
        [offset, 0],
        [offset, 1],
      ]),
    );
    await pipeline.close();
  });

  it('are said among dead letters in the order of their inputs', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage = lotStage((inputs) => inputs.filter((input) => numberOf(input) !== 2));
    const dead: Stage<undefined> = {
      ...stage,
      apply: async (tx, inputs, loaded) => ({
        ...(await stage.apply(tx, inputs, loaded)),
        verdicts: inputs.map((input) =>
          numberOf(input) === 2
            ? { kind: 'dead-letter', reason: 'schema-mismatch', detail: 'not this one' }
            : { kind: 'handled' },
        ),
      }),
    };
    expect(await oneBatch(pipeline, inputsOf(5), dead)).toMatchObject({ kind: 'committed' });
    await pipeline.flush();
    expect((await saidOf('dead-letters')).map((mark) => mark?.offset)).toEqual([2n]);
    const offsets = (await saidOf('incident.events')).map((mark) => Number(mark?.offset));
    expect(offsets.toSorted()).toEqual([0, 0, 1, 1, 3, 3, 4, 4]);
    await pipeline.close();
  });

  it('that are not in the order of their inputs stop nothing from being taken back', async () => {
    const pipeline = pipelineOf(ground, log);
    const result = await oneBatch(
      pipeline,
      inputsOf(6),
      lotStage((inputs) => inputs.toReversed()),
    );
    expect(result.kind).not.toBe('committed');
    expect(await ground.applied()).toEqual([]);
    expect(await ground.rows(`select from ${SCHEMA}.outbox`)).toHaveLength(0);
    await pipeline.close();
  });
});

describe('a log that is slow', () => {
  it('holds the batch after the next one back, and gets everything in order', async () => {
    const gate = Promise.withResolvers<void>();
    const slow: EventLog = new Proxy(log, {
      get: (target, name) => {
        if (name === 'append')
          return (records: Parameters<EventLog['append']>[0]) => gate.promise.then(() => target.append(records));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    const pipeline = pipelineOf(ground, slow);
    const inputs = inputsOf(6).map((input) => ({ ...input, key: 'same' }));
    await pipeline.assigned(source(), { logId: LOG_ID, first: 0n, end: 6n });
    await pipeline.flush();
    for (const at of [0, 2])
      expect(await oneBatch(pipeline, inputs.slice(at, at + 2), insertStage())).toMatchObject({ kind: 'committed' });
    expect(await oneBatch(pipeline, inputs.slice(4), insertStage())).toMatchObject({ reason: 'outbox-blocked' });
    gate.resolve();
    await pipeline.flush();
    expect(await oneBatch(pipeline, inputs.slice(4), insertStage())).toMatchObject({ kind: 'committed' });
    await pipeline.flush();
    const offsets = (await recordsOn(log, 'incident.events')).map(({ headers }) => parseMark(headers['mark'])?.offset);
    expect(offsets).toEqual([0n, 1n, 2n, 3n, 4n, 5n]);
    await pipeline.close();
  });
});
