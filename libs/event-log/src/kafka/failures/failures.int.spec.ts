import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import kafkajs from 'kafkajs';
import { startKafkaBroker, testKafka, uniquePrefix } from '@tocsin/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { record, Recorder, suiteTopics, until } from '../../conformance/recorder.ts';
import type { EventLog } from '../../port.ts';
import { openKafka } from '../index.ts';
import { removeTopics } from '../remove-topics.ts';
import type { ConsumerArguments, ConsumerLine } from './consumer-process.ts';
import { CutProxy } from './cut-proxy.ts';

const topic = 'webhook.received';
const group = 'failures';
const SESSION_TIMEOUT_MS = 2_000;

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function open(brokers: string[], prefix: string): Promise<EventLog> {
  const log = await openKafka({
    brokers,
    clientId: 'failures',
    prefix,
    sessionTimeoutMs: SESSION_TIMEOUT_MS,
    appendTimeoutMs: 5_000,
  });
  cleanups.push(() => log.close());
  return log;
}

async function onSharedBroker(): Promise<{ brokers: string[]; prefix: string; log: EventLog }> {
  const { brokers } = await testKafka();
  const prefix = uniquePrefix();
  cleanups.push(() => removeTopics(brokers, prefix));
  const log = await open(brokers, prefix);
  await log.ensureTopics(suiteTopics);
  return { brokers, prefix, log };
}

/** First occurrences of each key's values, in the order they came. */
function firstOccurrences(recorder: Recorder): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { key, value } of recorder.records) {
    const list = found.get(key) ?? [];
    const nth = Number(value.toString().split(':')[1]);
    if (!list.includes(nth)) list.push(nth);
    found.set(key, list);
  }
  return found;
}

const ascending = (list: number[]): number[] => [...list].sort((a, b) => a - b);

/** Appends `key:0, key:1 …`, each until it is taken, until told to stop. Answers how many resolved. */
async function produce(log: EventLog, key: string, running: () => boolean): Promise<number> {
  let nth = 0;
  while (running()) {
    await log.append([record(key, `${key}:${nth}`)]).then(
      () => nth++,
      () => undefined,
    );
  }
  return nth;
}

describe('when acknowledgements are lost', () => {
  it('has every record whose append resolved', async () => {
    const { brokers, prefix, log } = await onSharedBroker();
    const [host, port] = brokers[0]!.split(':') as [string, string];
    const proxy = new CutProxy({ host, port: Number(port) });
    cleanups.push(() => proxy.close());
    const through = await open([await proxy.listen()], prefix);
    await through.append([record('warm', 'warm')]);

    const resolved: string[] = [];
    for (let round = 0; round < 8; round++) {
      proxy.cutNext();
      // The first makes up a request of its own, the others wait behind it and go out right after the cut.
      const sends = ['a', 'b', 'c'].map(async (key) => {
        await through.append([record(key, `${key}:${round}`)]).then(
          () => resolved.push(`${key}:${round}`),
          () => undefined,
        );
      });
      await Promise.all(sends);
    }
    expect(proxy.cuts).toBeGreaterThanOrEqual(8);
    expect(resolved.length).toBeGreaterThan(0);
    const recorder = new Recorder();
    await log.consume({ topic, group, mode: 'group' }, recorder.handler);
    await until('every resolved append', () => resolved.every((value) => recorder.seen.has(value)));
  });
});

describe('the proxy that loses acknowledgements', () => {
  it('makes a client lose records that are sent in idempotent mode with several requests under way', async () => {
    const { brokers, prefix, log } = await onSharedBroker();
    const [host, port] = brokers[0]!.split(':') as [string, string];
    const proxy = new CutProxy({ host, port: Number(port) });
    cleanups.push(() => proxy.close());
    const through = [await proxy.listen()];
    const client = new kafkajs.Kafka({ brokers: through, clientId: 'control', logLevel: kafkajs.logLevel.NOTHING });
    const producer = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    });
    cleanups.push(() => producer.disconnect());
    await producer.connect();

    const resolved: string[] = [];
    const send = (value: string): Promise<unknown> =>
      producer.send({ topic: `${prefix}${topic}`, acks: -1, messages: [{ key: 'a', value }] });
    await send('warm');
    for (let round = 0; round < 8; round++) {
      proxy.cutNext();
      const values = ['x', 'y', 'z'].map((name) => `${name}:${round}`);
      const sent = await Promise.allSettled(values.map(send));
      resolved.push(...values.filter((_, i) => sent[i]!.status === 'fulfilled'));
    }
    await log.append([record('a', 'last')]);
    const recorder = new Recorder();
    await log.consume({ topic, group, mode: 'group' }, recorder.handler);
    await until('the last record', () => recorder.seen.has('last'));
    expect(resolved.filter((value) => !recorder.seen.has(value))).not.toEqual([]);
  });
});

