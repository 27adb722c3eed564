import type { Topic } from '@tocsin/contracts';
import { openKafka } from '../index.ts';

/** A consumer in a process of its own, to be stopped or killed. Says what it does in JSON lines. */
export interface ConsumerArguments {
  brokers: string[];
  prefix: string;
  topic: Topic;
  group: string;
  sessionTimeoutMs: number;
  /** Milliseconds that each batch takes. */
  busyMs: number;
}
export type ConsumerLine =
  { kind: 'began' | 'done'; values: string[] } | { kind: 'status'; ready: boolean; partitions: number[] };

const say = (line: ConsumerLine): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
const { brokers, prefix, topic, group, sessionTimeoutMs, busyMs } = JSON.parse(
  process.argv[2] ?? '{}',
) as ConsumerArguments;

const log = await openKafka({ brokers, clientId: 'consumer-process', prefix, sessionTimeoutMs });
const consumer = await log.consume({ topic, group, mode: 'group', maxRecords: 5 }, async (batch) => {
  const values = batch.records.map(({ value }) => value.toString());
  say({ kind: 'began', values });
  await new Promise((resolve) => setTimeout(resolve, busyMs));
  say({ kind: 'done', values });
  return { kind: 'committed', next: batch.records[batch.records.length - 1]!.offset + 1n };
});
setInterval(() => {
  const { ready, partitions } = consumer.status();
  say({ kind: 'status', ready, partitions });
}, 50);
