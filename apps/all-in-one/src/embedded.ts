import type { EventLog } from '@tocsin/event-log';
import { openJournal, type Journal, type StoredPosition } from '@tocsin/event-log/journal';
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

async function withDatabase<T>(databaseUrl: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function positionTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ table_schema: string }>(POSITION_TABLES);
  return rows.map(({ table_schema }) => `${client.escapeIdentifier(table_schema)}.consumer_positions`);
}

/** Positions that services hold: a journal that was lost must go on above them, never below. */
const storedPositions = (databaseUrl: string): Promise<StoredPosition[]> =>
  withDatabase(databaseUrl, async (client) => {
    const tables = await positionTables(client);
    if (tables.length === 0) return [];
    const all = tables.map((table) => `select topic, partition, next_offset from ${table}`);
    const { rows } = await client.query<{ topic: string; partition: number; next: string }>(
      `select topic, partition, max(next_offset)::text as next from (${all.join(' union all ')}) as positions group by topic, partition`,
    );
    return rows.map(({ topic, partition, next }) => ({ topic, partition, next: BigInt(next) }));
  });

/** One service may have read further than another: each goes on where the new journal begins, and what lay between is a gap. */
const GO_ON = `
  with begun as (select * from unnest($2::text[], $3::int[], $4::bigint[]) as b (topic, partition, next)),
  before as (select p.* from %TABLE% as p where p.log_id <> $1 for update)
  update %TABLE% as p set log_id = $1, next_offset = greatest(p.next_offset, begun.next)
  from begun, before
  where p.topic = begun.topic and p.partition = begun.partition
    and before.consumer_group = p.consumer_group and before.topic = p.topic and before.partition = p.partition
  returning greatest(begun.next - before.next_offset, 0)::int as skipped`;

/**
 * A journal that was lost (its folder deleted) was begun anew above every position; the positions go on in it. What the old
 * one held and nobody had read is gone, and the log says so: with a broker, a service would halt here until a person has looked.
 */
const goOnIn = (journal: Journal, databaseUrl: string, log: Logger): Promise<void> =>
  withDatabase(databaseUrl, async (client) => {
    const begun = await storedPositions(databaseUrl);
    const columns = [
      begun.map(({ topic }) => topic),
      begun.map(({ partition }) => partition),
      begun.map(({ next }) => String(next)),
    ];
    for (const table of await positionTables(client)) {
      const { rows } = await client.query<{ skipped: number }>(GO_ON.replaceAll('%TABLE%', table), [
        journal.logId,
        ...columns,
      ]);
      const skipped = rows.reduce((sum, row) => sum + row.skipped, 0);
      if (rows.length > 0) log.error({ table, positions: rows.length, skipped, logId: journal.logId }, 'journal.lost');
    }
  });

/** `KAFKA_BROKERS`, else the journal under the data directory. */
export async function openLog(
  shell: ShellEnvironment,
  data: DataDirectory,
  databaseUrl: string,
  log: Logger,
): Promise<EventLog> {
  if (shell.KAFKA_BROKERS) {
    return openKafka({
      brokers: shell.KAFKA_BROKERS.split(','),
      clientId: 'tocsin-all-in-one',
      prefix: shell.TOPIC_PREFIX ?? '',
      replication: shell.TOPIC_REPLICATION,
      logger: log,
    });
  }
  const journal = await openJournal({
    directory: data.of('log'),
    logger: log,
    startAbove: () => storedPositions(databaseUrl),
  });
  if (journal.created) await goOnIn(journal, databaseUrl, log);
  return journal;
}
