import { services, type ServiceName } from '@tocsin/contracts';
import {
  ConfigurationStore,
  connectorCatalogue,
  controlPlane,
  newDemoCredentials,
  seedDemo,
  type DemoCredentials,
} from '@tocsin/control-plane';
import { parseAllowList } from '@tocsin/domain/delivery';
import { dedupCorrelator } from '@tocsin/dedup-correlator';
import { incidentStore } from '@tocsin/incident-store';
import { ingressGateway } from '@tocsin/ingress-gateway';
import {
  loadConfig,
  ShellEnvironment,
  startApplication,
  startPlatform,
  type Platform,
  type RunningApplication,
  type ServiceDefinition,
} from '@tocsin/nest-shell';
import { normalizer } from '@tocsin/normalizer';
import { outboundDispatcher } from '@tocsin/outbound-dispatcher';
import { rcaTrigger } from '@tocsin/rca-trigger';
import { setTimeout as pause } from 'node:timers/promises';
import { DEFAULT_PORT } from './config.ts';
import { DataDirectory } from './data-directory.ts';
import { takeLock } from '@tocsin/event-log/journal';
import { openDatabase, openLog, type Database } from './embedded.ts';
import { SinkModule } from './sink/sink.module.ts';
import { SinkStore } from './sink/sink-store.ts';

export const definitions: readonly ServiceDefinition[] = [
  controlPlane,
  ingressGateway,
  normalizer,
  dedupCorrelator,
  incidentStore,
  rcaTrigger,
  outboundDispatcher,
];

/** The demo's own receiver is on loopback, which outbound requests must not reach otherwise. */
const DEMO_OUTBOUND_ALLOW = '127.0.0.1+http,localhost+http,::1+http';

export interface AllInOne {
  url: string;
  demo: DemoCredentials;
  database: string;
  log: 'journal' | 'kafka';
  dataDirectory: string;
  close(): Promise<void>;
}

/** Starts every service in one process. @param environment usually `process.env` */
export async function startAllInOne(environment: Record<string, string | undefined>): Promise<AllInOne> {
  const shell = loadConfig(ShellEnvironment, environment);
  const data = new DataDirectory(shell.TOCSIN_DATA_DIR);
  // First of all: a second process on this folder must be refused before it touches the first one's database.
  const lock = await lockOf(data);
  const database = await openDatabase(shell, data).catch((error: unknown) => {
    lock.release();
    throw error;
  });
  let platform: Platform | undefined;
  try {
    platform = await startShared(shell, data, database, environment);
    const demo = data.demo(() => newDemoCredentials(platform as Platform));
    const { feed, health } = platform;
    health.also(() => ({
      name: 'demo workspace',
      ok: feed.webhook(demo.webhookId) !== undefined && feed.subscriptions(demo.workspaceId).length > 0,
    }));
    const application = await startApplication(
      platform,
      [
        ...definitions.map(({ module }) => module),
        SinkModule.of({ store: new SinkStore(data.of('sink.json')), secret: demo.subscriptionSecret }),
      ],
      [...services] as ServiceName[],
      { host: shell.HOST, port: shell.PORT ?? DEFAULT_PORT },
    );
    await seed(platform, application, demo);
    data.announce({ pid: process.pid, url: application.url, startedAt: platform.clock().toISOString() });
    return {
      url: application.url,
      demo,
      database: database.name,
      log: platform.eventLog.kind,
      dataDirectory: data.path,
      close: async () => {
        await application.close();
        await database.stop();
        data.leave();
        lock.release();
      },
    };
  } catch (error) {
    await platform?.close().catch(() => undefined);
    await database.stop();
    lock.release();
    throw error;
  }
}

/** A process that was killed a moment ago may still be going; one that lives on is told after this long. */
const LOCK_PATIENCE_MS = 5_000;

async function lockOf(data: DataDirectory): Promise<ReturnType<typeof takeLock>> {
  const since = performance.now();
  for (;;) {
    try {
      return takeLock(data.path);
    } catch (error) {
      if ((error as { code?: string }).code !== 'log-locked' || performance.now() - since > LOCK_PATIENCE_MS)
        throw error;
    }
    await pause(100);
  }
}

function startShared(
  shell: ShellEnvironment,
  data: DataDirectory,
  database: Database,
  environment: Record<string, string | undefined>,
): Promise<Platform> {
  const own = data.keys();
  return startPlatform({
    name: 'all-in-one',
    shell,
    environment: { OUTBOUND_ALLOW: DEMO_OUTBOUND_ALLOW, ...environment, DATABASE_URL: database.url },
    databaseUrl: database.url,
    keyRing: shell.TOCSIN_KEY_RING ?? own.keyRing,
    pepper: shell.TOCSIN_API_KEY_PEPPER ?? own.pepper,
    openLog: (log) => openLog(shell, data, database.url, log),
    definitions,
  });
}

/** The demo needs the address of its own sink, which is known only once the server listens. */
async function seed(platform: Platform, application: RunningApplication, demo: DemoCredentials): Promise<void> {
  const { clock, keyRing, random } = platform;
  const store = new ConfigurationStore(platform.pools.pipeline, clock);
  await seedDemo({ store, keyRing, random, now: clock }, demo, {
    subscriptionUrl: `${application.url}/sink`,
    allow: parseAllowList(platform.environment.OUTBOUND_ALLOW ?? DEMO_OUTBOUND_ALLOW),
    connectors: connectorCatalogue,
  });
  await store.close();
  await platform.feed.refresh();
  while (!platform.feed.webhook(demo.webhookId)) await platform.feed.atLeast(platform.feed.revision() + 1, 1_000);
}
