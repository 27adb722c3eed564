import { EventLogError } from '../errors.ts';
import {
  type BatchLimit,
  countWithin,
  DEFAULT_LIMIT,
  type Feed,
  type PartitionReader,
  type ReaderOptions,
  sleep,
} from '../partition-reader.ts';
import type { BatchHandler, ConsumeOptions, ConsumerStatus, LogConsumer, LogRecord } from '../port.ts';
import type { Group } from './group.ts';
import { type Member } from './group.ts';
import type { Journal } from './journal.ts';

/** A consumer in the journal's own process. */
export class JournalConsumer implements LogConsumer, Member {
  readonly readers = new Map<number, PartitionReader>();
  readonly partitions: number[];
  private lastSignOfLife: number;
  private readonly positions = new Map<number, bigint>();

  constructor(
    private readonly journal: Journal,
    private readonly options: ConsumeOptions,
    private readonly handler: BatchHandler,
    private readonly group: Group,
  ) {
    this.partitions = [...Array(journal.partitionsOf(options.topic)).keys()];
    this.lastSignOfLife = journal.now();
    if (this.broadcast)
      for (const partition of this.partitions)
        this.positions.set(partition, this.journal.stateOf(options.topic, partition).end);
  }

  private get broadcast(): boolean {
    return this.options.mode === 'broadcast-from-end';
  }

  readerOptions(partition: number): ReaderOptions {
    const { topic, group, onAssigned, maxRecords, maxBytes } = this.options;
    const fromEnd = (): Promise<{ seek: bigint }> => Promise.resolve({ seek: this.positions.get(partition)! });
    return {
      source: { group, topic, partition },
      limit: { records: maxRecords ?? DEFAULT_LIMIT.records, bytes: maxBytes ?? DEFAULT_LIMIT.bytes },
      retries: !this.broadcast,
      onAssigned: this.broadcast ? fromEnd : (onAssigned ?? (() => Promise.resolve('group-offset'))),
      handler: this.handler,
      logger: this.journal.logger,
      settled: () => this.journal.survives('before-outcome'),
    };
  }

  feed(partition: number): Feed {
    const { topic, group } = this.options;
    return {
      state: () => Promise.resolve(this.journal.stateOf(topic, partition)),
      committed: () => Promise.resolve(this.journal.offsetsOfGroups.get(group, topic, partition)),
      commit: (next) => this.journal.commit({ group, topic, partition }, next),
      read: (from, limit, signal) => this.read(partition, from, limit, signal),
      heartbeat: () => this.heartbeat(partition),
    };
  }

  private async read(partition: number, from: bigint, limit: BatchLimit, signal: AbortSignal): Promise<LogRecord[]> {
    const { topic, group } = this.options;
    // Broadcast keeps no offset; should its place expire, it goes on with the oldest record there is.
    if (this.broadcast) this.positions.set(partition, from);
    const found = await this.journal.store.read({ topic, partition }, from, limit.records, signal);
    const records = found.slice(0, countWithin(found, limit));
    if (this.broadcast && records.length === 0)
      this.positions.set(partition, this.journal.stateOf(topic, partition).first);
    const delay = this.journal.faults.delay?.({ group, topic, partition }) ?? 0;
    if (delay > 0) await sleep(delay, signal);
    this.lastSignOfLife = this.journal.now();
    return this.journal.survives('before-deliver') ? records : waitForEver(signal);
  }

  private heartbeat(partition: number): Promise<void> {
    this.lastSignOfLife = this.journal.now();
    if (this.readers.has(partition) && !this.journal.crashed) return Promise.resolve();
    return Promise.reject(
      new EventLogError('membership-lost', `partition ${partition} of ${this.options.topic} has another reader now`),
    );
  }

  status(): ConsumerStatus {
    const readers = [...this.readers.values()];
    return {
      topic: this.options.topic,
      group: this.options.group,
      ready: readers.some((reader) => reader.positioned || reader.halted),
      partitions: [...this.readers.keys()].sort((a, b) => a - b),
      halted: readers.flatMap(({ halted, source }) => (halted ? [{ partition: source.partition, ...halted }] : [])),
      lastSignOfLife: this.lastSignOfLife,
    };
  }

  async close(): Promise<void> {
    await this.group.leave(this);
    this.journal.left(this);
  }
}

/** A journal that has died delivers nothing any more. */
const waitForEver = (signal: AbortSignal): Promise<LogRecord[]> =>
  new Promise((resolve) => (signal.aborted ? resolve([]) : signal.addEventListener('abort', () => resolve([]))));
