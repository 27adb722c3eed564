import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EventLog } from '@tocsin/event-log';
import { DatabaseUrlError } from './config.ts';
import type { Terminal } from './terminal.ts';

/**
 * The event log that a command reads: of `KAFKA_BROKERS`, else the journal of an all-in-one that is stopped.
 * @throws DatabaseUrlError where there is neither
 */
export async function openEventLog({ environment }: Terminal): Promise<EventLog> {
  const brokers = environment['KAFKA_BROKERS'];
  if (brokers) {
    const { openKafka } = await import('@tocsin/event-log/kafka');
    const prefix = environment['TOPIC_PREFIX'] ?? '';
    return openKafka({ brokers: brokers.split(','), clientId: 'tocsin-cli', prefix });
  }
  const directory = join(environment['TOCSIN_DATA_DIR'] || '.tocsin', 'log');
  if (!existsSync(directory))
    throw new DatabaseUrlError(`KAFKA_BROKERS is not set, and there is no journal in ${directory} (TOCSIN_DATA_DIR)`);
  const { openJournal } = await import('@tocsin/event-log/journal');
  return openJournal({ directory });
}
