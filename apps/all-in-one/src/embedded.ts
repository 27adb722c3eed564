import { type EventLog } from '@tocsin/event-log';
import { openJournal, type StoredPosition } from '@tocsin/event-log/journal';
import { openKafka } from '@tocsin/event-log/kafka';
import { startEmbeddedPostgres } from '@tocsin/postgres/embedded';
import type { Logger, ShellEnvironment } from '@tocsin/nest-shell';
import pg from 'pg';
import type { DataDirectory } from './data-directory.ts';

/** A database that this process started, or the one it was pointed to. */
export interface Database {
  url: string;
  name: string;
  stop(): Promise<void>;
}

/** `DATABASE_URL`, else a Postgres of our own under the data directory; one that a killed parent left behind is taken over. */
export async function openDatabase(shell: ShellEnvironment, data: DataDirectory): Promise<Database> {
  if (shell.DATABASE_URL) return { url: shell.DATABASE_URL, name: 'DATABASE_URL', stop: async () => undefined };
  const embedded = await startEmbeddedPostgres({ directory: data.of('postgres') });
  return { url: embedded.connectionString, name: 'embedded Postgres', stop: () => embedded.stop() };
}

const POSITION_TABLES = `select table_schema from information_schema.tables where table_name = 'consumer_positions'`;

/** Positions that services hold: a journal that was lost must go on above them, never below. */
async function storedPositions(databaseUrl: string): Promise<StoredPosition[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ table_schema: string }>(POSITION_TABLES);
    if (tables.length === 0) return [];
    const all = tables.map(({ table_schema }) => `select topic, partition, next_offset from ${client.escapeIdentifier(table_schema)}.consumer_positions`);
    const { rows } = await client.query<{ topic: string; partition: number; next: string }>(
      `select topic, partition, max(next_offset)::text as next from (${all.join(' union all ')}) as positions group by topic, partition`,
    );
    return rows.map(({ topic, partition, next }) => ({ topic, partition, next: BigInt(next) }));
  } finally {
    await client.end();
  }
}

/** `KAFKA_BROKERS`, else the journal under the data directory. */
export async function openLog(shell: ShellEnvironment, data: DataDirectory, databaseUrl: string, log: Logger): Promise<EventLog> {
  if (shell.KAFKA_BROKERS) {
    return openKafka({
      brokers: shell.KAFKA_BROKERS.split(','),
      clientId: 'tocsin-all-in-one',
      prefix: shell.TOPIC_PREFIX ?? '',
      replication: shell.TOPIC_REPLICATION,
      logger: log,
    });
  }
  return openJournal({ directory: data.of('log'), logger: log, startAbove: () => storedPositions(databaseUrl) });
}
