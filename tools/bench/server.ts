import { startPostgres, type TestServer } from '@tocsin/testing';
import type { Client, Pool } from 'pg';

/**
 * What even a small server gives PostgreSQL. The defaults of the embedded one are those of a laptop: 32 MB of buffers, and a checkpoint
 * for every 256 MB of its log, after which whole pages are logged again. It is as durable here as there.
 */
const SETTINGS = { shared_buffers: '512MB', max_wal_size: '4GB' } as const;

/** PostgreSQL for a benchmark: `TEST_DATABASE_URL`, else an embedded one with the settings of a small server. */
export const startServer = (): Promise<TestServer> => startPostgres({ ...SETTINGS });

/** Version and settings of the server, as a benchmark prints them. */
export async function nameOf(server: Pick<Client | Pool, 'query'>): Promise<string> {
  const names = ['server_version', ...Object.keys(SETTINGS), 'fsync', 'synchronous_commit'];
  const { rows } = await server.query<{ name: string; value: string }>(
    'select name, current_setting(name) as value from unnest($1::text[]) as name',
    [names],
  );
  const [version, ...settings] = rows.map(({ name, value }, index) => (index === 0 ? value : `${name} ${value}`));
  return `PostgreSQL ${version} (${settings.join(', ')})`;
}
