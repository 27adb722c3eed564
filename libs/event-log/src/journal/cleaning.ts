import type { Frame } from './format.ts';
import type { JournalTopics } from './journal.ts';
import type { Segment } from './segment.ts';
import { keyOf } from './segment.ts';
import type { RecordStore } from './store.ts';

/** How many bytes compacted topics had in sealed files when they were last compacted. */
export interface CleaningState {
  compactedBytes: number;
}

/** A sealed file is rewritten when more than this share of it is dead, and removed when all of it is. */
const DEAD_SHARE = 0.5;
const COMPACT_FROM_BYTES = 16 * 1024 * 1024;

/**
 * Keeps the disk bounded: drops records past their topic's retention and, on compacted topics, all but the newest of
 * each key. The file being written is never touched; records of unknown topics are kept.
 */
export async function clean(
  store: RecordStore,
  topics: JournalTopics,
  now: number,
  state: CleaningState,
): Promise<CleaningState> {
  if (!store.segments) {
    for (const [topic, { partitions, retentionMs }] of Object.entries(topics))
      for (let partition = 0; partition < partitions; partition++) store.trimMemory(topic, partition, retentionMs, now);
    return state;
  }
  const expired = (segment: Segment, key: string): boolean => {
    const retentionMs = topics[topicOf(key)]?.retentionMs;
    return typeof retentionMs === 'number' && segment.ranges.get(key)!.newest + retentionMs < now;
  };
  await dropExpired(store, expired);
  const compacted = compactedBytes(store, topics);
  if (compacted < COMPACT_FROM_BYTES || compacted < 2 * state.compactedBytes) return state;
  await compact(store, topics);
  return { compactedBytes: compactedBytes(store, topics) };
}

async function dropExpired(store: RecordStore, expired: (segment: Segment, key: string) => boolean): Promise<void> {
  for (const segment of store.segments!.sealed) {
    const keys = [...segment.ranges.keys()];
    const dead = new Set(keys.filter((key) => expired(segment, key)));
    if (dead.size === keys.length) await store.segments!.remove(segment);
    else if (bytesOf(segment, [...dead]) > DEAD_SHARE * segment.size)
      await store.segments!.rewrite(segment, (frame) => !dead.has(keyOf(frame.topic, frame.partition)));
  }
}

/** Keeps the newest record of each key. Which one that is must be known of the active file, too. */
async function compact(store: RecordStore, topics: JournalTopics): Promise<void> {
  const segments = store.segments!;
  const isCompacted = (frame: Frame): boolean => frame.kind === 'record' && topics[frame.topic]?.retentionMs === null;
  const idOf = ({ topic, partition, record }: Frame): string => `${topic}/${partition}/${record.key}`;
  const newest = new Map<string, bigint>();
  for (const segment of [...segments.sealed, segments.active])
    await segment.frames((frame) => {
      if (isCompacted(frame)) newest.set(idOf(frame), frame.record.offset);
    });
  for (const segment of segments.sealed)
    if (bytesOf(segment, compactedKeys(segment, topics)) > 0)
      await segments.rewrite(
        segment,
        (frame) => !isCompacted(frame) || newest.get(idOf(frame)) === frame.record.offset,
      );
}

const topicOf = (key: string): string => key.slice(0, key.lastIndexOf('/'));
const bytesOf = (segment: Segment, keys: string[]): number =>
  keys.reduce((sum, key) => sum + segment.ranges.get(key)!.bytes, 0);
const compactedKeys = (segment: Segment, topics: JournalTopics): string[] =>
  [...segment.ranges.keys()].filter((key) => topics[topicOf(key)]?.retentionMs === null);
const compactedBytes = (store: RecordStore, topics: JournalTopics): number =>
  store.segments!.sealed.reduce((sum, segment) => sum + bytesOf(segment, compactedKeys(segment, topics)), 0);
