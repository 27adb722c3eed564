import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServiceName } from '@tocsin/contracts';
import type { AddressInfo } from 'node:net';
import { fastifyAdapter } from '../http/fastify.ts';
import { ProblemFilter } from '../http/problem.filter.ts';
import { LogStrategy } from '../log/log-strategy.ts';
import { nestLogger } from './nest-logger.ts';
import type { Platform } from './platform.ts';
import { ShellModule } from './shell.module.ts';

@Module({})
class RootModule {}

export interface RunningApplication {
  app: NestFastifyApplication;
  /** Where it listens, e.g. `http://127.0.0.1:8080`. */
  url: string;
  port: number;
  /** Resolves when the log is heard, which may be after the boot (`worksWithoutLog`). Rejects where it can never be. */
  hearing: Promise<void>;
  /** Finishes what is in hand, then leaves: HTTP, consumers, modules, shared parts. */
  close(): Promise<void>;
}

/** Boots one Nest application with an HTTP server and a log strategy over the given modules. */
export async function startApplication(
  platform: Platform,
  modules: readonly (Type | DynamicModule)[],
  running: readonly ServiceName[],
  address: { host: string; port: number },
): Promise<RunningApplication> {
  const root: DynamicModule = { module: RootModule, imports: [ShellModule.of(platform), ...modules] };
  const { adapter, beginShutdown } = fastifyAdapter();
  const app = await NestFactory.create<NestFastifyApplication>(root, adapter, {
    bodyParser: false,
    logger: nestLogger(platform.log),
    abortOnError: false,
  });
  app.useGlobalFilters(app.get(ProblemFilter));
  const strategy = new LogStrategy(platform.eventLog, platform.assignments, running, platform.log);
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  let hearing: Promise<void>;
  try {
    await app.init();
    const hears = () => app.startAllMicroservices().then(() => undefined);
    hearing = platform.logReady ? platform.logReady.then(hears) : hears();
    if (platform.logReady)
      hearing.catch(() => undefined); // whoever started the application looks at it
    else await hearing;
    platform.health.watch(strategy);
    await app.listen(address.port, address.host);
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://${address.host.includes(':') ? `[${address.host}]` : address.host}:${port}`;
  if (!platform.config.publicUrl) platform.config.publicUrl = url;
  return {
    app,
    url,
    port,
    hearing,
    close: async () => {
      beginShutdown();
      await app.close();
      await platform.close();
    },
  };
}
