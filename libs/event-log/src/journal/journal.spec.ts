import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { committed, record, Recorder, suiteTopics, until } from '../conformance/recorder.ts';
import type { EventLog } from '../port.ts';
import { type CrashStep, type Journal, type JournalOptions, openJournal } from './index.ts';

const topic = 'webhook.received';
const group = 'journal';
const mode = 'group';

let directory: string;
const opened: Journal[] = [];
beforeEach(async () => void (directory = await mkdtemp(join(tmpdir(), 'tocsin-journal-'))));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((log) => log.close()));
  await rm(directory, { recursive: true, force: true });
});

async function open(options: JournalOptions = {}): Promise<Journal> {
  const log = await openJournal({ directory, ...options });
  opened.push(log);
  await log.ensureTopics(suiteTopics);
  return log;
}

async function everything(log: EventLog): Promise<string[]> {
  const { partitions } = await log.offsets(topic);
  const count = partitions.reduce((sum, { first, end }) => sum + Number(end - first), 0);
  const recorder = new Recorder();
  const reader = await log.consume(
    {
      topic,
      group: `reader-${Math.trunc(performance.now())}`,
      mode,
      onAssigned: (_, { first }) => Promise.resolve({ seek: first }),
    },
    recorder.handler,
  );
  await until(`${count} records`, () => recorder.records.length >= count);
  await reader.close();
  return recorder.values;
}

const files = async (suffix: string): Promise<string[]> =>
  (await readdir(directory)).filter((file) => file.endsWith(suffix)).sort();

/** Fails once armed, at one step. */
function crashAt(step: CrashStep): { crash: (at: CrashStep) => boolean; armed: boolean } {
  const faults = { armed: false, crash: (at: CrashStep): boolean => faults.armed && at === step };
  return faults;
}

describe('a journal that dies', () => {
  it.each(['before-write', 'torn-write', 'before-sync', 'before-acknowledge'] as const)(
    '%s: has all that was acknowledged, and nothing torn',
    async (step) => {
      const faults = crashAt(step);
      const log = await open({ faults });
      await log.append([record('a', 'acknowledged')]);
      faults.armed = true;
      await expect(log.append([record('a', 'in doubt')])).rejects.toMatchObject({ code: 'log-crashed' });
      await expect(log.append([record('a', 'after')])).rejects.toMatchObject({ code: 'log-crashed' });
      await log.close();

      const again = await open();
      const found = await everything(again);
      expect(found).toEqual(step === 'before-acknowledge' ? ['acknowledged', 'in doubt'] : ['acknowledged']);
      await again.append([record('a', 'goes on')]);
      expect((await everything(again)).at(-1)).toBe('goes on');
    },
  );

  it.each(['before-deliver', 'before-outcome', 'before-offset-commit'] as const)(
    '%s: delivers what was not settled again',
    async (step) => {
      const faults = crashAt(step);
      const log = await open({ faults });
      const before = new Recorder();
      await log.consume({ topic, group, mode }, before.handler);
      await log.append([record('a', '1')]);
      await until('the first record', async () => (await log.lag(group, [topic])).every(({ lag }) => lag === 0n));
      faults.armed = true;
      await log.append([record('a', '2')]);
      await until('its death', () => log.crashed);
      await log.close();

      const after = new Recorder();
      await (await open()).consume({ topic, group, mode }, after.handler);
      await until('the second record', () => after.seen.has('2'));
      expect(before.seen.has('2')).toBe(step !== 'before-deliver');
    },
  );
});

