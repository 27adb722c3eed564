import kafkajs, { type PartitionerArgs } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { partitionOf } from './partition-of.ts';

describe('the partition of a key', () => {
  const kafkas = kafkajs.Partitioners.DefaultPartitioner();
  const metadata = (partitions: number): PartitionerArgs['partitionMetadata'] =>
    Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      leader: 1,
      partitionErrorCode: 0,
      replicas: [1],
      isr: [1],
    }));

  it.each([1, 4, 12])('is the one that Kafka clients choose, of %s partitions', (partitions) => {
    const keys = Array.from({ length: 500 }, (_, i) => `key-${i}`.repeat(1 + (i % 5)).slice(i % 4));
    for (const key of ['', 'schlüssel', '事件', ...keys])
      expect(partitionOf(key, partitions)).toBe(
        kafkas({ topic: 't', partitionMetadata: metadata(partitions), message: { key, value: null } }),
      );
  });
});
