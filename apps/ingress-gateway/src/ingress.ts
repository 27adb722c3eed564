import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import type { EventLog } from '@tocsin/event-log';
import type { Clock, ConfigurationFeed, Health, KeyRing, Logger, Random } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { acceptReceipt, type AcceptReceipt } from './accept-receipt.ts';
import { createAnswers, type Answers } from './answers-log/answers.ts';
import type { IngressConfig } from './config.ts';
import { Gatekeeper } from './gatekeeper.ts';
import { IntakeRules } from './intake-rule.ts';
import { createLimits, type Limits } from './limits/limits.ts';
import { parseNetworks } from './limits/client-network.ts';
import { randomPool } from './random-pool.ts';
import { receptionClock } from './reception-clock.ts';
import { createReceipts, type Receipts } from './spool/spool.ts';
import { pinInDatabase } from './vendors/subject-pins.ts';
import type { VendorFetch } from './vendors/vendor-fetch.ts';
import { VendorVerifier } from './vendors/vendor-verifier.ts';
import { WaitingRoom } from './waiting-room.ts';
import { WebhookDirectory } from './webhook-directory.ts';

export const INGRESS = Symbol('INGRESS');
/** Whom the gateway asks for vendors' keys, and which roots it trusts in doing so; tests bring their own. */
export const VENDOR_ACCESS = Symbol('VENDOR_ACCESS');

export interface VendorAccess {
  fetch: VendorFetch;
  roots: () => readonly X509Certificate[];
  close(): Promise<void>;
}

/** The gateway, put together: where webhooks are found, how requests are taken in, where senders wait. */
export interface Ingress {
  directory: WebhookDirectory;
  accept: AcceptReceipt;
  room: WaitingRoom;
  limits: Limits;
  answers: Answers;
  receipts: Receipts;
}

export interface IngressParts {
  eventLog: EventLog;
  feed: ConfigurationFeed;
  keyRing: KeyRing;
  clock: Clock;
  random: Random;
  log: Logger;
  config: IngressConfig;
  pool: Pool;
  publicUrl: () => string;
  vendors: VendorAccess;
  health: Health;
}

export function createIngress(parts: IngressParts): Ingress {
  const { feed, keyRing, clock, random, log, config } = parts;
  const room = new WaitingRoom(config.INGRESS_WAITING_MAX);
  const rules = new IntakeRules(feed, keyRing, log);
  const answers = createAnswers({ ...parts, rules });
  const limits = createLimits({
    ...parts,
    onLocked: ({ webhook, client }, { failures, since }) => answers.notices.lockedOut(webhook, client, failures, since),
  });
  const receipts = createReceipts(parts);
  parts.health.insure(() => acceptance(receipts), ['database', 'ingress-gateway hears webhook.replies']);
  const accept = acceptReceipt({
    rules,
    receipts: receipts.log,
    room,
    gate: gatekeeperOf(parts, limits),
    now: receptionClock(clock),
    random: randomPool(random),
    defaultWaitMs: config.INGRESS_REPLY_WAIT_MS,
  });
  return {
    directory: new WebhookDirectory(feed, keyRing, clock),
    accept: answers.reports.refusalsOf(accept),
    room,
    answers,
    limits,
    receipts,
  };
}

/** With the log or the database alone the gateway does its work; who waits for an outcome gets a 202 meanwhile. */
const acceptance = ({ log }: Receipts) =>
  log.canAccept()
    ? { name: 'receipts', ok: true }
    : { name: 'receipts', ok: false, detail: 'neither the event log nor the spool can be reached' };

function gatekeeperOf({ clock, log, config, pool, publicUrl, vendors }: IngressParts, limits: Limits): Gatekeeper {
  const now = () => clock().getTime();
  return new Gatekeeper({
    ...limits,
    vendors: new VendorVerifier({ ...vendors, pin: pinInDatabase(pool, clock), now, log }),
    trustedProxies: parseNetworks(config.TRUSTED_PROXIES),
    publicUrl,
  });
}

/** Node's own root certificates, read when the first one is needed: there are well over a hundred. */
export function systemRoots(): () => readonly X509Certificate[] {
  let roots: readonly X509Certificate[] | undefined;
  return () => (roots ??= rootCertificates.map((pem) => new X509Certificate(pem)));
}