describe('the files of a journal', () => {
  it('lose a torn tail at open, and nothing before it', async () => {
    const log = await open();
    await log.append([record('a', '1')]);
    await log.append([record('a', '2')]);
    await log.close();
    const [segment] = await files('.segment');
    const { size } = await stat(join(directory, segment!));
    await truncate(join(directory, segment!), size - 3);
    const again = await open();
    expect(await everything(again)).toEqual(['1']);
    await again.append([record('a', '3')]);
    await again.close();
    expect(await everything(await open())).toEqual(['1', '3']);
  });

  it('refuse to open when an older one is damaged', async () => {
    const log = await open({ segmentBytes: 500 });
    for (let i = 0; i < 20; i++) await log.append([record('a', `record ${i}`)]);
    await log.close();
    const [oldest] = await files('.segment');
    const bytes = await readFile(join(directory, oldest!));
    bytes[bytes.length - 1]! ^= 0xff;
    await writeFile(join(directory, oldest!), bytes);
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'log-damaged' });
  });

  it('stay bounded: what is past its retention goes, offsets go on', async () => {
    let now = 1_700_000_000_000;
    const log = await open({ segmentBytes: 2_000, memoryBytes: 1, now: () => now });
    for (let i = 0; i < 100; i++) await log.append([record('a', `old ${i}`)]);
    const partition = (await log.offsets(topic)).partitions.find(({ end }) => end > 0n)!.partition;
    const grown = (await files('.segment')).length;
    expect(grown).toBeGreaterThan(3);
    now += 2 * 86_400_000;
    for (let i = 0; i < 40; i++) await log.append([record('a', `new ${i}`)]);
    const state = (await log.offsets(topic)).partitions[partition]!;
    expect(state.end).toBe(140n);
    expect(state.first).toBeGreaterThanOrEqual(90n);
    expect((await files('.segment')).length).toBeLessThan(grown);
    await log.close();
    const again = await open({ now: () => now });
    expect((await again.offsets(topic)).partitions[partition]).toEqual(state);
    expect((await everything(again)).at(-1)).toBe('new 39');
  });

  it('keep the group offsets and the log id', async () => {
    const log = await open();
    const recorder = new Recorder();
    await log.consume({ topic, group, mode }, recorder.handler);
    await log.append([record('a', '1')]);
    await until('the record', () => recorder.seen.has('1'));
    await log.close();
    const again = await open();
    expect(again.logId).toBe(log.logId);
    expect(again.created).toBe(false);
    expect((await again.lag(group, [topic])).every(({ lag }) => lag === 0n)).toBe(true);
  });
});

describe('a journal that was lost', () => {
  it('starts anew above the positions of its readers, with another id and a visible gap', async () => {
    const positions = [{ topic, partition: 2, next: 41n }];
    const log = await open({ startAbove: () => Promise.resolve(positions) });
    expect(log.created).toBe(true);
    expect((await log.offsets(topic)).partitions[2]).toEqual({ partition: 2, first: 41n, end: 41n });
    await log.close();
    const again = await open({ startAbove: () => Promise.reject(new Error('asked although there is a journal')) });
    expect((await again.offsets(topic)).partitions[2]).toEqual({ partition: 2, first: 41n, end: 41n });
    const other = await openJournal();
    opened.push(other);
    expect(other.logId).not.toBe(again.logId);
  });

  it('halts a reader whose position lies behind the gap', async () => {
    const log = await open({ startAbove: () => Promise.resolve([{ topic, partition: 0, next: 10n }]) });
    const recorder = new Recorder();
    const consumer = await log.consume(
      { topic, group, mode, onAssigned: (_, { end }) => Promise.resolve({ seek: end === 10n ? 4n : end }) },
      recorder.handler,
    );
    await until('a halt', () => consumer.status().halted.length > 0);
    expect(consumer.status().halted).toMatchObject([{ partition: 0, reason: 'gap' }]);
  });
});

