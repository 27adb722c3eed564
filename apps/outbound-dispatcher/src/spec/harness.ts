import { randomBytes } from 'node:crypto';
import type { SubscriptionDocument, SubscriptionBody, WorkspaceDocument } from '@tocsin/contracts';
import type { ConfigurationFeed, KeyRing, Logger } from '@tocsin/nest-shell';
import { createPools, type Output, type Pipeline, type Pools } from '@tocsin/postgres';
import type { OutboundEnvironment } from '../config.ts';
import { createDispatcher, type Dispatcher, type DispatcherParts } from '../dispatcher.ts';

export const WORKSPACE = 'ws_aaaaaaaaaaaaaaaaaaaaaaaaaa';
export const SUBSCRIPTION = 'sub_aaaaaaaaaaaaaaaaaaaaaaaaaa';

export const aSubscription = (
  body: Partial<SubscriptionBody> & { url: string },
  id = SUBSCRIPTION,
): SubscriptionDocument => ({
  ...{ revision: 1, kind: 'subscription', id, workspaceId: WORKSPACE, deleted: false },
  body: {
    ...{
      name: 'receiver',
      events: ['*'],
      active: true,
      secrets: [],
      headers: [],
      envelope: 'cloudthinker',
      retrySchedule: [0, 0.2, 0.2],
      timeoutSeconds: 2,
    },
    ...{ userAgent: null, updateIntervalSeconds: 60 },
    ...body,
  },
});

/** A configuration that a test changes by hand; `documents` is read at each call. */
export function aFeed(documents: SubscriptionDocument[]): ConfigurationFeed {
  const workspace: WorkspaceDocument = {
    ...{ revision: 1, kind: 'workspace', id: WORKSPACE, workspaceId: WORKSPACE, deleted: false },
    body: { name: 'demo', slug: 'demo', wrappedDataKey: '' },
  };
  return {
    revision: () => documents.reduce((newest, { revision }) => Math.max(newest, revision), 0),
    loaded: () => true,
    webhook: () => undefined,
    webhookByTokenHmac: () => undefined,
    webhookAt: () => Promise.resolve(undefined),
    subscriptions: (workspaceId) => documents.filter((document) => document.workspaceId === workspaceId),
    allSubscriptions: () => documents,
    apiKey: () => undefined,
    workspace: (id) => (id === WORKSPACE ? workspace : undefined),
    mutes: () => [],
    topology: () => undefined,
    syncLinks: () => [],
    atLeast: () => Promise.resolve(true),
    refresh: () => Promise.resolve(),
    onChange: () => () => undefined,
  };
}

/** Sealing that keeps the binding to the row, so that a mixed-up row id fails a test. */
export const plainKeyRing = {
  seal: (_workspace: unknown, rowId: string, text: string) => `${rowId}|${text}`,
  open: (_workspace: unknown, rowId: string, sealed: string) => {
    if (!sealed.startsWith(`${rowId}|`)) throw new Error('sealed for another row');
    return sealed.slice(rowId.length + 1);
  },
} as unknown as KeyRing;

const quiet = {
  info: () => undefined,
  debug: () => undefined,
  warn: () => undefined,
  error: () => undefined,
} as unknown as Logger;

/** Transactions as the pipeline makes them, with outputs kept for the test instead of a log. */
export function transactions(pools: Pools, outputs: Output[]): Pipeline {
  const inTransaction = async <T>(
    run: (tx: Parameters<Parameters<Pipeline['commitCommand']>[0]>[0]) => Promise<T>,
  ): Promise<T> => {
    const client = await pools.pipeline.connect();
    try {
      await client.query('begin');
      const result = await run(client);
      await client.query('commit');
      client.release();
      return result;
    } catch (error) {
      client.release(true);
      throw error;
    }
  };
  const commitBatch: Pipeline['commitBatch'] = async (batch, stage) => {
    const loaded = await stage.load(batch.inputs);
    const applied = await inTransaction(async (tx) => {
      const result = await stage.apply(tx, batch.inputs, loaded);
      await result.writes;
      return result;
    });
    applied.committed?.();
    return { kind: 'committed', next: (batch.inputs.at(-1)?.offset ?? -1n) + 1n };
  };
  return {
    commitCommand: async (run) => {
      const done = await inTransaction(run);
      outputs.push(...done.outputs);
      return done.result;
    },
    commitBatch,
    commitTogether: commitBatch,
    assigned: () => Promise.resolve('group-offset'),
    flush: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Settings of a test: everything on loopback, small and quick. No class: a worker's process runs this without decorators. */
export const aConfig = (changes: Partial<OutboundEnvironment> = {}): OutboundEnvironment => ({
  ...{ OUTBOUND_ALLOW: '127.0.0.0/8+http,::1+http,localhost+http', OUTBOUND_CA_FILE: undefined },
  ...{ OUTBOUND_PROXY: undefined, OUTBOUND_DNS: undefined, OUTBOUND_CONCURRENCY: 64 },
  ...{ OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION: 8, OUTBOUND_SHUTDOWN_SECONDS: 5 },
  ...{ OUTBOUND_CIRCUIT_FAILURES: 10, OUTBOUND_CIRCUIT_SECONDS: 1, OUTBOUND_DISABLE_AFTER_DAYS: 5 },
  ...{ OUTBOUND_DRAIN_PER_SECOND: 20, OUTBOUND_LOG_RETENTION_DAYS: 30 },
  ...changes,
});

export interface Running {
  dispatcher: Dispatcher;
  pools: Pools;
  outputs: Output[];
  close(): Promise<void>;
}

export function startDispatcher(
  databaseUrl: string,
  documents: SubscriptionDocument[],
  changes: Partial<DispatcherParts> = {},
): Running {
  const pools = createPools({ connectionString: databaseUrl, applicationName: 'outbound-test' });
  const outputs: Output[] = [];
  const dispatcher = createDispatcher({
    pool: pools.pipeline,
    pipeline: transactions(pools, outputs),
    feed: aFeed(documents),
    keyRing: plainKeyRing,
    clock: () => new Date(),
    random: randomBytes,
    log: quiet,
    config: aConfig(),
    shell: { publicUrl: 'http://tocsin.example', databaseUrl, dataDirectory: '', development: false },
    version: '0.1.0',
    ...changes,
  });
  dispatcher.start();
  const close = async (): Promise<void> => {
    await dispatcher.stop();
    await dispatcher.close();
    await pools.close();
  };
  return { dispatcher, pools, outputs, close };
}
