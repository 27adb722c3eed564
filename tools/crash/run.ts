import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { base32, type ServiceName } from '@tocsin/contracts';
import { openKafka } from '@tocsin/event-log/kafka';
import { Split, testDatabase, uniquePrefix } from '@tocsin/testing';
import pg from 'pg';
import { Client, type MadeWebhook } from '../e2e/client.ts';
import { Receiver } from '../e2e/receiver.ts';
import { serviceOf } from '../e2e/sites.ts';
import { missingAlerts, runChecks, settledAlerts, storedIncidents, type Check } from './checks.ts';
import { killAround, type Kills } from './kills.ts';
import { Ledger } from './ledger.ts';
import { sendLoad } from './load.ts';
import { seeded } from './random.ts';

/** Each breaks one promise on purpose, in one service; a run with it must end with failures. */
export const sabotages = {
  'ack-before-append': 'ingress-gateway',
  'offset-before-commit': 'normalizer',
  'no-outbox': 'dedup-correlator',
} as const satisfies Record<string, ServiceName>;
export type Sabotage = keyof typeof sabotages;

export interface CrashOptions {
  seconds: number;
  seed: number;
  brokers: string[];
  sabotage?: Sabotage;
  /** Requests a second. */
  perSecond: number;
  leastKills: number;
  leastAccepted: number;
  say(line: string): void;
}

export interface CrashReport {
  checks: Check[];
  kills: Kills;
  ledger: Ledger;
  drainSeconds: number;
}

/** With nothing sabotaged, everything must be settled this soon after the last kill (reliability R1). */
const DRAIN_MS = 60_000;
/** What a sabotaged run still misses after this long without any progress is lost, not late. */
const STALLED_MS = 8_000;

const sabotageFile = (name: Sabotage) => fileURLToPath(new URL(`sabotage/${name}.mjs`, import.meta.url));

/** Resolves when nothing is missing any more, or when it is clear that it never will be. */
async function drained(ledger: Ledger, pool: pg.Pool, receiver: Receiver, stalledMs: number): Promise<number> {
  const started = performance.now();
  let seen = '';
  let progressAt = started;
  while (performance.now() - started < DRAIN_MS && performance.now() - progressAt < stalledMs) {
    const missing = missingAlerts(ledger, await settledAlerts(pool)).length;
    const incidents = [...(await storedIncidents(pool)).values()].flat();
    const created = new Set(
      receiver.received.filter(({ json }) => json.type === 'incident.created').map(({ json }) => json.data.id),
    );
    const { rows } = await pool.query<{ left: number }>('select count(*)::int as left from incident_store.outbox');
    const undelivered = incidents.filter(({ incident_id }) => !created.has(incident_id)).length;
    const now = `${missing} ${rows[0]?.left} ${undelivered}`;
    if (now === '0 0 0') break;
    if (now !== seen) [seen, progressAt] = [now, performance.now()];
    await pause(250);
  }
  return (performance.now() - started) / 1_000;
}

async function startSplit(options: CrashOptions, directory: string, databaseUrl: string, prefix: string) {
  const apiKey = `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`;
  const { sabotage } = options;
  const split = await Split.start({
    databaseUrl,
    brokers: options.brokers,
    prefix,
    directory,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    bootstrapApiKey: apiKey,
    outboundAllow: '127.0.0.1+http',
    environment: { LOG_LEVEL: 'warn' },
    ...(sabotage ? { nodeArguments: { [sabotages[sabotage]]: ['--import', sabotageFile(sabotage)] } } : {}),
  });
  return { split, client: new Client({ apiKey, at: (path) => split.url(serviceOf(path)) }) };
}

function soundness(options: CrashOptions, kills: Kills, ledger: Ledger): Check {
  const failures = [];
  if (kills.hits.length < options.leastKills)
    failures.push(`only ${kills.hits.length} kills hit a live process, ${options.leastKills} are needed`);
  if (ledger.confirmed < options.leastAccepted)
    failures.push(`only ${ledger.confirmed} alerts were accepted, ${options.leastAccepted} are needed`);
  return { name: 'the run was hard enough to mean something', failures };
}

/** One run: split form under load, kills, drain, checks. */
export async function runCrash(options: CrashOptions): Promise<CrashReport> {
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-crash-'));
  await chmod(directory, 0o755);
  const database = await testDatabase({ migrations: [] });
  const prefix = `${uniquePrefix()}.`;
  const receiver = await Receiver.start();
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const { split, client } = await startSplit(options, directory, database.url, prefix);
  let failed = true;
  try {
    const webhook = await client.make<MadeWebhook>('/api/v1/webhooks', {
      name: 'Crash',
      connector: 'generic',
      rate_limit_per_hour: 0,
      respond: 'accept',
    });
    await client.make('/api/v1/subscriptions', {
      name: 'Receiver',
      url: receiver.url,
      events: ['incident.created'],
      secret: 'generate',
    });
    const ledger = new Ledger();
    const stop = new AbortController();
    const { random, targets } = {
      random: seeded(options.seed),
      targets: options.sabotage && [sabotages[options.sabotage]],
    };
    const loading = sendLoad({
      url: `${split.url('ingress-gateway')}/webhook/${webhook.token}/trigger`,
      secret: webhook.secret,
      ledger,
      random: seeded(options.seed + 1),
      perSecond: options.perSecond,
      workers: 24,
      signal: stop.signal,
      name: `key-${options.seed}`,
    });
    const kills = await killAround({
      split,
      random,
      seconds: options.seconds,
      ...(targets ? { targets, worked: async () => (await settledAlerts(pool)).size } : {}),
      gapMs: targets ? [200, 1_000] : [2_000, 4_000],
      say: options.say,
    });
    stop.abort();
    await loading;
    await split.ready();
    const drainSeconds = await drained(ledger, pool, receiver, options.sabotage ? STALLED_MS : DRAIN_MS);
    await split.stop();
    const log = await openKafka({ brokers: options.brokers, clientId: 'crash-checker', prefix });
    const evidence = { ledger, pool, log, receiver, byKey: await storedIncidents(pool) };
    const checks = [soundness(options, kills, ledger), ...(await runChecks(evidence))];
    await log.close();
    failed = checks.some(({ failures }) => failures.length > 0);
    return { checks, kills, ledger, drainSeconds };
  } finally {
    await split.stop();
    await receiver.close();
    await pool.end();
    await database.drop();
    if (failed && !options.sabotage) options.say(`output of the processes: ${directory}`);
    else await rm(directory, { recursive: true, force: true });
  }
}