describe('the lock of a journal', () => {
  it.runIf(existsSync('/proc/self/stat'))(
    'is not held by a killed process that its parent has not buried yet',
    async () => {
      // The shell becomes `sleep`, which never asks for the end of the shell's child: killed after that, it stays a zombie.
      const parent = spawn('bash', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const pid = Number(line.toString());
      const told = (id: number | undefined, of: string) => readFileSync(`/proc/${id}/${of}`, 'utf8');
      const bothSleep = () => [parent.pid, pid].every((id) => told(id, 'comm').trim() === 'sleep');
      await vi.waitUntil(bothSleep, { timeout: 10_000 });
      process.kill(pid, 'SIGKILL');
      await vi.waitUntil(() => / [ZX] /.test(told(pid, 'stat')), { timeout: 10_000 });
      await writeFile(join(directory, 'lock'), JSON.stringify({ pid }));
      await open();
      parent.kill('SIGKILL');
    },
  );

  it('refuses a second opener, also in the same process', async () => {
    await open();
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'log-locked' });
  });

  it('refuses while another process lives, and takes over from a dead one', async () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const lock = join(directory, 'lock');
    await writeFile(lock, JSON.stringify({ pid: process.ppid }));
    await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'log-locked' });
    await writeFile(lock, JSON.stringify({ pid: dead }));
    await open();
    expect(JSON.parse(await readFile(lock, 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('takes over from a process whose pid was given to another one', async () => {
    await writeFile(join(directory, 'lock'), JSON.stringify({ pid: process.ppid, started: 'long ago' }));
    if (process.platform === 'linux') await open();
    else await expect(openJournal({ directory })).rejects.toMatchObject({ code: 'log-locked' });
  });

  it('is gone after close', async () => {
    await (await open()).close();
    await (await open()).close();
    expect(await readdir(directory)).not.toContain('lock');
  });
});

describe('the switches of a journal', () => {
  it('store a record twice, as after a lost acknowledgement', async () => {
    const log = await open({ faults: { duplicate: ({ key }) => key === 'twice' } });
    await log.append([record('twice', '1'), record('once', '2')]);
    expect((await everything(log)).sort()).toEqual(['1', '1', '2']);
  });

  it('hold a delivery back', async () => {
    const log = await open({ faults: { delay: () => 80 } });
    const recorder = new Recorder(committed);
    await log.consume({ topic, group, mode }, recorder.handler);
    const began = performance.now();
    await log.append([record('a', '1')]);
    await until('the record', () => recorder.seen.has('1'));
    expect(performance.now() - began).toBeGreaterThan(70);
  });
});

describe('a journal in memory', () => {
  it('keeps as much as it may, and says where it begins', async () => {
    const log = await openJournal({ memoryBytes: 10_000 });
    opened.push(log);
    await log.ensureTopics(suiteTopics);
    for (let i = 0; i < 100; i++) await log.append([record('a', `record ${i}`)]);
    const { first, end } = (await log.offsets(topic)).partitions.find((one) => one.end > 0n)!;
    expect(end).toBe(100n);
    expect(first).toBeGreaterThan(50n);
    expect(first).toBeLessThan(90n);
    expect((await everything(log)).at(-1)).toBe('record 99');
  });
});

describe('a compacted topic of a journal', () => {
  it('keeps the newest record of each key, on disk', async () => {
    const state = { key: 'any', partitions: 1, retentionMs: null, public: true };
    const log = await openJournal({ directory, segmentBytes: 1024 * 1024, memoryBytes: 1 });
    opened.push(log);
    await log.ensureTopics({ 'incident.state': state });
    const value = Buffer.alloc(64 * 1024, 'x');
    // 25 MiB of ten keys; about 640 KiB of it is worth keeping.
    for (let i = 0; i < 400; i++)
      await log.append([{ topic: 'incident.state', key: `key-${i % 10}`, value, headers: { nth: String(i) } }]);
    let bytes = 0;
    for (const file of await files('.segment')) bytes += (await stat(join(directory, file))).size;
    expect(bytes).toBeLessThan(20 * 1024 * 1024);
    const newest = new Map<string, string>();
    const recorder = new Recorder((batch) => {
      for (const { key, headers } of batch.records) newest.set(key, headers['nth']!);
      return committed(batch);
    });
    await log.consume({ topic: 'incident.state', group, mode }, recorder.handler);
    await until('all keys', () => newest.size === 10 && [...newest.values()].every((nth) => Number(nth) >= 390));
  });
});
