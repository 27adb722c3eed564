import type { EventLog } from '@tocsin/event-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RetryBatchError, type Stage } from '../index.ts';
import { Ground, inputsOf, numberOf, oneBatch, openLog, outputOf, pipelineOf, recordsOn, SCHEMA } from './kit.ts';

let ground: Ground;
let log: EventLog;

beforeAll(async () => (ground = await Ground.open()));
afterAll(() => ground.close());
beforeEach(async () => (log = await openLog()));
afterEach(async () => {
  await log.close();
  await ground.clear();
});

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
    expect(await recordsOn(log, 'incident.events')).toHaveLength(5);
    await pipeline.close();
  });

  it('name the record that the database refuses: it becomes a dead letter, its neighbours are applied', async () => {
    const pipeline = pipelineOf(ground, log);
    const stage = sendingStage((n) => (n === 3 ? 'text' : undefined));
    expect(await oneBatch(pipeline, inputsOf(5), stage)).toMatchObject({ kind: 'committed' });
    expect(await ground.applied()).toEqual([0, 1, 2, 4]);
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
    expect(await recordsOn(log, 'incident.events')).toHaveLength(5);
    await pipeline.close();
  });
});
