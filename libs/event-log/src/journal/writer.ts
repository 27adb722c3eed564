import { EventLogError } from '../errors.ts';
import type { AppendRecord } from '../port.ts';
import type { CrashStep, Faults } from './faults.ts';
import { encodeFrame, inMemory } from './format.ts';
import { keyOf } from './segment.ts';
import type { RecordStore, Stored } from './store.ts';

interface Waiting {
  records: readonly AppendRecord[];
  resolve: () => void;
  reject: (error: unknown) => void;
}

export interface WriterOptions {
  store: RecordStore;
  partitionOf: (record: AppendRecord) => number;
  now: () => number;
  faults: Faults;
  /** Throws when the journal dies at this step. */
  pass: (step: CrashStep) => void;
  /** Called after each write, with nothing in flight. */
  afterWrite(): Promise<void>;
}

/** Group commit: one write and one sync at a time, everything that arrives meanwhile goes into the next one. */
export class Writer {
  private waiting: Waiting[] = [];
  private running: Promise<void> | undefined;

  constructor(private readonly options: WriterOptions) {}

  append(records: readonly AppendRecord[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ records, resolve, reject });
      // Starts after the current turn, so that the appends of one turn share a sync.
      this.running ??= new Promise<void>((turn) => setImmediate(turn)).then(() => this.drain());
    });
  }

  /** Resolves when nothing is in flight. */
  async idle(): Promise<void> {
    while (this.running) await this.running;
  }

  private async drain(): Promise<void> {
    while (this.waiting.length > 0) {
      const group = this.waiting;
      this.waiting = [];
      try {
        await this.write(group.flatMap(({ records }) => records));
        for (const { resolve } of group) resolve();
        await this.options.afterWrite();
      } catch (error) {
        const failed =
          error instanceof EventLogError
            ? error
            : new EventLogError('append-failed', 'the journal could not write', { cause: error });
        for (const { reject } of group) reject(failed);
      }
    }
    this.running = undefined;
  }

  private async write(records: AppendRecord[]): Promise<void> {
    const { store, pass } = this.options;
    const stored = this.encode(records);
    if (stored.length === 0) return;
    pass('before-write');
    await this.dieWriting(stored);
    await store.add(stored);
    pass('before-acknowledge');
  }

  private encode(records: AppendRecord[]): Stored[] {
    const { store, now, faults, partitionOf } = this.options;
    const frameOf = store.segments ? encodeFrame : inMemory;
    const timestamp = now();
    const next = new Map<string, bigint>();
    const stored: Stored[] = [];
    let before: { topic: string; key: string; partition: number; place: string } | undefined;
    for (const record of records) {
      if (before?.topic !== record.topic || before.key !== record.key) {
        const partition = partitionOf(record);
        before = { topic: record.topic, key: record.key, partition, place: keyOf(record.topic, partition) };
      }
      const { partition, place } = before;
      for (let copies = faults.duplicate?.(record) ? 2 : 1; copies > 0; copies--) {
        const offset = next.get(place) ?? store.next(record.topic, partition);
        next.set(place, offset + 1n);
        const { topic, key, headers, value } = record;
        const frame = { kind: 'record' as const, topic, partition, offset, timestamp, key, headers, value };
        stored.push({ topic, partition, ...frameOf(frame) });
      }
    }
    return stored;
  }

  /** What a crash in the middle of a write leaves behind. Does nothing unless a switch is set. */
  private async dieWriting(stored: Stored[]): Promise<void> {
    const { store, pass } = this.options;
    try {
      pass('torn-write');
    } catch (error) {
      const bytes = Buffer.concat(stored.map((one) => one.bytes));
      const torn = bytes.length - Math.ceil(stored[stored.length - 1]!.bytes.length / 2);
      await store.segments?.put(bytes.subarray(0, torn), store.segments.active.size);
      throw error;
    }
    pass('before-sync');
  }
}
