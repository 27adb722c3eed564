import { randomBytes } from 'node:crypto';
import { encodeRecord, mintId, topics, type AlertsCorrelated, type ApiKeyDocument } from '@tocsin/contracts';
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
  /** Calls with a key of the scene's workspace that may do everything. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  say(...records: AlertsCorrelated[]): Promise<void>;
  /** Opens an incident by an alert of its own. @returns its id */
  open(receipt: string): Promise<string>;
  /** Resolves when every event has its place in the order. */
  sequenced(): Promise<unknown>;
  close(): Promise<void>;
}

/** The incident store as a process of its own would run it: real Postgres, the journal, HTTP. */
export async function startStore(name: string): Promise<RunningStore> {
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
  const feed = new StaticConfigurationFeed([key]);
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
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${running.url}/api/v1/${path}`, {
      method,
      headers: { authorization: `Bearer tsk_installer_${secret}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  };
  const say = (...records: AlertsCorrelated[]): Promise<void> =>
    eventLog.append(
      records.map((record) => ({
        ...{ topic: 'alert.correlated', key: record.scope, value: encodeRecord('alerts.correlated.v1', record) },
        headers: { type: 'alerts.correlated.v1' },
      })),
    );
  return {
    ...{ scene, pools, databaseUrl: database.url, keyRing: ring, call, say },
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
