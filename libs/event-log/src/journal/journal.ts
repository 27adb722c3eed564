import type { Topic, TopicDefinition } from '@tocsin/contracts';
import { EventLogError, type EventLogLogger, PartitionMismatch } from '../errors.ts';
import { partitionOf } from '../partition-of.ts';
import { assertSize } from '../record-bytes.ts';
import type {
  AppendRecord,
  BatchHandler,
  ConsumeOptions,
  EventLog,
  LogConsumer,
  PartitionState,
  Source,
} from '../port.ts';
import { clean, type CleaningState } from './cleaning.ts';
import { JournalConsumer } from './consumer.ts';
import type { CrashStep, Faults } from './faults.ts';
import { Group } from './group.ts';
import type { GroupOffsets } from './offsets.ts';
import type { RecordStore } from './store.ts';
import { Writer } from './writer.ts';

export type JournalTopics = Record<string, { partitions: number; retentionMs: number | null }>;

export interface JournalParts {
  id: string;
  created: boolean;
  topics: JournalTopics;
  store: RecordStore;
  offsets: GroupOffsets;
  logger: EventLogLogger;
  faults: Faults;
  now: () => number;
  storeTopics(topics: JournalTopics): Promise<void>;
  unlock(): void;
}

const CLEAN_EVERY_MS = 10 * 60_000;

/** The embedded event log: one process, one directory, every record synced before anybody sees it. */
export class Journal implements EventLog {
  readonly kind = 'journal';
  /** True when there was no journal before: positions of an older one are void (`startAbove`). */
  readonly created: boolean;
  readonly logId: string;
  readonly store: RecordStore;
  readonly offsetsOfGroups: GroupOffsets;
  readonly logger: EventLogLogger;
  readonly faults: Faults;
  readonly now: () => number;
  crashed = false;
  private closing: Promise<void> | undefined;
  private readonly groups = new Map<string, Group>();
  private readonly consumers = new Set<JournalConsumer>();
  private readonly writer: Writer;
  private readonly cleaner: NodeJS.Timeout;
  private cleaning: CleaningState = { compactedBytes: 0 };
  private cleanDue = true;

  constructor(private readonly parts: JournalParts) {
    this.created = parts.created;
    this.logId = parts.id;
    this.store = parts.store;
    this.offsetsOfGroups = parts.offsets;
    this.logger = parts.logger;
    this.faults = parts.faults;
    this.now = parts.now;
    this.writer = new Writer({
      store: this.store,
      now: this.now,
      faults: this.faults,
      partitionOf: (record) => partitionOf(record.key, this.partitionsOf(record.topic)),
      pass: (step) => this.pass(step),
      afterWrite: () => this.tidy(),
    });
    this.cleaner = setInterval(() => (this.cleanDue = true), CLEAN_EVERY_MS).unref();
  }

  async append(records: readonly AppendRecord[]): Promise<void> {
    this.assertOpen();
    for (const record of records) {
      this.partitionsOf(record.topic);
      assertSize(record);
    }
    if (records.length > 0) await this.writer.append(records);
  }

  async consume(options: ConsumeOptions, handler: BatchHandler): Promise<LogConsumer> {
    this.assertOpen();
    const alone = options.mode === 'broadcast-from-end';
    const name = `${options.group}|${options.topic}`;
    const group = alone ? new Group() : (this.groups.get(name) ?? new Group());
    if (!alone) this.groups.set(name, group);
    const consumer = new JournalConsumer(this, options, handler, group);
    this.consumers.add(consumer);
    await group.join(consumer);
    return consumer;
  }

  offsets(topic: Topic): ReturnType<EventLog['offsets']> {
    const partitions = [...Array(this.partitionsOf(topic)).keys()].map((partition) => {
      const { first, end } = this.stateOf(topic, partition);
      return { partition, first, end };
    });
    return Promise.resolve({ logId: this.logId, partitions });
  }

  async ensureTopics(table: Readonly<Record<string, TopicDefinition>>): Promise<void> {
    this.assertOpen();
    const topics = this.parts.topics;
    for (const [topic, { partitions }] of Object.entries(table)) {
      const found = topics[topic]?.partitions;
      if (found !== undefined && found !== partitions) throw new PartitionMismatch(topic, partitions, found);
    }
    for (const [topic, { partitions, retentionMs }] of Object.entries(table))
      topics[topic] = { partitions, retentionMs };
    await this.parts.storeTopics(topics);
  }

  lag(group: string, topics: readonly Topic[]): ReturnType<EventLog['lag']> {
    const lags = topics.flatMap((topic) =>
      [...Array(this.partitionsOf(topic)).keys()].map((partition) => {
        const { first, end } = this.stateOf(topic, partition);
        const committed = this.offsetsOfGroups.get(group, topic, partition);
        const from = committed === undefined || committed < first ? first : committed;
        return { topic, partition, lag: from > end ? 0n : end - from };
      }),
    );
    return Promise.resolve(lags);
  }

  /** Lets every batch in hand finish, stores the group offsets and gives the directory free. */
  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.cleaner);
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    await this.writer.idle();
    if (this.crashed) await this.offsetsOfGroups.discard();
    else await this.offsetsOfGroups.flush();
    await this.store.segments?.close();
    this.parts.unlock();
  }

  partitionsOf(topic: string): number {
    const found = this.parts.topics[topic];
    if (!found)
      throw new EventLogError('unknown-topic', `the journal has no topic ${topic}; create it with ensureTopics first`);
    return found.partitions;
  }

  stateOf(topic: string, partition: number): PartitionState {
    return { logId: this.logId, first: this.store.first(topic, partition), end: this.store.next(topic, partition) };
  }

  commit({ group, topic, partition }: Source, next: bigint): void {
    if (!this.crashed) this.offsetsOfGroups.set(group, topic, partition, next);
    this.survives('before-offset-commit');
  }

  left(consumer: JournalConsumer): void {
    this.consumers.delete(consumer);
  }

  /** False when the journal is dead, or dies at this step by its crash switch. */
  survives(step: CrashStep): boolean {
    if (!this.crashed && this.faults.crash?.(step)) this.crashed = true;
    return !this.crashed;
  }

  private pass(step: CrashStep): void {
    if (!this.survives(step)) throw new EventLogError('log-crashed', `the journal died (${step})`);
  }

  private assertOpen(): void {
    if (this.crashed) throw new EventLogError('log-crashed', 'the journal died');
    if (this.closing) throw new EventLogError('log-closed', 'the journal is closed');
  }

  /** Between two writes: starts the next file when this one is full, and drops what has expired. */
  private async tidy(): Promise<void> {
    const full = this.store.segments?.full ?? false;
    if (!full && !this.cleanDue) return;
    this.cleanDue = false;
    try {
      if (full) await this.store.segments!.roll();
      this.cleaning = await clean(this.store, this.parts.topics, this.now(), this.cleaning);
    } catch (error) {
      // Appends go on in the full file; the next write tries again.
      this.logger.error({ error: String(error) }, 'journal.not-tidied');
    }
  }
}
