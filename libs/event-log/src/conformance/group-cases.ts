import assert from 'node:assert/strict';
import { committed, type ConformanceCase, gate, PARTITIONS, record, Recorder, records, until } from './recorder.ts';

const topic = 'webhook.received';
const group = 'conformance';
const mode = 'group';
/** Longer than the session timeout of the suite's Kafka clients. */
const SLOW_MS = 2_500;
const HOLD_MS = 1_500;

/** Several consumers. */
export const groupCases: ConformanceCase[] = [
  {
    name: 'shares the partitions between two members, and gives all to the one that stays',
    run: async ({ log, another }) => {
      const [a, b] = [new Recorder(), new Recorder()];
      const first = await log.consume({ topic, group, mode }, a.handler);
      const second = await (await another()).consume({ topic, group, mode }, b.handler);
      await until('two partitions each', () =>
        [first, second].every((one) => one.status().ready && one.status().partitions.length === PARTITIONS / 2),
      );
      await log.append(records(40, 1));
      await until('all records', () => new Set([...a.seen, ...b.seen]).size === 40);
      const twice = [...a.seen].filter((value) => b.seen.has(value));
      assert.deepEqual(twice, []);
      await first.close();
      await until('all partitions', () => second.status().ready && second.status().partitions.length === PARTITIONS);
      await log.append(records(40, 1).map((one) => ({ ...one, value: Buffer.from(`later ${one.value.toString()}`) })));
      await until('all later records', () => [...b.seen].filter((value) => value.startsWith('later')).length === 40);
    },
  },
  {
    name: 'waits for the batch in hand before its partition gets a new owner',
    run: async ({ log, another }) => {
      const hand = gate();
      const a = new Recorder(async (batch) => {
        await hand.opened;
        return committed(batch);
      });
      const b = new Recorder();
      await log.consume({ topic, group, mode }, a.handler);
      await log.append(records(16, 1));
      await until(
        'batches in hand',
        () => new Set(a.batches.map(({ source }) => source.partition)).size === PARTITIONS,
      );
      const other = await another();
      const joined = other.consume({ topic, group, mode }, b.handler);
      // Longer than a member takes to hear of another one: a driver that does not wait has handed over by then.
      setTimeout(hand.open, HOLD_MS);
      const second = await joined;
      await until('the second member', () => second.status().ready && second.status().partitions.length > 0);
      await log.append(records(16, 1).map((one) => ({ ...one, value: Buffer.from(`later ${one.value.toString()}`) })));
      await until('later records', () => new Set([...a.seen, ...b.seen]).size === 32);
      assert.deepEqual(
        [...b.seen].filter((value) => !value.startsWith('later')),
        [],
        'records of a finished batch were delivered again',
      );
    },
  },
  {
    name: 'keeps the membership of a slow handler: nobody else gets its records',
    run: async ({ log, another }) => {
      const a = new Recorder(async (batch) => {
        for (let waited = 0; waited < SLOW_MS; waited += 500) {
          await new Promise((resolve) => setTimeout(resolve, 500));
          await batch.heartbeat();
        }
        return committed(batch);
      });
      const b = new Recorder();
      const first = await log.consume({ topic, group, mode, maxRecords: 10 }, a.handler);
      const second = await (await another()).consume({ topic, group, mode }, b.handler);
      await until('two members', () =>
        [first, second].every((one) => one.status().ready && one.status().partitions.length === PARTITIONS / 2),
      );
      await log.append(records(16, 1));
      await until('all records', () => new Set([...a.seen, ...b.seen]).size === 16);
      await until('no lag', async () => (await log.lag(group, [topic])).every(({ lag }) => lag === 0n));
      assert.equal(a.values.length + b.values.length, 16, 'a record was delivered twice');
    },
  },
  {
    name: 'broadcasts to every instance what comes after its start, without trying again',
    run: async ({ log, another }) => {
      const to = { topic: 'webhook.replies', group, mode: 'broadcast-from-end' } as const;
      const reply = (value: string): ReturnType<typeof record> => ({ ...record('r', value), topic: 'webhook.replies' });
      await log.append([reply('before')]);
      const a = new Recorder((batch, nth) =>
        nth === 1 ? { kind: 'retry', afterMs: 10, reason: 'handler-failed' } : committed(batch),
      );
      const b = new Recorder();
      await log.consume(to, a.handler);
      await (await another()).consume(to, b.handler);
      await log.append([reply('1')]);
      await until('the first reply', () => a.seen.has('1') && b.seen.has('1'));
      await log.append([reply('2')]);
      await until('the second reply', () => a.seen.has('2') && b.seen.has('2'));
      assert.deepEqual(
        [a.values, b.values],
        [
          ['1', '2'],
          ['1', '2'],
        ],
      );
    },
  },
];
