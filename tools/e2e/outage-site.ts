import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base32 } from '@tocsin/contracts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@tocsin/postgres/embedded';
import { freePort, Split, startKafkaBroker, type AppProcess, type KafkaBroker } from '@tocsin/testing';
import { serviceOf } from './sites.ts';

/** Seven processes and a second gateway on a broker and a database of their own, which a test may take away and give back. */
export interface OutageSite {
  apiKey: string;
  prefix: string;
  broker: KafkaBroker;
  split: Split;
  gateways: [AppProcess, AppProcess];
  databaseUrl: string;
  at(path: string): string;
  stopDatabase(): Promise<void>;
  startDatabase(): Promise<void>;
  remove(): Promise<void>;
}

export async function outageSite(): Promise<OutageSite> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-outage-'));
  await chmod(directory, 0o755);
  const options = {
    directory: join(directory, 'postgres'),
    port: await freePort(),
    settings: { max_connections: '200' },
  };
  const [started, broker] = await Promise.all([
    startEmbeddedPostgres(options),
    startKafkaBroker({ directory: join(directory, 'kafka') }),
  ]);
  let database: EmbeddedPostgres = started;
  const apiKey = `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`;
  const prefix = 'outage.';
  const split = await Split.start({
    databaseUrl: database.connectionString,
    brokers: broker.brokers,
    prefix,
    directory,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    bootstrapApiKey: apiKey,
  });
  const gateways: [AppProcess, AppProcess] = [split.process('ingress-gateway'), await split.replica('ingress-gateway')];
  return {
    apiKey,
    prefix,
    broker,
    split,
    gateways,
    databaseUrl: database.connectionString,
    at: (path) => split.url(serviceOf(path)),
    stopDatabase: () => database.stop(),
    startDatabase: async () => {
      database = await startEmbeddedPostgres(options);
    },
    remove: async () => {
      await split.stop();
      await Promise.all([database.stop(), broker.stop()]);
      await rm(await realpath(join(options.directory, 'server')), { recursive: true, force: true }).catch(
        () => undefined,
      );
      await rm(directory, { recursive: true, force: true });
    },
  };
}
