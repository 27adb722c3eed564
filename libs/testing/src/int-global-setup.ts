import { startPostgres } from './postgres.ts';

/** Starts the servers of a test run once; workers inherit their addresses through the environment. */
export default async function setup(): Promise<() => Promise<void>> {
  const postgres = await startPostgres();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  return () => postgres.stop();
}
