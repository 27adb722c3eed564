import type { EventLog } from '../port.ts';
import type { KafkaOptions } from './client.ts';
import { KafkaLog } from './kafka-log.ts';

export type { KafkaOptions } from './client.ts';

/** An event log on a Kafka cluster (Apache Kafka 2.1 to 4.x). Connects when it is first used, and waits for a broker that is away. */
export function openKafka(options: KafkaOptions): Promise<EventLog> {
  if (options.brokers.length === 0) return Promise.reject(new Error('no Kafka brokers were given'));
  return Promise.resolve(new KafkaLog(options));
}
