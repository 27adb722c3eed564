import type { Topic } from '@tocsin/contracts';
import type { EventLog } from '../port.ts';
import type { AdminClient } from './admin-client.ts';
import type { Topics } from './topics.ts';

export type TopicOffsets = Awaited<ReturnType<EventLog['offsets']>>;

/** What the cluster says of offsets. Equal questions at the same time are asked once. */
export class Positions {
  private readonly asked = new Map<string, Promise<unknown>>();

  constructor(
    private readonly admin: AdminClient,
    private readonly topics: Topics,
    private readonly prefix: string,
  ) {}

  /** The group's name in the cluster: one group per service and topic, since each consumer hears one topic. */
  groupIdOf(group: string, topic: string): string {
    return `${this.prefix}${group}.${topic}`;
  }

  offsets(topic: Topic): Promise<TopicOffsets> {
    return this.once(`offsets ${topic}`, async () => {
      await this.topics.partitionsOf(topic);
      return this.admin.run(async (admin) => {
        const { clusterId } = await admin.describeCluster();
        const found = await admin.fetchTopicOffsets(this.topics.nameOf(topic));
        const partitions = found.map(({ partition, low, high }) => ({
          partition,
          first: BigInt(low),
          end: BigInt(high),
        }));
        return { logId: clusterId, partitions: partitions.sort((a, b) => a.partition - b.partition) };
      });
    });
  }

  /** Committed offsets by partition; one without is absent. */
  committed(group: string, topic: Topic): Promise<Map<number, bigint>> {
    return this.once(`committed ${group} ${topic}`, async () => {
      const found = await this.admin.run((admin) =>
        admin.fetchOffsets({ groupId: this.groupIdOf(group, topic), topics: [this.topics.nameOf(topic)] }),
      );
      const offsets = (found[0]?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)] as const);
      return new Map(offsets.filter(([, offset]) => offset >= 0n));
    });
  }

  async lag(group: string, topics: readonly Topic[]): ReturnType<EventLog['lag']> {
    const lags = await Promise.all(
      topics.map(async (topic) => {
        const [{ partitions }, committed] = await Promise.all([this.offsets(topic), this.committed(group, topic)]);
        return partitions.map(({ partition, first, end }) => {
          const done = committed.get(partition) ?? first;
          const from = done < first ? first : done;
          return { topic, partition, lag: from > end ? 0n : end - from };
        });
      }),
    );
    return lags.flat();
  }

  private once<T>(question: string, ask: () => Promise<T>): Promise<T> {
    const running = this.asked.get(question) as Promise<T> | undefined;
    if (running) return running;
    const asked = ask().finally(() => this.asked.delete(question));
    this.asked.set(question, asked);
    return asked;
  }
}
