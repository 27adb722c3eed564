import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '@tocsin/event-log';
import type { Logger, Random } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { ReceiptLog } from '../receipt-log.ts';
import type { IngressConfig } from '../config.ts';
import { SESSION_TIMEOUT_MS, SpoolDrainer } from './spool-drainer.ts';
import { SpoolGate } from './spool-gate.ts';
import { connectSpool } from './spool-store.ts';
import { SpoolWriter } from './spool-writer.ts';

/** A gateway that starts while others spool must not write past them; one without a database must start all the same. */
const BOOT_LOOK_MS = 3_000;

export interface ReceiptsParts {
  eventLog: EventLog;
  pool: Pool;
  random: Random;
  log: Logger;
  config: Pick<
    IngressConfig,
    'INGRESS_APPEND_DEADLINE_MS' | 'INGRESS_SPOOL_AFTER_MS' | 'INGRESS_SPOOL_MAX_BYTES' | 'INGRESS_IN_FLIGHT_BYTES'
  >;
}

/** Where receipts are kept. */
export interface Receipts {
  log: ReceiptLog;
  /** Begins to look after the spool once its tables are there. Resolves when it is known whether it is open, or cannot be known soon. */
  start(schema: Promise<boolean>): Promise<void>;
  stop(): Promise<void>;
}

/**
 * The log for receipts, and on Kafka the spool behind it. The journal lives in the process of the database, or with it: where one is away
 * the other would not help.
 */
export function createReceipts(parts: ReceiptsParts): Receipts {
  const { eventLog, log, config } = parts;
  const inFlightBytes = config.INGRESS_IN_FLIGHT_BYTES;
  if (eventLog.kind === 'journal') {
    const deadlineMs = config.INGRESS_APPEND_DEADLINE_MS;
    const receipts: ReceiptLog = new ReceiptLog(eventLog, { deadlineMs, inFlightBytes }, log);
    return { log: receipts, start: () => Promise.resolve(), stop: () => Promise.resolve(receipts.close()) };
  }
  return withSpool(parts);
}

function withSpool({ eventLog, pool, random, log, config }: ReceiptsParts): Receipts {
  const name = random(8).toString('hex');
  const gate = new SpoolGate(() => receipts.review());
  const options = { ...pool.options, query_timeout: 10_000 };
  const writer = new SpoolWriter({
    connect: () => connectSpool(options, {}),
    writer: name,
    gate,
    maxBytes: config.INGRESS_SPOOL_MAX_BYTES,
    inFlightBytes: config.INGRESS_IN_FLIGHT_BYTES,
    onChange: () => receipts.review(),
    log,
  });
  const receipts: ReceiptLog = new ReceiptLog(
    eventLog,
    { deadlineMs: config.INGRESS_SPOOL_AFTER_MS, inFlightBytes: config.INGRESS_IN_FLIGHT_BYTES },
    log,
    {
      put: (receipt, deadlineMs) => writer.put(receipt, deadlineMs),
      state: () => writer.state(),
      isOpen: gate.isOpen,
      logChanged: () => drainer.wake(),
    },
  );
  const drainer: SpoolDrainer = new SpoolDrainer({
    connect: () => connectSpool(options, { idle_session_timeout: String(SESSION_TIMEOUT_MS) }),
    writer: name,
    eventLog,
    watch: receipts.watch,
    gate,
    sized: (bytes) => writer.sized(bytes),
    drained: (count) => receipts.drained(count),
    random: (below) => random(1).readUInt8(0) % below,
    log,
  });
  return {
    log: receipts,
    start: async (schema) => {
      const looked = schema.then(async (there) => {
        if (!there) return;
        void writer.prepare();
        await drainer.start();
      });
      const reached = eventLog.offsets('webhook.received').then(
        () => true,
        () => false,
      );
      const late = pause(BOOT_LOOK_MS, false, { ref: false });
      await Promise.race([looked, late]);
      // What it gave to a log that is away would wait there, and overtake what others have spooled before.
      if (!(await Promise.race([reached, late]))) receipts.watch.failed(new Error('not reached yet'));
    },
    stop: async () => {
      receipts.close();
      await Promise.all([drainer.close(), writer.close()]);
    },
  };
}
