import { randomBytes } from 'node:crypto';
import type { SubscriptionDocument } from '@tocsin/contracts';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterEach, beforeEach } from 'vitest';
import { listDeliveries, type DeliveryFilter, type DeliveryView } from '../delivery-log.ts';
import type { DispatcherParts } from '../dispatcher.ts';
import { EventFeeds } from '../event-feeds.ts';
import { SubscriptionCommands } from '../subscription-commands.ts';
import { aFeed, startDispatcher, transactions, SUBSCRIPTION, WORKSPACE, type Running } from './harness.ts';
import { startReceiver, type Received, type Receiver } from './receiver.ts';

/** A database, dispatchers and receivers for each test of a file, gone after it. */
export function installation() {
  const open: (() => Promise<void>)[] = [];
  let database: Awaited<ReturnType<typeof testDatabase>> | undefined;
  beforeEach(async () => {
    const directory = new URL('../migrations/', import.meta.url);
    database = await testDatabase({ migrations: [{ schema: 'outbound_dispatcher', directory }] });
  });
  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
    await database?.drop();
  });
  const url = (): string => database?.url ?? '';
  return {
    url,
    onEnd: (close: () => Promise<void>) => void open.push(close),
    receiver: async (answer?: Parameters<typeof startReceiver>[0]): Promise<Receiver> => {
      const started = await startReceiver(answer);
      open.push(started.close);
      return started;
    },
    dispatcher: (documents: SubscriptionDocument[], changes: Partial<DispatcherParts> = {}): Running => {
      const running = startDispatcher(url(), documents, changes);
      open.push(running.close);
      return running;
    },
  };
}

export const logOf = async ({ pools }: Running, filter: Partial<DeliveryFilter> = {}): Promise<DeliveryView[]> =>
  (await listDeliveries(pools.rest, { workspaceId: WORKSPACE, limit: 1_000, ...filter })).items;

/** The log, newest first, once it has so many deliveries of the subscription and all are finished. */
export const finished = (running: Running, count: number, subscriptionId = SUBSCRIPTION): Promise<DeliveryView[]> =>
  waitFor(
    async () => {
      const log = await logOf(running, { subscriptionId });
      return log.length === count && log.every((one) => one.finished_at !== null) && log;
    },
    { timeoutMs: 60_000, what: `${count} finished deliveries` },
  );

/** Names of what was said on `platform.events`. */
export const metaOf = ({ outputs }: Running): string[] =>
  outputs
    .filter(({ topic }) => topic === 'platform.events')
    .map(({ headers }) => /^tocsin\.(.*)\.v1$/.exec(headers?.['ce_type'] ?? '')?.[1] ?? '');

export const sequences = (received: Received[]): string[] =>
  received.map(({ headers }) => `${String(headers['x-tocsin-sequence'])}/${String(headers['x-tocsin-attempt'])}`);

/** What the REST doors use, over the same database. */
export function commandsOf(
  running: Running,
  documents: SubscriptionDocument[],
  feed: ReturnType<typeof aFeed> = aFeed(documents),
) {
  const { pools, dispatcher, outputs } = running;
  const shared = {
    restPool: pools.rest,
    pipeline: transactions(pools, outputs),
    feed,
    clock: () => new Date(),
  };
  return {
    commands: new SubscriptionCommands({
      ...shared,
      ...{ pool: pools.pipeline, random: randomBytes, drainPerSecond: 50 },
      wake: (ids) => dispatcher.wake(ids),
    }),
    feeds: new EventFeeds(shared),
  };
}
