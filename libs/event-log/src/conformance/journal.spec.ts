import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../journal/index.ts';
import { conformance, suiteTopics, type Target } from './index.ts';

async function inMemory(): Promise<Target> {
  const log = await openJournal();
  await log.ensureTopics(suiteTopics);
  return { log, another: () => Promise.resolve(log), end: () => log.close() };
}

async function onDisk(): Promise<Target> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-journal-'));
  // Small files and next to no memory: every case also reads back from the disk, and over several files.
  const open = () => openJournal({ directory, segmentBytes: 20_000, memoryBytes: 2_000 });
  let log = await open();
  await log.ensureTopics(suiteTopics);
  return {
    log,
    another: () => Promise.resolve(log),
    reopen: async () => {
      await log.close();
      return (log = await open());
    },
    end: async () => {
      await log.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

conformance('a journal in memory', inMemory, { durable: false });
conformance('a journal on disk', onDisk, { durable: true });
