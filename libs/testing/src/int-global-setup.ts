import { testKafka } from './kafka.ts';
import { startPostgres } from './postgres.ts';

/** Starts the servers of a test run once, both at a time; workers inherit their addresses through the environment. */
export default async function setup(): Promise<() => Promise<void>> {
  const [postgres, kafka] = await Promise.all([startPostgres(), testKafka()]);
  process.env['TEST_DATABASE_URL'] = postgres.url;
  process.env['TEST_KAFKA_BROKERS'] = kafka.brokers.join(',');
  return async () => {
    await Promise.all([postgres.stop(), kafka.stop()]);
  };
}
