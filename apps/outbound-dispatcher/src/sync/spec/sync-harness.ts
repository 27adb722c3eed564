import type {
  IncidentCommandRecord,
  IncidentEventRecord,
  SyncLinkBody,
  SyncLinkDocument,
  SyncSystem,
} from '@tocsin/contracts';
import { decodeRecord } from '@tocsin/contracts';
import { syncDefaults } from '@tocsin/domain/sync';
import { createPools, type Output, type Pools, type Stage } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { aBatch, anIncidentEvent } from '../../spec/events.ts';
import { aConfig, aFeed, plainKeyRing, transactions, WORKSPACE } from '../../spec/harness.ts';
import { Sync } from '../sync.ts';
import type { SyncTiming } from '../sync-worker.ts';

export const LINK = 'syn_aaaaaaaaaaaaaaaaaaaaaaaaaa';
export const SECRET = 'jira-token-0123456789';

export function aLink(
  system: SyncSystem,
  baseUrl: string,
  body: Partial<SyncLinkBody> = {},
  revision = 2,
): SyncLinkDocument {
  return {
    ...{ revision, kind: 'sync-link', id: LINK, workspaceId: WORKSPACE, deleted: false },
    body: {
      ...{ name: 'Tickets', system, active: true, baseUrl, project: 'OPS', direction: 'both', webhookId: null },
      auth: {
        ...{ method: 'token', username: 'bot@example.com', tokenUrl: null, clientId: null, scope: null },
        secret: `${LINK}|${SECRET}`,
      },
      ...{ comments: true, workNotes: false, status: true, fields: true, pollSeconds: 0 },
      ...syncDefaults[system],
      ...body,
    },
  };
}

const quiet = { info: () => undefined, warn: () => undefined, debug: () => undefined, error: () => undefined };

/** Quick enough for tests; what is waited for is what the tests are about. */
const TIMING: SyncTiming = {
  ...{ tickMs: 20, indexedWithinMs: 0, firstPauseMs: 50, longestPauseMs: 400 },
  retryMs: [30, 30],
};

export interface RunningSync {
  sync: Sync;
  pools: Pools;
  outputs: Output[];
  /** Another revision of the link, from now on. */
  change(link: SyncLinkDocument): void;
  /** Incident events, as the consumer hears them. */
  hear(...records: IncidentEventRecord[]): Promise<void>;
  /** What was said to incident-store. */
  commands(): IncidentCommandRecord[];
  stop(): Promise<void>;
}

const nothing: Stage<undefined> = {
  load: () => Promise.resolve(undefined),
  apply: (_tx, inputs) => Promise.resolve({ verdicts: inputs.map(() => ({ kind: 'handled' as const })), outputs: [] }),
  forget: () => undefined,
};

export function startSync(url: string, link: SyncLinkDocument, timing: Partial<SyncTiming> = {}): RunningSync {
  const pools = createPools({ connectionString: url, applicationName: 'sync-test' });
  const outputs: Output[] = [];
  const pipeline = transactions(pools, outputs);
  let current = link;
  const feed = { ...aFeed([]), syncLinks: () => [current] };
  const sync = new Sync({
    ...{ pool: pools.pipeline, pipeline, feed, keyRing: plainKeyRing, clock: () => new Date(), config: aConfig() },
    log: quiet as never,
    shell: { publicUrl: '', databaseUrl: url, dataDirectory: '', development: false },
    ...{ version: '0.1.0', timing: { ...TIMING, ...timing } },
  });
  sync.onApplicationBootstrap();
  return {
    ...{ sync, pools, outputs },
    change: (next) => void (current = next),
    hear: async (...records) => {
      await pipeline.commitBatch(aBatch(...records), sync.alsoPlanning(nothing));
    },
    commands: () =>
      outputs
        .filter(({ topic }) => topic === 'incident.commands')
        .map(({ value }) => decodeRecord('incident.command.v1', value)),
    stop: async () => {
      await sync.beforeApplicationShutdown();
      await pools.close();
    },
  };
}

export const syncDatabase = () =>
  testDatabase({
    migrations: [{ schema: 'outbound_dispatcher', directory: new URL('../../migrations/', import.meta.url) }],
  });

interface Happened {
  type: string;
  data?: Record<string, unknown>;
  changed?: string[];
  incident?: Partial<IncidentEventRecord['incident']>;
  cause?: string;
  at?: string;
}

/** An event of an incident, now. */
export function anEvent(name: string, version: number, happened: Happened): IncidentEventRecord {
  const record = anIncidentEvent(name, version, happened.type, null);
  const actor = { kind: 'user' as const, id: 'usr_1', name: 'Jo Responder' };
  const { data = {}, cause, at = new Date().toISOString(), changed = [] } = happened;
  return {
    ...{ ...record, changed },
    event: { ...record.event, data, at, actor, ...(cause ? { cause_id: cause } : {}) },
    incident: { ...record.incident, description: 'No space left', ...happened.incident },
  };
}

export const opened = (name: string, incident: Happened['incident'] = {}): IncidentEventRecord =>
  anEvent(name, 1, {
    type: 'IncidentOpened',
    data: { predecessor_id: null, alert: { title: 'Disk full', dedup_key: 'k' } },
    incident,
  });
export const commented = (name: string, version: number, text: string): IncidentEventRecord =>
  anEvent(name, version, { type: 'CommentAdded', data: { text }, changed: ['comments'] });
export const acknowledged = (name: string, version: number, at?: string): IncidentEventRecord =>
  anEvent(name, version, {
    ...{ type: 'IncidentAcknowledged', data: { note: 'on it', alert_id: null }, changed: ['status'] },
    ...(at ? { at } : {}),
    incident: { status: 'acknowledged' },
  });
export const resolved = (name: string, version: number): IncidentEventRecord =>
  anEvent(name, version, {
    type: 'IncidentResolved',
    data: { note: null, alert_id: null, as_of: new Date().toISOString(), open_alerts: 0 },
    ...{ changed: ['status'], incident: { status: 'resolved' } },
  });
