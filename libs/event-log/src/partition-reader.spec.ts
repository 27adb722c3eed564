import { afterEach, describe, expect, it } from 'vitest';
import { committed, Recorder, until } from './conformance/recorder.ts';
import { silentLogger } from './errors.ts';
import { countWithin, type Feed, PartitionReader } from './partition-reader.ts';
import type { Assigned, LogRecord } from './port.ts';

const source = { group: 'g', topic: 'webhook.received', partition: 0 } as const;
const records: LogRecord[] = [10n, 11n, 12n].map((offset) => ({
  offset,
  key: 'a',
  value: Buffer.from(String(offset)),
  headers: {},
  timestamp: 0,
}));

/** A log of three records whose end is only seen after some looks. */
function feedSeenAfter(looks: number, group?: bigint): Feed {
  let looked = 0;
  return {
    state: () => Promise.resolve({ logId: 'l', first: 10n, end: ++looked > looks ? 13n : 11n }),
    committed: () => Promise.resolve(group),
    commit: () => undefined,
    heartbeat: () => Promise.resolve(),
    read: async (from, limit, signal) => {
      const found = records.filter(({ offset }) => offset >= from).slice(0, limit.records);
      if (found.length === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return found;
    },
  };
}

describe('a reader whose position is ahead of the end that it has seen', () => {
  let reader: PartitionReader | undefined;
  afterEach(() => reader?.stop());

  function read(feed: Feed, onAssigned: Assigned): Recorder {
    const recorder = new Recorder(committed);
    reader = new PartitionReader(feed, {
      source,
      limit: { records: 10, bytes: 1_000 },
      retries: true,
      onAssigned,
      handler: recorder.handler,
      logger: silentLogger,
    }).start();
    return recorder;
  }
  const seek: Assigned = () => Promise.resolve({ seek: 12n });
  const compare: Assigned = (_, { end }) =>
    Promise.resolve(end < 12n ? { halt: 'log-behind', detail: '' } : { seek: 12n });

  it.each([
    ['seeks there', seek],
    ['says that the log is behind', compare],
  ])('looks again when it %s: a former owner may have moved it meanwhile', async (_, onAssigned) => {
    const recorder = read(feedSeenAfter(1), onAssigned);
    await until('the record', () => recorder.records.length > 0);
    expect(recorder.values).toEqual(['12']);
    expect(reader!.halted).toBeUndefined();
  });

  it('does not read everything again because a group offset is newer than the end it saw', async () => {
    const recorder = read(feedSeenAfter(1, 12n), () => Promise.resolve('group-offset'));
    await until('the record', () => recorder.records.length > 0);
    expect(recorder.values).toEqual(['12']);
  });

  it('halts when it stays so', async () => {
    read(feedSeenAfter(100), seek);
    await until('a halt', () => reader!.halted !== undefined);
    expect(reader!.halted).toMatchObject({ reason: 'log-behind' });
  });
});

describe('a handler that breaks its contract', () => {
  it('halts the partition when it commits beyond its batch', async () => {
    const recorder = new Recorder(() => ({ kind: 'committed', next: 99n }));
    const reader = new PartitionReader(feedSeenAfter(0), {
      source,
      limit: { records: 10, bytes: 1_000 },
      retries: true,
      onAssigned: () => Promise.resolve({ seek: 10n }),
      handler: recorder.handler,
      logger: silentLogger,
    }).start();
    await until('a halt', () => reader.halted !== undefined);
    expect(reader.halted).toMatchObject({ reason: 'handler-contract' });
    await reader.stop();
  });
});

describe('the size of a batch', () => {
  const sized = (...sizes: number[]): LogRecord[] =>
    sizes.map((size, index) => ({
      offset: BigInt(index),
      key: 'a',
      value: Buffer.alloc(size),
      headers: {},
      timestamp: 0,
    }));

  it.each([
    ['all of them', sized(10, 10), { records: 5, bytes: 100 }, 2],
    ['as many as there may be', sized(1, 1, 1), { records: 2, bytes: 100 }, 2],
    ['as many as the bytes allow', sized(60, 40, 1), { records: 5, bytes: 100 }, 2],
    ['one that is larger than the limit, alone', sized(500, 1), { records: 5, bytes: 100 }, 1],
    ['none of none', sized(), { records: 5, bytes: 100 }, 0],
  ])('takes %s', (_, all, limit, count) => expect(countWithin(all, limit)).toBe(count));
});