describe('when the broker is killed under load', () => {
  it('loses nothing, keeps the order of first occurrences and goes on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tocsin-broker-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const broker = await startKafkaBroker({ directory });
    cleanups.push(() => broker.stop());
    const log = await open(broker.brokers, uniquePrefix());
    await log.ensureTopics(suiteTopics);
    const recorder = new Recorder();
    const broadcast = new Recorder();
    const consumer = await log.consume({ topic, group, mode: 'group' }, recorder.handler);
    await log.consume({ topic, group: 'everybody', mode: 'broadcast-from-end' }, broadcast.handler);

    let running = true;
    const producers = ['a', 'b', 'c', 'd'].map((key) => produce(log, key, () => running));
    await until('records on their way', () => recorder.records.length > 100);
    await broker.kill();
    const before = recorder.records.length;
    await broker.restart();
    await until('progress after the restart', () => recorder.records.length > before + 100, 60_000);
    running = false;
    const counts = await Promise.all(producers);

    for (const reader of [recorder, broadcast])
      await until(
        'every resolved append',
        () => counts.every((count, i) => (firstOccurrences(reader).get('abcd'[i]!)?.length ?? 0) >= count),
        30_000,
      );
    for (const list of firstOccurrences(recorder).values()) expect(list).toEqual(ascending(list));
    expect(consumer.status()).toMatchObject({ ready: true, halted: [] });
  });
});

describe('a consumer in another process', () => {
  function start(options: ConsumerArguments): {
    child: ChildProcess;
    lines: ConsumerLine[];
    status(): ConsumerLine | undefined;
  } {
    const flags = ['--conditions=source', '--experimental-transform-types', '--no-warnings'];
    const child = spawn(
      process.execPath,
      [...flags, join(import.meta.dirname, 'consumer-process.ts'), JSON.stringify(options)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines: ConsumerLine[] = [];
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line) as ConsumerLine));
    cleanups.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await ended;
    });
    return { child, lines, status: () => lines.findLast(({ kind }) => kind === 'status') };
  }
  const partitionsOf = (line: ConsumerLine | undefined): number =>
    line?.kind === 'status' && line.ready ? line.partitions.length : 0;
  const valuesOf = (lines: ConsumerLine[], wanted: ConsumerLine['kind']): string[] =>
    lines.flatMap((line) => (line.kind === wanted && line.kind !== 'status' ? line.values : []));
  const some = (name: string): ReturnType<typeof record>[] =>
    Array.from({ length: 40 }, (_, i) => record(`key-${i}`, `${name}:${i}`));

  it.each([
    ['while it handles a batch', 60_000, 'began'],
    ['after a batch, before its offset is stored', 0, 'done'],
  ] as const)('is killed %s: its records come again', async (_, busyMs, when) => {
    const { brokers, prefix, log } = await onSharedBroker();
    const other = start({ brokers, prefix, topic, group, sessionTimeoutMs: SESSION_TIMEOUT_MS, busyMs });
    await until('the other consumer', () => partitionsOf(other.status()) === 4);
    await log.append(some('first'));
    await until('a batch in its hands', () => valuesOf(other.lines, when).length > 0);
    other.child.kill('SIGKILL');
    const recorder = new Recorder();
    await log.consume({ topic, group, mode: 'group' }, recorder.handler);
    await until(
      'all records, between the two of them',
      () => new Set([...valuesOf(other.lines, 'done'), ...recorder.seen]).size === 40,
    );
    if (when === 'began') expect([...recorder.seen]).toEqual(expect.arrayContaining(valuesOf(other.lines, 'began')));
  });

  it('is paused past its session: the other one takes over, and it comes back', async () => {
    const { brokers, prefix, log } = await onSharedBroker();
    const recorder = new Recorder();
    const mine = await log.consume({ topic, group, mode: 'group' }, recorder.handler);
    const other = start({ brokers, prefix, topic, group, sessionTimeoutMs: SESSION_TIMEOUT_MS, busyMs: 20 });
    await until(
      'two members',
      () => partitionsOf(other.status()) === 2 && mine.status().ready && mine.status().partitions.length === 2,
    );
    await log.append(some('first'));
    await until('a batch in its hands', () => valuesOf(other.lines, 'began').length > 0);
    other.child.kill('SIGSTOP');
    await until('all partitions here', () => mine.status().ready && mine.status().partitions.length === 4);
    await log.append(some('second'));
    await until(
      'all of the second',
      () => [...recorder.seen].filter((value) => value.startsWith('second')).length === 40,
    );
    const linesBefore = other.lines.length;
    other.child.kill('SIGCONT');
    await until('two members again', () => {
      const later = other.lines.slice(linesBefore).findLast(({ kind }) => kind === 'status');
      return partitionsOf(later) === 2 && mine.status().partitions.length === 2;
    });
    await log.append(some('third'));
    await until('everything', () => new Set([...recorder.seen, ...valuesOf(other.lines, 'done')]).size === 120);
  });
});
