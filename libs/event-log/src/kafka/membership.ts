import { setTimeout as pause } from 'node:timers/promises';
import { type Consumer, default as kafkajs } from 'kafkajs';
import { type EventLogLogger, messageOf } from '../errors.ts';
import { within } from './admin-client.ts';
import type { Client } from './client.ts';
import type { FetchedBatch } from './kafka-feed.ts';
import type { ConsumerGroup, JoinAware } from './patches.ts';

export interface MembershipOptions {
  client: Client;
  groupId: string;
  /** As the cluster calls it. */
  topic: string;
  sessionTimeoutMs: number;
  concurrency: number;
  /** From one read that brought something to the next. */
  gatherMs: number;
  logger: EventLogLogger;
  /** The group gave us these partitions; nothing is fetched before this returns. */
  assigned(partitions: number[]): void;
  /** The group is about to share out anew: finish and forget what is in hand. */
  revoked(): Promise<void>;
  /** False: the records were not taken. */
  fetched(partition: number, batch: FetchedBatch): boolean;
  /** These offsets hold nothing to deliver. */
  skipped(partition: number, lastOffset: bigint): void;
}

const HEARTBEAT_MS = 1_000;
const MAX_WAIT_MS = 100;
const REVOKE_WITHIN_MS = 20_000;
const COMMIT_EVERY_MS = 1_000;
const LEAVE_WITHIN_MS = 5_000;

/** One life of one kafkajs consumer: it ends when kafkajs gives up, or when it was silent for too long. */
export class Membership {
  /** Milliseconds since the epoch. */
  lastSignOfLife = Date.now();
  private confirmed = 0;
  private readonly consumer: Consumer;
  private group: ConsumerGroup | undefined;
  private readonly uncommitted = new Map<number, bigint>();
  private committing: NodeJS.Timeout | undefined;
  private finish!: (reason: string) => void;
  /** Resolves with the reason when kafkajs has given up. */
  readonly ended = new Promise<string>((resolve) => (this.finish = resolve));

  constructor(private readonly options: MembershipOptions) {
    this.consumer = options.client.kafka.consumer({
      groupId: options.groupId,
      sessionTimeout: options.sessionTimeoutMs,
      rebalanceTimeout: 60_000,
      heartbeatInterval: Math.min(HEARTBEAT_MS, options.sessionTimeoutMs / 3),
      maxWaitTimeInMs: MAX_WAIT_MS,
      metadataMaxAge: 60_000,
      allowAutoTopicCreation: false,
      partitionAssigners: [this.assigner()],
    });
    this.listen();
  }

  /** Joins in the background. */
  start(): void {
    this.run().catch((error: unknown) => this.finish(messageOf(error)));
  }

  private async run(): Promise<void> {
    const { topic, concurrency, gatherMs } = this.options;
    await this.consumer.connect();
    await this.consumer.subscribe({ topics: [topic], fromBeginning: true });
    await this.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: concurrency,
      // Never waits for handlers and never throws: they run beside the fetch loop, which keeps the membership alive.
      eachBatch: async (payload) => {
        const { batch } = payload;
        const fetched = batch as typeof batch & FetchedBatch;
        if (!payload.isStale() && this.options.fetched(batch.partition, fetched))
          payload.resolveOffset(batch.lastOffset());
        // kafkajs reads again when this resolves.
        if (gatherMs > 0) await pause(gatherMs);
      },
    });
  }

  private listen(): void {
    const { HEARTBEAT, GROUP_JOIN, FETCH, CRASH, START_BATCH_PROCESS } = this.consumer.events;
    this.consumer.on(HEARTBEAT, () => this.alive(true));
    this.consumer.on(FETCH, () => this.alive(false));
    this.consumer.on(GROUP_JOIN, ({ payload }) => {
      this.alive(true);
      const partitions = payload.memberAssignment[this.options.topic] ?? [];
      this.consumer.pause([{ topic: this.options.topic, partitions }]);
      this.options.assigned(partitions);
    });
    this.consumer.on(START_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize === 0) this.options.skipped(payload.partition, BigInt(payload.lastOffset));
    });
    // kafkajs's own restart is off: it never restarts after some errors, we always do.
    this.consumer.on(CRASH, ({ payload }) => this.finish(messageOf(payload.error)));
  }

  private alive(byGroup: boolean): void {
    this.lastSignOfLife = Date.now();
    if (byGroup) this.confirmed = Date.now();
  }

  /** True while the group has confirmed us within the session timeout. */
  isMember(): boolean {
    return Date.now() - this.confirmed < this.options.sessionTimeoutMs;
  }

  private assigner(): typeof kafkajs.PartitionAssigners.roundRobin {
    return (config) => Object.assign(kafkajs.PartitionAssigners.roundRobin(config), this.joinAware());
  }

  private joinAware(): JoinAware {
    return {
      beforeJoin: async (group) => {
        this.group = group;
        const heartbeats = setInterval(() => void this.heartbeat(group), HEARTBEAT_MS);
        try {
          await within(REVOKE_WITHIN_MS, this.options.revoked());
          await within(2_000, this.commitNow());
        } finally {
          clearInterval(heartbeats);
        }
        this.uncommitted.clear();
      },
    };
  }

  /** During a rebalance the answer is an error, but the session goes on. */
  private async heartbeat({ coordinator, groupId, memberId, generationId }: ConsumerGroup): Promise<void> {
    if (!coordinator || !memberId || generationId === null) return;
    await coordinator.heartbeat({ groupId, memberId, groupGenerationId: generationId }).catch(() => undefined);
  }

  seek(partition: number, offset: bigint): void {
    this.quietly(() => this.consumer.seek({ topic: this.options.topic, partition, offset: String(offset) }));
  }

  pause(partition: number): void {
    this.quietly(() => this.consumer.pause([{ topic: this.options.topic, partitions: [partition] }]));
  }

  resume(partition: number): void {
    this.quietly(() => this.consumer.resume([{ topic: this.options.topic, partitions: [partition] }]));
  }

  /** A consumer that has crashed meanwhile refuses; its partitions are assigned again anyway. */
  private quietly(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.options.logger.debug({ group: this.options.groupId, error: messageOf(error) }, 'consumer.gone');
    }
  }

  /** Remembers how far a partition is; written about once a second. */
  commit(partition: number, next: bigint): void {
    this.uncommitted.set(partition, next);
    this.committing ??= setTimeout(() => {
      this.committing = undefined;
      void this.commitNow();
    }, COMMIT_EVERY_MS);
  }

  /** Once, without trying again: a refusal means that somebody else has the partition now. */
  private async commitNow(): Promise<void> {
    clearTimeout(this.committing);
    this.committing = undefined;
    if (this.uncommitted.size === 0 || !this.group?.memberId) return;
    const partitions = [...this.uncommitted].map(([partition, next]) => ({ partition, offset: String(next) }));
    this.uncommitted.clear();
    try {
      await this.group.commitOffsets({ topics: [{ topic: this.options.topic, partitions }] });
      this.alive(true);
    } catch (error) {
      this.options.logger.debug({ group: this.options.groupId, error: messageOf(error) }, 'group-offset.not-committed');
    }
  }

  /** Commits and leaves the group; readers have been stopped before. */
  async leave(): Promise<void> {
    await within(2_000, this.commitNow());
    this.finish('left');
    await within(LEAVE_WITHIN_MS, this.consumer.disconnect());
    clearTimeout(this.committing);
    this.options.client.gate.close();
  }
}
