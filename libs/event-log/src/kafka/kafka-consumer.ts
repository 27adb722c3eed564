import { type EventLogLogger } from '../errors.ts';
import { DEFAULT_LIMIT, PartitionReader, type ReaderOptions, sleep } from '../partition-reader.ts';
import type { Assigned, BatchHandler, ConsumeOptions, ConsumerStatus, LogConsumer } from '../port.ts';
import type { Client } from './client.ts';
import { KafkaFeed } from './kafka-feed.ts';
import { Membership } from './membership.ts';
import type { Positions } from './positions.ts';

export interface KafkaConsumerOptions extends ConsumeOptions {
  handler: BatchHandler;
  /** As the cluster calls them. */
  groupId: string;
  topicName: string;
  partitionCount: number;
  sessionTimeoutMs: number;
  positions: Positions;
  createClient(): Client;
  logger: EventLogLogger;
  /** Broadcast only: where each partition ended when consuming began. */
  ends: Map<number, bigint> | undefined;
  left(consumer: KafkaConsumer): Promise<void>;
}

const REBUILD_AFTER_MS = { first: 200, most: 2_000 };

interface Assignment {
  reader: PartitionReader;
  feed: KafkaFeed;
}

/** A consumer that outlives its memberships: when kafkajs crashes or falls silent, the next one is built. */
export class KafkaConsumer implements LogConsumer {
  private readonly assignments = new Map<number, Assignment>();
  private membership: Membership | undefined;
  private readonly closing = new AbortController();
  private readonly supervising: Promise<void>;
  private closed: Promise<void> | undefined;

  constructor(private readonly options: KafkaConsumerOptions) {
    this.supervising = this.supervise();
  }

  private async supervise(): Promise<void> {
    let wait = REBUILD_AFTER_MS.first;
    while (!this.closing.signal.aborted) {
      const membership = this.join();
      const began = Date.now();
      const reason = await this.untilOver(membership);
      if (this.closing.signal.aborted) return;
      this.options.logger.warn({ group: this.options.groupId, reason, againInMs: wait }, 'consumer.rebuilt');
      this.membership = undefined;
      await this.stopReaders();
      await membership.leave();
      if (Date.now() - began > 60_000) wait = REBUILD_AFTER_MS.first;
      await sleep(wait, this.closing.signal);
      wait = Math.min(wait * 2, REBUILD_AFTER_MS.most);
    }
  }

  private join(): Membership {
    const { groupId, topicName, sessionTimeoutMs, partitionCount, gatherMs = 0, logger } = this.options;
    const membership: Membership = new Membership({
      client: this.options.createClient(),
      groupId,
      topic: topicName,
      sessionTimeoutMs,
      concurrency: partitionCount,
      gatherMs,
      logger,
      assigned: (partitions) => this.assign(membership, partitions),
      revoked: () => this.stopReaders(),
      fetched: (partition, batch) => this.assignments.get(partition)?.feed.accept(batch) ?? false,
      skipped: (partition, lastOffset) => this.assignments.get(partition)?.feed.skip(lastOffset),
    });
    this.membership = membership;
    membership.start();
    return membership;
  }

  /** Over: kafkajs gave up, or nothing was heard for so long that it hangs. */
  private async untilOver(membership: Membership): Promise<string> {
    const silentAfter = Math.max(30_000, 4 * this.options.sessionTimeoutMs);
    let watchdog: NodeJS.Timeout | undefined;
    const silent = new Promise<string>((resolve) => {
      watchdog = setInterval(() => {
        if (Date.now() - membership.lastSignOfLife > silentAfter) resolve(`silent for ${silentAfter} ms`);
      }, 1_000);
    });
    const closing = new Promise<string>((resolve) =>
      this.closing.signal.addEventListener('abort', () => resolve('closed'), { once: true }),
    );
    const reason = await Promise.race([membership.ended, silent, closing]);
    clearInterval(watchdog);
    return reason;
  }

  private assign(membership: Membership, partitions: number[]): void {
    if (membership !== this.membership || this.closing.signal.aborted) return;
    for (const partition of partitions) {
      // There is one where a handler took longer than a rebalance may; the new reader waits for it.
      const former = this.assignments.get(partition)?.reader.stop();
      const feed = this.feed(membership, partition);
      const reader = new PartitionReader(feed, this.readerOptions(partition)).start(former);
      this.assignments.set(partition, { feed, reader });
    }
  }

  private feed(membership: Membership, partition: number): KafkaFeed {
    const { positions, topic, group, ends } = this.options;
    return new KafkaFeed({
      state: async () => {
        const { logId, partitions } = await positions.offsets(topic);
        const { first, end } = partitions.find((one) => one.partition === partition)!;
        return { logId, first, end };
      },
      committed: async () => (await positions.committed(group, topic)).get(partition),
      commit: (next) => membership.commit(partition, next),
      seek: (offset) => {
        ends?.set(partition, offset);
        membership.seek(partition, offset);
      },
      handedOut: (next) => ends?.set(partition, next),
      pause: () => membership.pause(partition),
      resume: () => membership.resume(partition),
      isMember: () => membership.isMember(),
    });
  }

  private readerOptions(partition: number): ReaderOptions {
    const { group, topic, maxRecords, maxBytes, handler, logger, ends, onAssigned } = this.options;
    const byGroup: Assigned = () => Promise.resolve('group-offset');
    // Broadcast keeps its place in memory only; what has expired meanwhile is nobody's loss any more.
    const byMemory: Assigned = (_, { first, end }) => {
      const place = ends?.get(partition) ?? end;
      return Promise.resolve({ seek: place < first || place > end ? first : place });
    };
    return {
      source: { group, topic, partition },
      limit: { records: maxRecords ?? DEFAULT_LIMIT.records, bytes: maxBytes ?? DEFAULT_LIMIT.bytes },
      retries: ends === undefined,
      onAssigned: ends ? byMemory : (onAssigned ?? byGroup),
      handler,
      logger,
    };
  }

  private async stopReaders(): Promise<void> {
    const stopped = [...this.assignments];
    await Promise.all(stopped.map(([, { reader }]) => reader.stop()));
    for (const [partition, assignment] of stopped)
      if (this.assignments.get(partition) === assignment) this.assignments.delete(partition);
  }

  status(): ConsumerStatus {
    const readers = [...this.assignments.values()].map(({ reader }) => reader);
    return {
      topic: this.options.topic,
      group: this.options.group,
      ready:
        (this.membership?.isMember() ?? false) &&
        readers.every((reader) => reader.positioned || reader.halted !== undefined),
      partitions: [...this.assignments.keys()].sort((a, b) => a - b),
      halted: readers.flatMap(({ halted, source }) => (halted ? [{ partition: source.partition, ...halted }] : [])),
      lastSignOfLife: this.membership?.lastSignOfLife ?? 0,
    };
  }

  close(): Promise<void> {
    return (this.closed ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    const membership = this.membership;
    this.closing.abort();
    await this.stopReaders();
    await membership?.leave();
    await this.supervising;
    await this.options.left(this);
  }
}
