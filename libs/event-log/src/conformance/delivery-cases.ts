import assert from 'node:assert/strict';
import { committed, type ConformanceCase, endOf, gate, record, Recorder, records, until } from './recorder.ts';

const topic = 'webhook.received';
const group = 'conformance';
const mode = 'group';

/** What an outcome means for the records in hand. */
export const deliveryCases: ConformanceCase[] = [
  {
    name: 'delivers every record once and in the order of its key',
    run: async ({ log }) => {
      const recorder = new Recorder();
      await log.consume({ topic, group, mode }, recorder.handler);
      for (let round = 0; round < 5; round++)
        await Promise.all(
          records(20, 10).map((one) =>
            log.append([{ ...one, value: Buffer.from(`${round}.${one.value.toString()}`) }]),
          ),
        );
      await until('1,000 records', () => recorder.records.length >= 1_000);
      const last = new Map<string, number>();
      for (const { key, value } of recorder.records) {
        const [round, , nth] = value.toString().split(/[.:]/).map(Number) as [number, number, number];
        const position = round * 10 + nth;
        assert.equal(position, (last.get(key) ?? -1) + 1, `${key} out of order`);
        last.set(key, position);
      }
    },
  },
  {
    name: 'delivers key, value, headers and a time as they were appended',
    run: async ({ log }) => {
      const recorder = new Recorder();
      const before = Date.now();
      const value = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
      await log.append([{ ...record('schlüssel', ''), value, headers: { type: 'a.v1', facts: '{"ü":1}' } }]);
      await log.consume({ topic, group, mode }, recorder.handler);
      await until('the record', () => recorder.records.length > 0);
      const [found] = recorder.records;
      assert.deepEqual(
        { key: found!.key, headers: found!.headers },
        { key: 'schlüssel', headers: { type: 'a.v1', facts: '{"ü":1}' } },
      );
      assert.ok(found!.value.equals(value));
      assert.ok(found!.timestamp >= before - 1_000 && found!.timestamp <= Date.now() + 1_000);
    },
  },
  {
    name: 'hands the same records again while a dependency is away, and none after them',
    run: async ({ log }) => {
      const recorder = new Recorder((batch, nth) =>
        nth <= 3 ? { kind: 'retry', afterMs: 10, reason: 'database-unavailable' } : committed(batch),
      );
      await log.append([record('a', '1')]);
      await log.consume({ topic, group, mode }, recorder.handler);
      await until('the first attempt', () => recorder.batches.length > 0);
      await log.append([record('a', '2')]);
      await until('the second record', () => recorder.seen.has('2'));
      assert.deepEqual(recorder.values.slice(0, 4), ['1', '1', '1', '1']);
    },
  },
  {
    name: 'hands the records again when the handler throws',
    run: async ({ log }) => {
      const recorder = new Recorder((batch, nth) => {
        if (nth === 1) throw new Error('a defect');
        return committed(batch);
      });
      await log.append([record('a', '1')]);
      await log.consume({ topic, group, mode }, recorder.handler);
      await until('the second attempt', () => recorder.batches.length >= 2);
      assert.deepEqual(recorder.values.slice(0, 2), ['1', '1']);
    },
  },
  {
    name: 'goes on inside a batch: one bad record among 500 is settled alone',
    run: async ({ log }) => {
      const bad = '250';
      const recorder = new Recorder((batch) => {
        const at = batch.records.findIndex(({ value }) => value.toString() === bad);
        return at > 0 ? { kind: 'committed', next: batch.records[at]!.offset } : committed(batch);
      });
      await log.append(Array.from({ length: 500 }, (_, i) => record('one-key', String(i))));
      await log.consume({ topic, group, mode, maxRecords: 500 }, recorder.handler);
      await until('the bad record at the head of a batch', () =>
        recorder.batches.some((batch) => batch.records[0]!.value.toString() === bad),
      );
      await until('the last record', () => recorder.seen.has('499'));
      assert.equal(recorder.seen.size, 500);
    },
  },
  {
    name: 'goes on where another owner has got to',
    run: async ({ log }) => {
      await log.append(Array.from({ length: 20 }, (_, i) => record('one-key', String(i))));
      const recorder = new Recorder((batch, nth) =>
        nth === 1 ? { kind: 'overtaken', next: batch.records[0]!.offset + 15n } : committed(batch),
      );
      await log.consume({ topic, group, mode, maxRecords: 5 }, recorder.handler);
      await until('the last record', () => recorder.seen.has('19'));
      assert.deepEqual(recorder.values, ['0', '1', '2', '3', '4', '15', '16', '17', '18', '19']);
    },
  },
  {
    name: 'halts one partition for good and goes on with the others',
    run: async ({ log }) => {
      const recorder = new Recorder((batch) =>
        batch.records[0]!.key === 'bad' ? { kind: 'halt', reason: 'poison-rate' } : committed(batch),
      );
      const consumer = await log.consume({ topic, group, mode }, recorder.handler);
      await log.append([record('bad', 'bad')]);
      await until('a halted partition', () => consumer.status().halted.length === 1);
      const other = await keyElsewhere(recorder, consumer.status().halted[0]!.partition, (one) => log.append([one]));
      await log.append([record('bad', 'never'), record(other, 'after')]);
      await until('the other partition', () => recorder.seen.has('after'));
      assert.ok(!recorder.seen.has('never'));
      assert.equal(consumer.status().halted[0]!.reason, 'poison-rate');
    },
  },
  {
    name: 'does not let a slow partition hold up the others',
    run: async ({ log }) => {
      const slow = gate();
      const recorder = new Recorder(async (batch) => {
        if (batch.records[0]!.key === 'slow') await slow.opened;
        return committed(batch);
      });
      await log.consume({ topic, group, mode }, recorder.handler);
      await log.append([record('slow', 'slow')]);
      await until('the slow one', () => recorder.seen.has('slow'));
      const partition = recorder.batches.find((batch) => batch.records[0]!.key === 'slow')!.source.partition;
      try {
        await keyElsewhere(recorder, partition, (one) => log.append([one]));
      } finally {
        slow.open();
      }
    },
  },
  {
    name: 'lets the batch in hand finish when it closes, and counts it',
    run: async ({ log }) => {
      const hand = gate();
      let finished = false;
      const recorder = new Recorder(async (batch) => {
        await hand.opened;
        finished = true;
        return committed(batch);
      });
      const consumer = await log.consume({ topic, group, mode }, recorder.handler);
      await log.append([record('a', '1')]);
      await until('a batch in hand', () => recorder.batches.length > 0);
      const closed = consumer.close().then(() => finished);
      setTimeout(hand.open, 30);
      assert.equal(await closed, true, 'closed before the handler was done');
      await until('no lag', async () => (await log.lag(group, [topic])).every(({ lag }) => lag === 0n));
      const next = new Recorder();
      await log.consume({ topic, group, mode }, next.handler);
      await log.append([record('a', '2')]);
      await until('the next record', () => next.records.length > 0);
      assert.deepEqual(next.values, ['2']);
    },
  },
];

/** Sends records of new keys until one of another partition arrives; answers its key. */
async function keyElsewhere(
  recorder: Recorder,
  than: number,
  send: (one: ReturnType<typeof record>) => Promise<void>,
): Promise<string> {
  let found: string | undefined;
  for (let i = 0; i < 32; i++) await send(record(`elsewhere-${i}`, `elsewhere-${i}`));
  await until('a record of another partition', () => {
    found = recorder.batches.find(
      (batch) => batch.source.partition !== than && batch.records[0]!.key.startsWith('elsewhere'),
    )?.records[0]!.key;
    return found !== undefined && endOf(recorder.batches[0]!) > 0n;
  });
  return found!;
}
