// The incident store as a process of its own, for the benchmarks: real Postgres, a journal on disk, HTTP. Its parent sends it work.
import { createKeyRing, Assignments, Health, startApplication, StaticConfigurationFeed } from '@tocsin/nest-shell';
import { randomBytes } from 'node:crypto';
import { topics, type AlertsCorrelated, encodeRecord } from '@tocsin/contracts';
import type { AppendRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { IncidentStoreModule } from '@tocsin/incident-store';
import { createPools } from '@tocsin/postgres';
import { pino } from 'pino';
import { alertsOf, type Work } from './incident-load.ts';

const { databaseUrl, workspaceId, webhookId, secret, directory } = JSON.parse(process.argv[2] ?? '{}') as Record<
  string,
  string
>;
const keyRing = createKeyRing(`k:${randomBytes(32).toString('base64')}`, 'pepper of some length', randomBytes);
const pools = createPools({ connectionString: databaseUrl ?? '', applicationName: 'bench-incidents', max: 10 });
const eventLog = await openJournal(directory === undefined ? {} : { directory });
await eventLog.ensureTopics(topics);
const feed = new StaticConfigurationFeed([
  {
    ...{ revision: 1, kind: 'api-key', id: 'benchmark', workspaceId: workspaceId ?? '', deleted: false },
    body: { name: 'bench', scopes: ['admin'], secretHmac: keyRing.pepperedHmac(secret ?? ''), expiresAt: null },
  },
]);
const running = await startApplication(
  {
    config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
    ...{ environment: {}, eventLog, pools, feed, keyRing, assignments: new Assignments(), random: randomBytes },
    health: new Health({ pool: pools.pipeline, feed, eventLog }),
    clock: () => new Date(),
    log: pino({ level: 'warn' }),
    close: () => eventLog.close(),
  },
  [IncidentStoreModule],
  ['incident-store'],
  { host: '127.0.0.1', port: 0 },
);

let greatest = 0;
setInterval(() => (greatest = Math.max(greatest, process.memoryUsage.rss())), 100).unref();

/** In portions, so that what is to be said does not count as memory of who hears it. */
const PORTION = 2_000;
const recordOf = (record: AlertsCorrelated): AppendRecord => ({
  ...{ topic: 'alert.correlated', key: record.scope, value: encodeRecord('alerts.correlated.v1', record) },
  headers: { type: 'alerts.correlated.v1' },
});

function* portionsOf(work: Work): Generator<AppendRecord[]> {
  const owner = { workspaceId: workspaceId ?? '', webhookId: webhookId ?? '' };
  for (let from = 0; from < work.alerts; from += PORTION)
    yield alertsOf(owner, work, from, Math.min(PORTION, work.alerts - from)).map(recordOf);
}

async function say(portions: Iterable<AppendRecord[]>): Promise<void> {
  for (const portion of portions) await eventLog.append(portion);
}

/** Made before it is asked for: in service another process makes the records that this one hears. */
let ready: AppendRecord[][] | undefined;

type Message = { kind: 'prepare' | 'work'; work: Work } | { kind: 'memory' } | { kind: 'stop' };
process.on('message', (message: Message) => {
  if (message.kind === 'prepare') {
    ready = [...portionsOf(message.work)];
    process.send?.({ kind: 'prepared' });
  } else if (message.kind === 'work') {
    const portions = ready ?? portionsOf(message.work);
    ready = undefined;
    void say(portions).then(() => process.send?.({ kind: 'said' }));
  } else if (message.kind === 'memory') {
    process.send?.({ kind: 'memory', greatest });
    greatest = 0;
  } else {
    void running
      .close()
      .then(() => pools.close())
      .then(() => process.disconnect?.());
  }
});
process.send?.({ kind: 'ready', url: running.url });
