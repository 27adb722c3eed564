import assert from 'node:assert/strict';
import type { PartitionState } from '../port.ts';
import { type ConformanceCase, PARTITIONS, record, Recorder, records, until } from './recorder.ts';

const topic = 'webhook.received';
const group = 'conformance';
const mode = 'group';

/** Where reading begins, and what the log says of itself. */
export const positionCases: ConformanceCase[] = [
  {
    name: 'asks for the position until there is an answer, and delivers nothing before',
    run: async ({ log }) => {
      await log.append(records(8, 1));
      const recorder = new Recorder();
      let asked = 0;
      const early: number[] = [];
      await log.consume(
        {
          topic,
          group,
          mode,
          onAssigned: () => {
            early.push(recorder.batches.length);
            if (++asked <= PARTITIONS) throw new Error('the database is away');
            return Promise.resolve('group-offset');
          },
        },
        recorder.handler,
      );
      await until('all records', () => recorder.seen.size === 8);
      assert.ok(asked >= 2 * PARTITIONS, `asked ${asked} times`);
      assert.deepEqual(early.slice(0, PARTITIONS), Array(PARTITIONS).fill(0));
    },
  },
  {
    name: 'starts at the stored position',
    run: async ({ log }) => {
      await log.append(Array.from({ length: 10 }, (_, i) => record('one-key', String(i))));
      const recorder = new Recorder();
      const onAssigned = (_: unknown, state: PartitionState): Promise<{ seek: bigint }> =>
        Promise.resolve({ seek: state.end > 7n ? 7n : state.first });
      await log.consume({ topic, group, mode, onAssigned }, recorder.handler);
      await until('the last record', () => recorder.seen.has('9'));
      assert.deepEqual(recorder.values, ['7', '8', '9']);
    },
  },
  {
    name: 'tells its id, first and end, so that a gap can be seen',
    run: async ({ log }) => {
      await log.append(Array.from({ length: 10 }, (_, i) => record('one-key', String(i))));
      const states: PartitionState[] = [];
      const onAssigned = (_: unknown, state: PartitionState): Promise<'group-offset'> => {
        states.push(state);
        return Promise.resolve('group-offset');
      };
      const recorder = new Recorder();
      await log.consume({ topic, group, mode, onAssigned }, recorder.handler);
      await until('all records', () => recorder.records.length >= 10);
      const { logId, partitions } = await log.offsets(topic);
      assert.ok(logId.length > 0);
      assert.ok(states.every((state) => state.logId === logId));
      assert.ok(recorder.batches.every((batch) => batch.logId === logId));
      assert.deepEqual(states.map(({ end }) => end).sort(), [0n, 0n, 0n, 10n]);
      assert.equal(
        partitions.reduce((sum, { first, end }) => sum + end - first, 0n),
        10n,
      );
    },
  },
  {
    name: 'halts where the position asks for it',
    run: async ({ log }) => {
      await log.append(records(16, 1));
      const recorder = new Recorder();
      const consumer = await log.consume(
        { topic, group, mode, onAssigned: () => Promise.resolve({ halt: 'gap', detail: 'records are missing' }) },
        recorder.handler,
      );
      await until('all partitions halted', () => consumer.status().halted.length === PARTITIONS);
      assert.equal(recorder.records.length, 0);
      assert.deepEqual(
        new Set(consumer.status().halted.map(({ reason, detail }) => `${reason}: ${detail}`)),
        new Set(['gap: records are missing']),
      );
    },
  },
  {
    name: 'halts on a position that the log has not reached, instead of starting anywhere',
    run: async ({ log }) => {
      await log.append(records(16, 1));
      const recorder = new Recorder();
      const onAssigned = (_: unknown, { end }: PartitionState): Promise<{ seek: bigint }> =>
        Promise.resolve({ seek: end + 5n });
      const consumer = await log.consume({ topic, group, mode, onAssigned }, recorder.handler);
      await until('all partitions halted', () => consumer.status().halted.length === PARTITIONS);
      assert.equal(recorder.records.length, 0);
      assert.ok(consumer.status().halted.every(({ reason }) => reason === 'log-behind'));
    },
  },
  {
    name: 'counts the records that a group has not done',
    run: async ({ log }) => {
      await log.append(records(10, 3));
      const lag = async (): Promise<bigint> => (await log.lag(group, [topic])).reduce((sum, one) => sum + one.lag, 0n);
      assert.equal(await lag(), 30n);
      const recorder = new Recorder();
      const consumer = await log.consume({ topic, group, mode }, recorder.handler);
      await until('all records', () => recorder.records.length >= 30);
      await until('no lag', async () => (await lag()) === 0n);
      await consumer.close();
      await log.append(records(10, 1));
      assert.equal(await lag(), 10n);
    },
  },
  {
    name: 'counts from the stored position, also while nothing new comes',
    run: async ({ log }) => {
      await log.append(records(10, 3));
      const recorder = new Recorder();
      const onAssigned = (_: unknown, { end }: PartitionState): Promise<{ seek: bigint }> =>
        Promise.resolve({ seek: end });
      await log.consume({ topic, group, mode, onAssigned }, recorder.handler);
      await until('no lag', async () => (await log.lag(group, [topic])).every(({ lag }) => lag === 0n));
      assert.equal(recorder.records.length, 0);
    },
  },
  {
    name: 'goes on where the group was when it comes back',
    run: async ({ log, another }) => {
      const first = new Recorder();
      const consumer = await log.consume({ topic, group, mode }, first.handler);
      await log.append(records(8, 2));
      await until('all records', () => first.records.length >= 16);
      await consumer.close();
      const next = new Recorder();
      await log.append([record('later', 'later')]);
      await (await another()).consume({ topic, group, mode }, next.handler);
      await until('the later record', () => next.seen.has('later'));
      assert.deepEqual(next.values, ['later']);
    },
  },
];
