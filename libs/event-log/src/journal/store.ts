import { EventEmitter } from 'node:events';
import type { LogRecord } from '../port.ts';
import type { Frame } from './format.ts';
import { keyOf } from './segment.ts';
import type { NextOffsets, Segments } from './segments.ts';
import { Tail } from './tail.ts';

/** A record on its way into the log, with its bytes as they go to the file. */
export interface Stored {
  topic: string;
  partition: number;
  record: LogRecord;
  bytes: Buffer;
}

export interface Place {
  topic: string;
  partition: number;
}

/** The records of all partitions: durable ones only, newest in memory, older ones in the files. */
export class RecordStore {
  private readonly tail: Tail;
  private readonly arrivals = new EventEmitter().setMaxListeners(0);

  constructor(
    readonly nextOffsets: NextOffsets,
    readonly segments: Segments | undefined,
    memoryBytes: number,
  ) {
    this.tail = new Tail(memoryBytes);
  }

  next(topic: string, partition: number): bigint {
    return this.nextOffsets.get(keyOf(topic, partition))?.next ?? 0n;
  }

  first(topic: string, partition: number): bigint {
    const key = keyOf(topic, partition);
    return (this.segments ? this.segments.first(key) : this.tail.first(key)) ?? this.next(topic, partition);
  }

  setNext(topic: string, partition: number, next: bigint): void {
    this.nextOffsets.set(keyOf(topic, partition), { topic, partition, next });
  }

  /** Makes records durable and then visible. After a rejection none of them is. */
  async add(stored: Stored[]): Promise<void> {
    if (this.segments) {
      let position = await this.segments.write(stored.map(({ bytes }) => bytes));
      for (const one of stored) position = this.noteInFile(one, position);
    }
    const touched = new Set<string>();
    let [key, before]: [string, Stored | undefined] = ['', undefined];
    for (const one of stored) {
      const { topic, partition, record } = one;
      if (before?.topic !== topic || before.partition !== partition) touched.add((key = keyOf(topic, partition)));
      this.tail.push(key, record);
      this.setNext(topic, partition, record.offset + 1n);
      before = one;
    }
    for (const key of touched) this.arrivals.emit(key);
  }

  private noteInFile({ topic, partition, record, bytes }: Stored, position: number): number {
    const frame: Frame = { kind: 'record', topic, partition, record, position, length: bytes.length };
    this.segments!.active.note(frame);
    return position + bytes.length;
  }

  /** Records from `from` on; waits for the first one. Empty when the signal fires or `from` is older than the log. */
  async read({ topic, partition }: Place, from: bigint, max: number, signal: AbortSignal): Promise<LogRecord[]> {
    const key = keyOf(topic, partition);
    while (!signal.aborted) {
      if (from < this.first(topic, partition)) return [];
      if (from < this.next(topic, partition)) {
        const records = this.tail.read(key, from, max) ?? (await this.segments?.read(key, from, max)) ?? [];
        return records; // empty: expired while we looked, the reader asks for its position again
      }
      await this.arrival(key, signal);
    }
    return [];
  }

  private arrival(key: string, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.arrivals.off(key, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.arrivals.on(key, done);
      signal.addEventListener('abort', done);
    });
  }

  /** Drops expired and superseded records of a memory-only partition. */
  trimMemory(topic: string, partition: number, retentionMs: number | null, now: number): void {
    const key = keyOf(topic, partition);
    if (retentionMs !== null) return this.tail.trim(key, (record) => record.timestamp + retentionMs < now);
    const newest = new Map<string, bigint>();
    for (const record of this.tail.all(key)) newest.set(record.key, record.offset);
    this.tail.keep(key, (record) => newest.get(record.key) === record.offset);
  }
}
