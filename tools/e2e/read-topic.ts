import { topics, type Topic } from '@tocsin/contracts';
import type { EventLog, LogRecord } from '@tocsin/event-log';
import { uniquePrefix, waitFor } from '@tocsin/testing';

/** Every record of a topic, from its first to its present end, in offset order per partition. */
export async function readTopic(log: EventLog, topic: Topic): Promise<LogRecord[]> {
  await log.ensureTopics({ [topic]: topics[topic] });
  const { partitions } = await log.offsets(topic);
  const missing = new Map(
    partitions.filter(({ first, end }) => end > first).map(({ partition, end }) => [partition, end]),
  );
  const byPartition = new Map<number, LogRecord[]>();
  const consumer = await log.consume(
    {
      topic,
      group: `reader-${uniquePrefix()}`,
      mode: 'group',
      onAssigned: (_source, { first }) => Promise.resolve({ seek: first }),
    },
    ({ source: { partition }, records }) => {
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), ...records]);
      const next = (records.at(-1)?.offset ?? -1n) + 1n;
      if (next >= (missing.get(partition) ?? 0n)) missing.delete(partition);
      return Promise.resolve({ kind: 'committed', next });
    },
  );
  await waitFor(() => missing.size === 0, { timeoutMs: 60_000, what: `every record of ${topic}` });
  await consumer.close();
  return [...byPartition.values()].flat();
}
