import { MAX_MESSAGE_BYTES, type TopicDefinition } from '@tocsin/contracts';
import type { Admin, ITopicConfig } from 'kafkajs';
import { EventLogError, PartitionMismatch } from '../errors.ts';
import type { AdminClient } from './admin-client.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const VISIBLE_AFTER = { tries: 100, pauseMs: 50 };
const ASK_EVERY = 25;

/** What the driver knows of the cluster's topics. */
export class Topics {
  private readonly partitions = new Map<string, number>();

  constructor(
    private readonly admin: AdminClient,
    private readonly prefix: string,
    private readonly replication: number,
  ) {}

  /** The topic's name in the cluster. */
  nameOf(topic: string): string {
    return this.prefix + topic;
  }

  /** Partitions of a topic, if they have been asked for before. */
  known(topic: string): number | undefined {
    return this.partitions.get(topic);
  }

  /** @throws EventLogError `unknown-topic` */
  async partitionsOf(topic: string): Promise<number> {
    const known = this.partitions.get(topic);
    if (known !== undefined) return known;
    const found = (await this.admin.run((admin) => this.found(admin))).get(this.nameOf(topic));
    if (found === undefined)
      throw new EventLogError(
        'unknown-topic',
        `the cluster has no topic ${this.nameOf(topic)}; create it with ensureTopics first`,
      );
    this.partitions.set(topic, found);
    return found;
  }

  /** Creates what is missing and compares what is there. Several processes may do so at once. @throws PartitionMismatch */
  async ensure(table: Readonly<Record<string, TopicDefinition>>): Promise<void> {
    await this.admin.run(async (admin) => {
      for (let tries = 0; ; tries++) {
        const found = await this.found(admin);
        const missing = Object.keys(table).filter((topic) => !found.has(this.nameOf(topic)));
        for (const [topic, { partitions }] of Object.entries(table))
          this.compare(topic, partitions, found.get(this.nameOf(topic)));
        if (missing.length === 0) return;
        if (tries >= VISIBLE_AFTER.tries)
          throw new Error(`topics were created, but the cluster does not show them: ${missing.join(', ')}`);
        // Asked for again now and then only: a new topic shows itself a moment after it was created.
        if (tries % ASK_EVERY === 0) for (const topic of missing) await this.create(admin, topic, table[topic]!);
        else await new Promise((resolve) => setTimeout(resolve, VISIBLE_AFTER.pauseMs));
      }
    });
  }

  /** One by one: a topic that another process has just created must not hide the others. */
  private async create(admin: Admin, topic: string, definition: TopicDefinition): Promise<void> {
    await admin.createTopics({ waitForLeaders: false, topics: [this.definition(topic, definition)] });
  }

  private compare(topic: string, expected: number, found: number | undefined): void {
    if (found === undefined) return;
    if (found !== expected) throw new PartitionMismatch(this.nameOf(topic), expected, found);
    this.partitions.set(topic, found);
  }

  /** Partitions of every topic that has a leader for each of them. */
  private async found(admin: Admin): Promise<Map<string, number>> {
    const ours = (await admin.listTopics()).filter((name) => name.startsWith(this.prefix));
    if (ours.length === 0) return new Map();
    const { topics } = await admin.fetchTopicMetadata({ topics: ours });
    const usable = topics.filter(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
    return new Map(usable.map(({ name, partitions }) => [name, partitions.length]));
  }

  private definition(topic: string, { partitions, retentionMs }: TopicDefinition): ITopicConfig {
    // Records expire by whole segment files: a short retention needs short segments.
    const segmentMs = Math.min(Math.max((retentionMs ?? DAY_MS) / 2, 10 * MINUTE_MS), 7 * DAY_MS);
    const configuration: Record<string, string> = {
      'max.message.bytes': String(MAX_MESSAGE_BYTES),
      'segment.ms': String(segmentMs),
      ...(retentionMs === null
        ? { 'cleanup.policy': 'compact' }
        : { 'cleanup.policy': 'delete', 'retention.ms': String(retentionMs) }),
      ...(this.replication >= 3 ? { 'min.insync.replicas': '2' } : {}),
    };
    return {
      topic: this.nameOf(topic),
      numPartitions: partitions,
      replicationFactor: this.replication,
      configEntries: Object.entries(configuration).map(([name, value]) => ({ name, value })),
    };
  }
}
