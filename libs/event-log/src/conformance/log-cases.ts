import assert from 'node:assert/strict';
import { EventLogError, PartitionMismatch } from '../errors.ts';
import { type ConformanceCase, record, Recorder, suiteTopics, records, until } from './recorder.ts';

const topic = 'webhook.received';
const group = 'conformance';
const mode = 'group';

/** What is appended, and what is refused. */
export const logCases: ConformanceCase[] = [
  {
    name: 'has every record when append resolves',
    run: async ({ log, another }) => {
      await log.append(records(50, 2));
      const { partitions } = await (await another()).offsets(topic);
      assert.equal(
        partitions.reduce((sum, { first, end }) => sum + end - first, 0n),
        100n,
      );
    },
  },
  {
    name: 'still has everything when it is opened again, and is the same log',
    durable: true,
    run: async (target) => {
      await target.log.append(records(50, 2));
      const before = await target.log.offsets(topic);
      const log = await target.reopen!();
      assert.deepEqual(await log.offsets(topic), before);
      const recorder = new Recorder();
      await log.consume({ topic, group, mode }, recorder.handler);
      await until('all records', () => recorder.seen.size === 100);
    },
  },
  {
    name: 'refuses a topic with another number of partitions',
    run: async ({ log }) => {
      const table = { [topic]: { ...suiteTopics[topic]!, partitions: 3 } };
      await assert.rejects(log.ensureTopics(table), PartitionMismatch);
    },
  },
  {
    name: 'refuses an unknown topic and a record that is too large, and takes the next one',
    run: async ({ log }) => {
      const codeOf = (code: string) => (error: unknown) => error instanceof EventLogError && error.code === code;
      await assert.rejects(log.append([{ ...record('a', '1'), topic: 'dead-letters' }]), codeOf('unknown-topic'));
      await assert.rejects(
        log.append([{ ...record('a', ''), value: Buffer.alloc(5 * 1024 * 1024) }]),
        codeOf('record-too-large'),
      );
      await log.append([{ ...record('a', ''), value: Buffer.alloc(3 * 1024 * 1024, 'x') }, record('a', 'after')]);
      const recorder = new Recorder();
      await log.consume({ topic, group, mode }, recorder.handler);
      await until('both records', () => recorder.records.length >= 2);
      assert.equal(recorder.records[0]!.value.length, 3 * 1024 * 1024);
    },
  },
];
