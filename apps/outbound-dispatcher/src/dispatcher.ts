import type { Pool } from 'pg';
import type { BatchResult } from '@tocsin/event-log';
import { allowListOf, type EndpointPolicy } from '@tocsin/domain/delivery';
import { createSender, egressOptions, type Sender, type SenderOptions } from '@tocsin/egress';
import type { Clock, ConfigurationFeed, KeyRing, Logger, Random, ShellConfig } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { attemptDelivery } from './attempt-delivery.ts';
import type { OutboundEnvironment } from './config.ts';
import { DeliveryWorker } from './delivery-worker.ts';
import { EndpointSlots } from './endpoint-slots.ts';
import type { NoticeBoard } from './notifications/notice-board.ts';
import { OutboundLogKeeper } from './outbound-log-keeper.ts';
import { configurationFor, planDeliveriesStage, type Subscriptions } from './plan-deliveries-batch.ts';
import { planPlatformEventsStage } from './plan-platform-events-batch.ts';
import { SettleQueue } from './settle-queue.ts';
import type { SettledDelivery } from './settle-store.ts';
import { endpointSettings, type EndpointSettings } from './subscription-settings.ts';
import { WorkerSession } from './worker-session.ts';

export const DISPATCHER = Symbol('DISPATCHER');

export interface DispatcherParts {
  pool: Pool;
  pipeline: Pipeline;
  feed: ConfigurationFeed;
  keyRing: KeyRing;
  clock: Clock;
  random: Random;
  log: Logger;
  config: OutboundEnvironment;
  shell: ShellConfig;
  version: string;
  /** Writes notifications of what is heard; absent = nobody does. */
  board?: NoticeBoard;
  resolve?: SenderOptions['resolve'];
}

/** Planning and sending of one process, wired together. */
export interface Dispatcher {
  /** Plans who is told of a batch of `incident.events`. */
  plan(batch: Batch): Promise<BatchResult>;
  /** The same, with something else that hears the batches in the same transactions. */
  planWith(also: <Loaded>(stage: Stage<Loaded>) => Stage<Loaded>): (batch: Batch) => Promise<BatchResult>;
  /** The same for `platform.events`. */
  planPlatform(batch: Batch): Promise<BatchResult>;
  /** Something may be due for these subscriptions. */
  wake(subscriptionIds: Iterable<string>): void;
  start(): void;
  /** Finishes attempts in hand; those that take longer than allowed are given back to others. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
const LONGEST_PAUSE_MS = 300_000;
const MAX_INT4 = 0x7fff_ffff;

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { pipeline, feed, clock, config, shell, board } = parts;
  const sender = createSender({
    ...egressOptions(config, shell.development),
    ...(parts.resolve ? { resolve: parts.resolve } : {}),
  });
  const { worker, session } = createWorker(parts, sender);
  const keeper = new OutboundLogKeeper({
    ...{ pool: parts.pool, clock, log: parts.log },
    retentionDays: config.OUTBOUND_LOG_RETENTION_DAYS,
  });
  const stage = planDeliveriesStage({
    feed,
    clock,
    // Read each time: the public address is final only once the HTTP server listens.
    incidentUrl: (id) => `${shell.publicUrl}/api/v1/incidents/${id}`,
    wake: (ids) => worker.wake(ids),
    claims: worker,
    board,
  });
  const withRoom: typeof stage = {
    ...stage,
    load: async (inputs) => {
      await worker.hasRoom();
      return stage.load(inputs);
    },
  };
  const planBy =
    (planning: Stage<Subscriptions>) =>
    async (batch: Batch): Promise<BatchResult> => {
      await configurationFor(batch.inputs, feed); // before others are waiting with it
      return pipeline.commitTogether(batch, planning);
    };
  return {
    plan: planBy(withRoom),
    planWith: (also) => planBy(also(withRoom)),
    planPlatform: (batch) =>
      pipeline.commitBatch(
        batch,
        planPlatformEventsStage({
          ...{ feed, clock, wake: (ids) => worker.wake(ids), claims: worker, source: batch.source, board },
        }),
      ),
    wake: (ids) => worker.wake(ids),
    start: () => {
      worker.start();
      keeper.start();
    },
    stop: async () => {
      const giveUp = setTimeout(() => sender.abort(), config.OUTBOUND_SHUTDOWN_SECONDS * 1000);
      await keeper.stop();
      await worker.stop();
      clearTimeout(giveUp);
      session.close();
    },
    close: async () => {
      await sender.close();
      await pipeline.close();
    },
  };
}

function createWorker(parts: DispatcherParts, sender: Sender): { worker: DeliveryWorker; session: WorkerSession } {
  const { pool, pipeline, feed, keyRing, clock, random, log, config, shell } = parts;
  const allow = allowListOf(config.OUTBOUND_ALLOW, shell.development);
  const attemptParts = {
    ...{ feed, keyRing, sender, allow, clock },
    random: () => random(4).readUInt32BE() / 2 ** 32,
    userAgent: `Tocsin/${parts.version}`,
  };
  const session = new WorkerSession({
    pool,
    newId: () => (random(4).readUInt32BE() % MAX_INT4) + 1,
    onHint: () => worker.poll(),
    onLost: (error) => {
      log.warn({ error: error?.message }, 'worker.session-lost');
      worker.poll();
    },
  });
  const settingsOf = endpointSettings(feed);
  const endpoints = { policyOf: policies(config, settingsOf), random: attemptParts.random };
  const queue = new SettleQueue(pipeline.commitCommand, (ids) => worker.wake(ids), clock, { log, endpoints });
  const worker = new DeliveryWorker({
    ...{ pool, session, clock, log },
    slots: new EndpointSlots({
      max: config.OUTBOUND_CONCURRENCY,
      perEndpoint: config.OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION,
    }),
    attempt: (delivery) => attemptDelivery(delivery, attemptParts),
    settle: (result) => queue.add(result),
    ...{ settingsOf, drainPerSecond: config.OUTBOUND_DRAIN_PER_SECOND },
    newToken: () => random(12).toString('base64url'),
  });
  return { worker, session };
}

/** When a receiver is left alone, and when it is disabled: the installation's settings, with what its subscription says otherwise. */
function policies(
  config: OutboundEnvironment,
  settingsOf: (subscriptionId: string) => EndpointSettings | undefined,
): (result: SettledDelivery) => EndpointPolicy {
  return ({ delivery }) => ({
    openAfter: config.OUTBOUND_CIRCUIT_FAILURES,
    firstPauseMs: config.OUTBOUND_CIRCUIT_SECONDS * 1000,
    longestPauseMs: Math.max(LONGEST_PAUSE_MS, config.OUTBOUND_CIRCUIT_SECONDS * 1000),
    disableAfterMs:
      (settingsOf(delivery.subscriptionId)?.disableAfterDays ?? config.OUTBOUND_DISABLE_AFTER_DAYS) * DAY_MS,
  });
}
