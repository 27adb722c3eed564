import type { EventLog } from '@tocsin/event-log';
import type { Clock, ConfigurationFeed, KeyRing, Logger, Random } from '@tocsin/nest-shell';
import { acceptReceipt, type AcceptReceipt } from './accept-receipt.ts';
import type { IngressConfig } from './config.ts';
import { IntakeRules } from './intake-rule.ts';
import { randomPool } from './random-pool.ts';
import { ReceiptLog } from './receipt-log.ts';
import { receptionClock } from './reception-clock.ts';
import { RejectionLog } from './rejection-log.ts';
import { WaitingRoom } from './waiting-room.ts';
import { WebhookDirectory } from './webhook-directory.ts';

export const INGRESS = Symbol('INGRESS');

/** The gateway, put together: where webhooks are found, how requests are taken in, where senders wait. */
export interface Ingress {
  directory: WebhookDirectory;
  accept: AcceptReceipt;
  room: WaitingRoom;
}

export interface IngressParts {
  eventLog: EventLog;
  feed: ConfigurationFeed;
  keyRing: KeyRing;
  clock: Clock;
  random: Random;
  log: Logger;
  config: IngressConfig;
}

export function createIngress({ eventLog, feed, keyRing, clock, random, log, config }: IngressParts): Ingress {
  const room = new WaitingRoom(config.INGRESS_WAITING_MAX);
  const accept = acceptReceipt({
    rules: new IntakeRules(feed, keyRing, log),
    receipts: new ReceiptLog(
      eventLog,
      { deadlineMs: config.INGRESS_APPEND_DEADLINE_MS, inFlightBytes: config.INGRESS_IN_FLIGHT_BYTES },
      log,
    ),
    room,
    rejections: new RejectionLog(log),
    now: receptionClock(clock),
    random: randomPool(random),
    defaultWaitMs: config.INGRESS_REPLY_WAIT_MS,
  });
  return { directory: new WebhookDirectory(feed, keyRing, clock), accept, room };
}
