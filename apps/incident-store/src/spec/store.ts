import { randomBytes } from 'node:crypto';
import {
  decodeRecord,
  encodeRecord,
  mintId,
  topics,
  type AlertsCorrelated,
  type ApiKeyDocument,
  type CorrelatedAlert,
  type IncidentEventRecord,
  type IncidentFact,
  type WebhookDocument,
} from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { Assignments, createKeyRing, Health, startApplication, StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase, waitFor } from '@tocsin/testing';
import { pino } from 'pino';
import { Scene } from '../correlated-builders.ts';
import { IncidentStoreModule } from '../incident-store.module.ts';

const secret = 'abcdefghijklmnopqrstuvwxyz234567';

export interface Answer {
  status: number;
  body: Record<string, unknown> & { items: Record<string, unknown>[] };
}

export interface RunningStore {
  scene: Scene;
  pools: Pools;
  databaseUrl: string;
  /** `TOCSIN_KEY_RING` of this store. */
  keyRing: string;
  url: string;
  /** May do everything in the scene's workspace. */
  apiKey: string;
  eventLog: EventLog;
  /** Calls with a key of the scene's workspace that may do everything. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** The same with a key of another workspace. */
  asStranger(method: string, path: string, body?: unknown): Promise<Answer>;
  say(...records: AlertsCorrelated[]): Promise<void>;
  /** Says these, and waits until each has its answer. */
  settle(...alerts: CorrelatedAlert[]): Promise<void>;
  /** What the correlator, and what subscribers were told, in their order. */
  facts: IncidentFact[];
  events: IncidentEventRecord[];
  /** Opens an incident by an alert of its own. @returns its id */
  open(receipt: string): Promise<string>;
  /** Resolves when every event has its place in the order. */
  sequenced(): Promise<unknown>;
  close(): Promise<void>;
}

/** The incident store as a process of its own would run it: real Postgres, the journal, HTTP. */
export async function startStore(
  name: string,
  webhookBody: Partial<WebhookDocument['body']> = {},
): Promise<RunningStore> {
  const ring = `k:${randomBytes(32).toString('base64')}`;
  const keyRing = createKeyRing(ring, 'pepper of some length', randomBytes);
  const scene = new Scene(mintId('ws', randomBytes(16)), mintId('whk', randomBytes(16)), Date.now() - 3_600_000);
  const key: ApiKeyDocument = {
    ...{ revision: 1, kind: 'api-key', id: 'installer', workspaceId: scene.workspaceId, deleted: false },
    body: { name: 'installer', scopes: ['admin'], secretHmac: keyRing.pepperedHmac(secret), expiresAt: null },
  };
  const database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('../migrations/', import.meta.url) }],
  });
  const pools = createPools({ connectionString: database.url, applicationName: name });
  const eventLog = await openJournal();
  await eventLog.ensureTopics(topics);
  const strange: ApiKeyDocument = { ...key, id: 'stranger', workspaceId: mintId('ws', randomBytes(16)) };
  const webhook = {
    ...{ revision: 1, kind: 'webhook', id: scene.webhookId, workspaceId: scene.workspaceId, deleted: false },
    body: {
      name: 'Spec',
      dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
      ...webhookBody,
    },
  } as WebhookDocument;
  const feed = new StaticConfigurationFeed([key, strange, webhook]);
  const facts: IncidentFact[] = [];
  const events: IncidentEventRecord[] = [];
  const hear = (topic: 'correlation.inputs' | 'incident.events', keep: (value: Buffer) => void) =>
    eventLog.consume({ topic, group: `${name} ${topic}`, mode: 'broadcast-from-end' }, ({ records }) => {
      for (const { value } of records) if (value) keep(value);
      return Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n });
    });
  // As the correlator, which is not here: timers wait until it has read everything.
  await eventLog.consume({ topic: 'correlation.inputs', group: 'dedup-correlator', mode: 'group' }, ({ records }) =>
    Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n }),
  );
  await hear('correlation.inputs', (value) => facts.push(decodeRecord('incident.fact.v1', value)));
  await hear('incident.events', (value) => events.push(decodeRecord('incident.event.v1', value)));
  const running = await startApplication(
    {
      config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
      ...{ environment: {}, eventLog, pools, feed, keyRing, assignments: new Assignments(), random: randomBytes },
      health: new Health({ pool: pools.pipeline, feed, eventLog }),
      clock: () => new Date(),
      log: pino({ level: 'silent' }),
      close: () => eventLog.close(),
    },
    [IncidentStoreModule],
    ['incident-store'],
    { host: '127.0.0.1', port: 0 },
  );
  const ask = async (who: string, method: string, path: string, body?: unknown, headers = {}): Promise<Answer> => {
    const response = await fetch(`${running.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer tsk_${who}_${secret}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };
  const call: RunningStore['call'] = (...request) => ask('installer', ...request);
  const say = (...records: AlertsCorrelated[]): Promise<void> =>
    eventLog.append(
      records.map((record) => ({
        ...{ topic: 'alert.correlated', key: record.scope, value: encodeRecord('alerts.correlated.v1', record) },
        headers: { type: 'alerts.correlated.v1' },
      })),
    );
  return {
    ...{ scene, pools, databaseUrl: database.url, keyRing: ring, call, say, facts, events },
    asStranger: (...request) => ask('stranger', ...request),
    settle: async (...alerts) => {
      await say(...alerts.map((alert) => scene.record(alert)));
      for (const { alert } of alerts)
        await waitFor(async () => (await call('GET', `alerts/${alert.id}`)).status === 200, { timeoutMs: 20_000 });
    },
    ...{ url: running.url, apiKey: `tsk_installer_${secret}`, eventLog },
    open: async (receipt) => {
      await say(scene.record(scene.opened(receipt, 0)));
      const id = scene.incidentId(receipt);
      await waitFor(async () => (await call('GET', `incidents/${id}`)).status === 200, { timeoutMs: 20_000 });
      return id;
    },
    sequenced: () =>
      waitFor(async () => (await pools.pipeline.query('select from incident_store.unsequenced')).rowCount === 0, {
        timeoutMs: 20_000,
      }),
    close: async () => {
      await running.close();
      await pools.close();
      await database.drop();
    },
  };
}
