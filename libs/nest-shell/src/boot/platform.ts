import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { schemaOf, topics } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { createPools, migrate } from '@tocsin/postgres';
import { pino } from 'pino';
import type { ShellConfig, ShellEnvironment } from '../config.ts';
import type { ConfigurationFeed } from '../configuration/feed.ts';
import { PostgresConfigurationFeed } from '../configuration/postgres-feed.ts';
import { Health } from '../health/health.ts';
import { Assignments } from '../log/assignments.ts';
import { createKeyRing, type KeyRing } from '../secrets/key-ring.ts';
import type { Clock, Environment, Logger, Random } from '../tokens.ts';
import type { ServiceDefinition } from './service-definition.ts';
import { waitForComponent } from './wait-for-component.ts';

/** Everything that services of one process share. Made once at boot, closed last. */
export interface Platform {
  config: ShellConfig;
  environment: Environment;
  eventLog: EventLog;
  /** Where the boot did not wait for the log: resolves when its topics are there, rejects where it can never be used. */
  logReady?: Promise<void>;
  pools: ReturnType<typeof createPools>;
  feed: ConfigurationFeed & { close(): Promise<void> };
  keyRing: KeyRing;
  health: Health;
  assignments: Assignments;
  clock: Clock;
  random: Random;
  log: Logger;
  close(): Promise<void>;
}

export interface PlatformOptions {
  /** Name of the process in logs and of its snapshot file. */
  name: string;
  shell: ShellEnvironment;
  environment: Environment;
  databaseUrl: string;
  keyRing: string;
  pepper: string;
  openLog(log: Logger): Promise<EventLog>;
  definitions: readonly ServiceDefinition[];
  /** Runs after the migrations and before the configuration is loaded, e.g. to seed a first workspace. */
  prepare?(parts: { keyRing: KeyRing; databaseUrl: string; log: Logger }): Promise<void>;
}

export const createLogger = (name: string, level: string): Logger =>
  pino({
    level,
    base: { service: name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['*.authorization', '*.password', '*.secret', '*.connectionString'],
  });

/** Waits for Postgres and the log, brings schemas and topics up to date, and loads the configuration. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { name, shell, databaseUrl, definitions } = options;
  const log = createLogger(name, shell.LOG_LEVEL);
  const clock: Clock = () => new Date();
  const random: Random = (bytes) => randomBytes(bytes);
  const keyRing = createKeyRing(options.keyRing, options.pepper, random);
  const eventLog = await options.openLog(log);
  for (const { name: service, migrations } of definitions) {
    if (!migrations) continue;
    await waitForComponent(`database (${service})`, log, () =>
      migrate({ connectionString: databaseUrl, schema: schemaOf(service), directory: migrations }),
    );
  }
  const logReady = waitForComponent('event log', log, () => eventLog.ensureTopics(topics));
  const withoutLog = definitions.every(({ worksWithoutLog }) => worksWithoutLog);
  if (withoutLog)
    logReady.catch(() => undefined); // who runs the application looks at it
  else await logReady;
  await options.prepare?.({ keyRing, databaseUrl, log });
  const pools = createPools({
    connectionString: databaseUrl,
    max: shell.DATABASE_POOL_MAX,
    applicationName: `tocsin-${name}`,
  });
  const feed = new PostgresConfigurationFeed({
    connectionString: options.environment.CONFIGURATION_URL ?? databaseUrl,
    keyRing,
    log,
    snapshotFile: join(shell.TOCSIN_DATA_DIR, 'configuration', `${name}.sealed`),
  });
  await feed.start();
  return {
    config: {
      publicUrl: shell.TOCSIN_PUBLIC_URL ?? '',
      databaseUrl,
      dataDirectory: shell.TOCSIN_DATA_DIR,
      development: shell.TOCSIN_DEVELOPMENT,
    },
    environment: options.environment,
    eventLog,
    ...(withoutLog ? { logReady } : {}),
    pools,
    feed,
    keyRing,
    health: new Health({ pool: pools.pipeline, feed, eventLog, alone: definitions.length === 1 }),
    assignments: new Assignments(),
    clock,
    random,
    log,
    close: async () => {
      await eventLog.close();
      await feed.close();
      await pools.close();
    },
  };
}
