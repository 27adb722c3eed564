import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, chmod, realpath } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base32, routes, type ServiceName } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { openKafka } from '@tocsin/event-log/kafka';
import { AppProcess, freePort, Split, testDatabase, testKafka, uniquePrefix } from '@tocsin/testing';

/** One installation under test, whatever its form. */
export interface Site {
  apiKey: string;
  /** Base URL that serves a path (one in all-in-one; by the routes table in the split form). */
  at(path: string, method?: string): string;
  /** Stops every process and hands over the event log for reading. */
  stopAndOpenLog(): Promise<EventLog>;
  /** Removes what the site left behind. */
  remove(): Promise<void>;
}

const temporary = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-e2e-'));
  await chmod(directory, 0o755);
  return directory;
};

/** `npm start` without its set-up step: one process on the embedded database and journal. */
export async function allInOneSite(): Promise<Site & { process: AppProcess; url: string; directory: string }> {
  const directory = await temporary();
  const port = await freePort();
  const data = join(directory, 'data');
  const process = new AppProcess({
    app: 'all-in-one',
    logDirectory: directory,
    environment: { PORT: String(port), TOCSIN_DATA_DIR: data },
  });
  process.start();
  const url = `http://127.0.0.1:${port}`;
  await process.ready(url);
  const { apiKey } = JSON.parse(await readFile(join(data, 'demo.json'), 'utf8')) as { apiKey: string };
  return {
    apiKey,
    process,
    url,
    directory,
    at: () => url,
    stopAndOpenLog: async () => {
      const end = await process.stop();
      if (end !== 0) throw new Error(`all-in-one ended with ${end}: ${await readFile(process.logFile, 'utf8')}`);
      return openJournal({ directory: join(data, 'log') });
    },
    remove: async () => {
      await process.stop();
      const server = join(data, 'postgres', 'server');
      if (existsSync(server)) await rm(await realpath(server), { recursive: true, force: true });
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Which service answers a path, by the table that compose and chart routes come from; without a method the first that fits. */
export function serviceOf(path: string, method?: string): ServiceName {
  const parts = (text: string) => text.split('?')[0]?.split('/').filter(Boolean) ?? [];
  const given = parts(path);
  const found = routes.find(
    (route) =>
      (method === undefined || route.method === '*' || route.method === method) &&
      parts(route.path).every((part, index) =>
        part.startsWith(':') ? given[index] !== undefined : part === given[index],
      ),
  );
  if (!found) throw new Error(`no service serves ${path}`);
  return found.service;
}

/** Seven processes on a real Kafka broker and a real Postgres. */
export async function splitSite(): Promise<Site & { split: Split }> {
  const directory = await temporary();
  const database = await testDatabase({ migrations: [] });
  const { brokers } = await testKafka();
  const prefix = `${uniquePrefix()}.`;
  const apiKey = `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`;
  const split = await Split.start({
    databaseUrl: database.url,
    brokers,
    prefix,
    directory,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    bootstrapApiKey: apiKey,
    outboundAllow: '127.0.0.1+http',
  });
  return {
    apiKey,
    split,
    at: (path, method) => split.url(serviceOf(path, method)),
    stopAndOpenLog: async () => {
      for (const [service, end] of await split.stop()) {
        if (end !== 0)
          throw new Error(`${service} ended with ${end}: ${await readFile(split.process(service).logFile, 'utf8')}`);
      }
      return openKafka({ brokers, clientId: 'e2e', prefix });
    },
    remove: async () => {
      await split.stop();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
