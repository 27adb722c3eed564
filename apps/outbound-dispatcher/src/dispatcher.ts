import type { Pool } from 'pg';
import type { BatchResult } from '@tocsin/event-log';
import { allowListOf } from '@tocsin/domain/delivery';
import { createSender, egressOptions, type Sender, type SenderOptions } from '@tocsin/egress';
import type { Clock, ConfigurationFeed, KeyRing, Logger, Random, ShellConfig } from '@tocsin/nest-shell';
import type { Batch, Pipeline } from '@tocsin/postgres';
import { attemptDelivery } from './attempt-delivery.ts';
import type { OutboundEnvironment } from './config.ts';
import { DeliveryWorker } from './delivery-worker.ts';
import { EndpointSlots } from './endpoint-slots.ts';
import { planDeliveriesStage } from './plan-deliveries-batch.ts';
import { planPlatformEventsStage } from './plan-platform-events-batch.ts';
import { SettleQueue } from './settle-queue.ts';
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
  resolve?: SenderOptions['resolve'];
}

/** Planning and sending of one process, wired together. */
export interface Dispatcher {
  plan(batch: Batch): Promise<BatchResult>;
  /** The same for `platform.events`. */
  planPlatform(batch: Batch): Promise<BatchResult>;
  start(): void;
  /** Finishes attempts in hand; those that take longer than allowed are given back to others. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_INT4 = 0x7fff_ffff;

export function createDispatcher(parts: DispatcherParts): Dispatcher {
  const { pipeline, feed, clock, config, shell } = parts;
  const sender = createSender({
    ...egressOptions(config, shell.development),
    ...(parts.resolve ? { resolve: parts.resolve } : {}),
  });
  const { worker, session } = createWorker(parts, sender);
  const stage = planDeliveriesStage({
    feed,
    clock,
    // Read each time: the public address is final only once the HTTP server listens.
    incidentUrl: (id) => `${shell.publicUrl}/api/v1/incidents/${id}`,
    wake: (ids) => worker.wake(ids),
  });
  return {
    plan: (batch) => pipeline.commitBatch(batch, stage),
    planPlatform: (batch) =>
      pipeline.commitBatch(
        batch,
        planPlatformEventsStage({ feed, clock, wake: (ids) => worker.wake(ids), source: batch.source }),
      ),
    start: () => worker.start(),
    stop: async () => {
      const giveUp = setTimeout(() => sender.abort(), config.OUTBOUND_SHUTDOWN_SECONDS * 1000);
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
  const queue = new SettleQueue(pipeline.commitCommand, (ids) => worker.wake(ids), clock, log);
  const worker = new DeliveryWorker({
    ...{ pool, session, clock, log },
    slots: new EndpointSlots(config.OUTBOUND_CONCURRENCY, config.OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION),
    attempt: (delivery) => attemptDelivery(delivery, attemptParts),
    settle: (result) => queue.add(result),
    timeoutMsOf: timeoutsOf(feed),
    newToken: () => random(12).toString('base64url'),
  });
  return { worker, session };
}

/** Timeout by subscription id, read anew after each change of the configuration. */
function timeoutsOf(feed: ConfigurationFeed): (subscriptionId: string) => number {
  let known: Map<string, number> | undefined;
  feed.onChange((documents) => {
    if (documents.some(({ kind }) => kind === 'subscription')) known = undefined;
  });
  return (id) => {
    known ??= new Map(feed.allSubscriptions().map((document) => [document.id, document.body.timeoutSeconds * 1000]));
    return known.get(id) ?? DEFAULT_TIMEOUT_MS;
  };
}
