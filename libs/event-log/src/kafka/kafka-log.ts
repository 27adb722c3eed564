import { randomUUID } from 'node:crypto';
import type { Topic, TopicDefinition } from '@tocsin/contracts';
import { EventLogError, type EventLogLogger, messageOf, silentLogger } from '../errors.ts';
import { partitionOf } from '../partition-of.ts';
import type { AppendRecord, BatchHandler, ConsumeOptions, EventLog, LogConsumer } from '../port.ts';
import { assertSize } from '../record-bytes.ts';
import { AdminClient, within } from './admin-client.ts';
import { type Client, createClient, type KafkaOptions } from './client.ts';
import { KafkaConsumer } from './kafka-consumer.ts';
import { Positions } from './positions.ts';
import { type Placed, ProducerLane } from './producer-lane.ts';
import { Topics } from './topics.ts';

const APPEND_TIMEOUT_MS = 10_000;
const SESSION_TIMEOUT_MS = 6_000;

/** The event log on a Kafka cluster. */
export class KafkaLog implements EventLog {
  readonly kind = 'kafka';
  private readonly logger: EventLogLogger;
  private readonly admin: AdminClient;
  private readonly topics: Topics;
  private readonly positions: Positions;
  private readonly lane: ProducerLane;
  private readonly consumers = new Set<KafkaConsumer>();
  private closing: Promise<void> | undefined;
  /** Resolves when all appends that came before have their place in the queue. */
  private asking: Promise<void> | undefined;

  constructor(private readonly options: KafkaOptions) {
    this.logger = options.logger ?? silentLogger;
    const prefix = options.prefix ?? '';
    const appendTimeoutMs = options.appendTimeoutMs ?? APPEND_TIMEOUT_MS;
    // Tries for about as long as the deadline lets it, so that a producer that was thrown away ends soon.
    const retries = Math.ceil(appendTimeoutMs / 1_000) + 4;
    this.admin = new AdminClient(() => this.client(retries));
    this.topics = new Topics(this.admin, prefix, options.replication ?? 1);
    this.positions = new Positions(this.admin, this.topics, prefix);
    this.lane = new ProducerLane(() => this.client(retries), appendTimeoutMs);
  }

  private client(retries?: number): Client {
    return createClient({ ...this.options, logger: this.logger }, retries);
  }

  append(records: readonly AppendRecord[]): Promise<void> {
    if (this.closing) return Promise.reject(new EventLogError('log-closed', 'the log is closed'));
    if (records.length === 0) return Promise.resolve();
    const known = this.asking ? undefined : this.knownCounts(records);
    if (known) return this.place(records, known);
    // Appends whose topics have to be asked for first keep their order, and what comes after them waits behind them.
    const asked = (this.asking ?? Promise.resolve()).then(() =>
      Promise.all(topicsOf(records).map((topic) => this.topics.partitionsOf(topic))),
    );
    const turn = asked.then(
      () => undefined,
      () => undefined,
    );
    this.asking = turn;
    void turn.then(() => {
      if (this.asking === turn) this.asking = undefined;
    });
    return asked.then(() => this.place(records, this.knownCounts(records)!));
  }

  private knownCounts(records: readonly AppendRecord[]): Map<string, number> | undefined {
    const counts = new Map<string, number>();
    for (const topic of topicsOf(records)) {
      const known = this.topics.known(topic);
      if (known === undefined) return undefined;
      counts.set(topic, known);
    }
    return counts;
  }

  private place(records: readonly AppendRecord[], counts: Map<string, number>): Promise<void> {
    try {
      return this.lane.append(records.map((record) => this.placeOne(record, counts.get(record.topic)!)));
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private placeOne(record: AppendRecord, partitions: number): Placed {
    const bytes = assertSize(record);
    const partition = partitionOf(record.key, partitions);
    const { buffer, byteOffset, byteLength } = record.value;
    return {
      topic: this.topics.nameOf(record.topic),
      partition,
      bytes,
      message: {
        key: record.key,
        value: Buffer.from(buffer, byteOffset, byteLength),
        headers: record.headers,
        partition,
      },
    };
  }

  async consume(options: ConsumeOptions, handler: BatchHandler): Promise<LogConsumer> {
    this.assertOpen();
    const { group, topic } = options;
    const partitionCount = await this.topics.partitionsOf(topic);
    const broadcast = options.mode === 'broadcast-from-end';
    const groupId = this.positions.groupIdOf(group, topic) + (broadcast ? `.${randomUUID()}` : '');
    const ends = broadcast ? (await this.positions.offsets(topic)).partitions : undefined;
    const consumer = new KafkaConsumer({
      ...options,
      handler,
      groupId,
      topicName: this.topics.nameOf(topic),
      partitionCount,
      sessionTimeoutMs: this.options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
      positions: this.positions,
      createClient: () => this.client(),
      logger: this.logger,
      ends: ends && new Map(ends.map(({ partition, end }) => [partition, end])),
      left: (closed) => this.left(closed, broadcast ? groupId : undefined),
    });
    this.consumers.add(consumer);
    return consumer;
  }

  private async left(consumer: KafkaConsumer, ephemeralGroup: string | undefined): Promise<void> {
    this.consumers.delete(consumer);
    if (ephemeralGroup === undefined) return;
    const removed = this.admin
      .run((admin) => admin.deleteGroups([ephemeralGroup]))
      .catch((error: unknown) => {
        // An empty group expires by itself after a week.
        this.logger.debug({ group: ephemeralGroup, error: messageOf(error) }, 'group.not-removed');
      });
    await within(1_000, removed);
  }

  offsets(topic: Topic): ReturnType<EventLog['offsets']> {
    return this.positions.offsets(topic);
  }

  lag(group: string, topics: readonly Topic[]): ReturnType<EventLog['lag']> {
    return this.positions.lag(group, topics);
  }

  ensureTopics(table: Readonly<Record<string, TopicDefinition>>): Promise<void> {
    return this.topics.ensure(table);
  }

  close(): Promise<void> {
    return (this.closing ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    await Promise.all([...this.consumers].map((consumer) => consumer.close()));
    await this.lane.close();
    await this.admin.close();
  }

  private assertOpen(): void {
    if (this.closing) throw new EventLogError('log-closed', 'the log is closed');
  }
}

const topicsOf = (records: readonly AppendRecord[]): Topic[] => [...new Set(records.map(({ topic }) => topic))];
