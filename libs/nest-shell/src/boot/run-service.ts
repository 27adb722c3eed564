import { ADMIN_PORT_OFFSET, defaultPortOf } from '@tocsin/contracts';
import { openKafka } from '@tocsin/event-log/kafka';
import { ConfigError, loadConfig, ShellEnvironment } from '../config.ts';
import { startAdminServer } from '../health/admin-server.ts';
import { startApplication, type RunningApplication } from './application.ts';
import { createLogger, startPlatform, type PlatformOptions } from './platform.ts';
import type { ServiceDefinition } from './service-definition.ts';

/** A service alone cannot invent these: two processes with different ones would not understand each other. */
function required(shell: ShellEnvironment) {
  const { DATABASE_URL, KAFKA_BROKERS, TOCSIN_KEY_RING, TOCSIN_API_KEY_PEPPER } = shell;
  const needed = { DATABASE_URL, KAFKA_BROKERS, TOCSIN_KEY_RING, TOCSIN_API_KEY_PEPPER };
  const missing = Object.entries(needed).filter(([, value]) => !value);
  if (missing.length > 0) {
    throw new ConfigError(
      missing.map(([variable]) => ({ variable, message: 'is needed by a service that runs alone' })),
    );
  }
  return needed as { [K in keyof typeof needed]: string };
}

/** How long a shutdown may take before the process gives up; work in hand is safe either way, it is redone. */
const SHUTDOWN_DEADLINE_MS = 25_000;

/** A terminal's Ctrl-C may reach a process twice (from the group and from its parent); later, a second signal is meant. */
const SAME_SIGNAL_MS = 1_500;

/** Ends the process on SIGTERM and SIGINT: work in hand is finished first. A second signal ends it at once. */
export function closeOnSignals(
  application: Pick<RunningApplication, 'close'>,
  onClosed: () => void = () => undefined,
): void {
  let closingSince: number | undefined;
  const stop = () => {
    if (closingSince !== undefined) {
      if (performance.now() - closingSince > SAME_SIGNAL_MS) process.exit(1);
      return;
    }
    closingSince = performance.now();
    setTimeout(() => process.exit(1), SHUTDOWN_DEADLINE_MS).unref();
    application.close().then(
      () => {
        onClosed();
        process.exit(0);
      },
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

/** Starts one service with an environment. Exported for tests; `runService` is what `main.ts` calls. */
export async function startService(
  definition: ServiceDefinition,
  environment: Record<string, string | undefined>,
  prepare?: PlatformOptions['prepare'],
): Promise<RunningApplication & { adminPort: number }> {
  const shell = loadConfig(ShellEnvironment, environment);
  const { DATABASE_URL, KAFKA_BROKERS, TOCSIN_KEY_RING, TOCSIN_API_KEY_PEPPER } = required(shell);
  const port = shell.PORT ?? defaultPortOf(definition.name);
  const adminPort = shell.ADMIN_PORT ?? (port === 0 ? 0 : port + ADMIN_PORT_OFFSET);
  const platform = await startPlatform({
    name: definition.name,
    shell,
    environment,
    databaseUrl: DATABASE_URL,
    keyRing: TOCSIN_KEY_RING,
    pepper: TOCSIN_API_KEY_PEPPER,
    openLog: (log) =>
      openKafka({
        brokers: KAFKA_BROKERS.split(','),
        clientId: `tocsin-${definition.name}`,
        prefix: shell.TOPIC_PREFIX ?? '',
        replication: shell.TOPIC_REPLICATION,
        logger: log,
      }),
    definitions: [definition],
    ...(prepare ? { prepare } : {}),
  });
  const application = await startApplication(platform, [definition.module], [definition.name], {
    host: shell.HOST,
    port,
  });
  const admin = await startAdminServer(platform.health, shell.HOST, adminPort);
  platform.log.info(
    { url: application.url, adminPort: admin.port, revision: platform.feed.revision() },
    'service.started',
  );
  return {
    ...application,
    adminPort: admin.port,
    close: async () => {
      await application.close();
      admin.server.closeAllConnections();
      admin.server.close();
    },
  };
}

/** Entry of a service alone: reads the environment, starts, ends on signals. A bad environment ends with exit code 78 (EX_CONFIG). */
export async function runService(definition: ServiceDefinition, prepare?: PlatformOptions['prepare']): Promise<void> {
  try {
    const service = await startService(definition, process.env, prepare);
    closeOnSignals(service);
    await service.hearing;
  } catch (error) {
    const log = createLogger(definition.name, 'error');
    if (error instanceof ConfigError) log.fatal({ problems: error.problems }, error.message);
    else log.fatal({ err: error }, 'service.boot-failed');
    process.exit(error instanceof ConfigError ? 78 : 1);
  }
}
