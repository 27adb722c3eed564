import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { EventLogError, type EventLogLogger, messageOf, silentLogger } from '../errors.ts';
import type { Faults } from './faults.ts';
import { encodeNext } from './format.ts';
import { Journal, type JournalTopics } from './journal.ts';
import { takeLock } from './lock.ts';
import { GroupOffsets } from './offsets.ts';
import { keyOf } from './segment.ts';
import { type NextOffsets, Segments } from './segments.ts';
import { RecordStore } from './store.ts';
import { loadJson, storeJson } from './stored-json.ts';

/** A position that somebody keeps outside of the log. */
export interface StoredPosition {
  topic: string;
  partition: number;
  next: bigint;
}

export interface JournalOptions {
  /** Where the files are; without it the journal lives in memory and ends with the process. */
  directory?: string;
  /** Milliseconds since the epoch. Default: the system's clock. */
  now?: () => number;
  faults?: Faults;
  logger?: EventLogLogger;
  /**
   * Asked only when there is no journal yet: its offsets begin above these positions, so that no reader takes a new
   * record for one that it has done. Where a journal was lost, this leaves a visible gap instead of silence.
   */
  startAbove?: () => Promise<readonly StoredPosition[]>;
  /** A file is sealed at this size; default 32 MiB. */
  segmentBytes?: number;
  /**
   * Bytes of records that stay in memory. On disk default 32 MiB; older ones are read from the files. In memory default all; older ones are
   * gone, as those past their retention are.
   */
  memoryBytes?: number;
}

const META = 'log.json';
const MIB = 1024 * 1024;

interface Meta {
  id: string;
  topics: JournalTopics;
}

/**
 * Opens the journal of a directory, or starts one.
 * @throws EventLogError `log-locked` when another process has it, `log-damaged` when an older file is broken
 */
export async function openJournal(options: JournalOptions = {}): Promise<Journal> {
  const directory = options.directory && resolve(options.directory);
  const lock = directory ? takeLock(directory) : undefined;
  try {
    return await open(options, directory, () => lock?.release());
  } catch (error) {
    lock?.release();
    throw error;
  }
}

async function open(options: JournalOptions, directory: string | undefined, unlock: () => void): Promise<Journal> {
  const logger = options.logger ?? silentLogger;
  const stored = directory ? await loadMeta(directory) : undefined;
  const meta: Meta = stored ?? { id: randomBytes(16).toString('hex'), topics: {} };
  const nextOffsets: NextOffsets = new Map();
  const segments = directory
    ? await Segments.open(directory, options.segmentBytes ?? 32 * MIB, nextOffsets)
    : undefined;
  const store = new RecordStore(nextOffsets, segments, options.memoryBytes ?? (directory ? 32 * MIB : Infinity));
  if (!stored) await startAbove(store, (await options.startAbove?.()) ?? []);
  // Last: a new journal counts as started only once its offsets are set.
  const storeTopics = async (topics: JournalTopics): Promise<void> => {
    if (directory) await storeJson(join(directory, META), { id: meta.id, topics });
  };
  if (!stored) await storeTopics(meta.topics);
  const offsets = await GroupOffsets.open(directory, logger, () => !journal.crashed);
  const journal: Journal = new Journal({
    ...meta,
    created: !stored,
    store,
    offsets,
    logger,
    faults: options.faults ?? {},
    now: options.now ?? Date.now,
    storeTopics,
    unlock,
  });
  return journal;
}

async function loadMeta(directory: string): Promise<Meta | undefined> {
  try {
    return await loadJson<Meta>(join(directory, META));
  } catch (error) {
    throw new EventLogError('log-damaged', `${join(directory, META)} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** The gap marker: partitions of a new journal go on above what readers have already seen of a lost one. */
async function startAbove(store: RecordStore, positions: readonly StoredPosition[]): Promise<void> {
  for (const { topic, partition, next } of positions)
    if (next > (store.nextOffsets.get(keyOf(topic, partition))?.next ?? 0n)) store.setNext(topic, partition, next);
  const markers = positions.map(({ topic, partition }) => encodeNext(topic, partition, store.next(topic, partition)));
  if (markers.length > 0) await store.segments?.write(markers);
}
