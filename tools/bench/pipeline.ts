import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { base32, topics, type IncidentEventRecord } from '@tocsin/contracts';
import { openKafka } from '@tocsin/event-log/kafka';
import { Split, testDatabase, testKafka, uniquePrefix } from '@tocsin/testing';
import pg from 'pg';
import { Client, type MadeWebhook } from '../e2e/client.ts';
import { serviceOf } from '../e2e/sites.ts';
import { benchIngest } from './ingest.ts';
import { batches, sendAll, sendAtRate, singles, type BodySource, type Target } from './pipeline-load.ts';
import { nameOf, startServer } from './server.ts';
import { between, processorTime, type Watched } from './processor-time.ts';
import { figure, hardware, median, quantile } from './statistics.ts';

export interface PipelineOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

interface Bench {
  options: PipelineOptions;
  split: Split;
  pool: pg.Pool;
  brokers: string[];
  watched: Watched;
  prefix: string;
  target(webhook: MadeWebhook): Target;
}

const settled = async ({ pool }: Bench): Promise<number> =>
  (await pool.query<{ n: number }>('select count(*)::int as n from incident_store.alert_outcomes')).rows[0]?.n ?? 0;

const GIVE_UP_MS = 300_000;

/** Alerts a second from the first request until the last alert's incident is committed. */
async function sustained(bench: Bench, target: Target, source: BodySource, requests: number): Promise<number> {
  const before = await settled(bench);
  const started = performance.now();
  const alerts = await sendAll(target, source, requests);
  for (;;) {
    const asked = performance.now();
    if ((await settled(bench)) >= before + alerts) break;
    if (asked - started > GIVE_UP_MS) throw new Error(`${alerts} alerts were not settled within ${GIVE_UP_MS} ms`);
    await pause(Math.max(50, 20 * (performance.now() - asked))); // counting takes the longer the more there is: a twentieth of a core at most
  }
  return alerts / ((performance.now() - started) / 1_000);
}

async function throughput(bench: Bench, webhooks: { generic: MadeWebhook; prometheus: MadeWebhook }) {
  const { runs, seconds, say } = bench.options;
  const kinds = [
    { name: 'single' as const, webhook: webhooks.generic, source: singles('single') },
    { name: 'batched' as const, webhook: webhooks.prometheus, source: batches('batched', 1) },
    { name: 'duplicates' as const, webhook: webhooks.prometheus, source: batches('duplicates', 0.2) },
  ];
  const figures = { single: [] as number[], batched: [] as number[], duplicates: [] as number[] };
  let singleAlerts = 0;
  const taken = new Map<string, number>();
  const requests = new Map<string, number>();
  for (const { name, webhook, source } of kinds) {
    // Not counted: warms up, and tells how many requests make a run of the wanted length.
    const rate = await sustained(bench, bench.target(webhook), source, Math.ceil(6_000 / source.alerts));
    requests.set(name, Math.ceil((rate * seconds) / source.alerts));
  }
  for (let run = 1; run <= runs; run++) {
    for (const { name, webhook, source } of kinds) {
      const before = await processorTime(bench.watched);
      figures[name].push(await sustained(bench, bench.target(webhook), source, requests.get(name) ?? 1));
      if (name !== 'single') continue;
      singleAlerts += requests.get(name) ?? 1;
      for (const [who, millis] of between(before, await processorTime(bench.watched)))
        taken.set(who, (taken.get(who) ?? 0) + millis);
    }
    say(
      `pipeline ${run}/${runs}: single ${figures.single.at(-1)?.toFixed(0)}/s, batched ${figures.batched.at(-1)?.toFixed(0)}/s, 80 % duplicates ${figures.duplicates.at(-1)?.toFixed(0)}/s`,
    );
  }
  const costs = [...taken].map(([who, millis]) => [who, millis / singleAlerts] as const);
  return { ...figures, costs: costs.sort(([, a], [, b]) => b - a) };
}

/** From the moment of the POST to its `incident.events` record in a consumer's hands, at a steady rate. */
async function latency(bench: Bench, target: Target): Promise<{ p50: number[]; p99: number[] }> {
  const { runs, seconds, say } = bench.options;
  const log = await openKafka({ brokers: bench.brokers, clientId: 'bench', prefix: bench.prefix });
  await log.ensureTopics({ 'incident.events': topics['incident.events'] });
  const sentAt = new Map<string, number>();
  let delays: number[] = [];
  const consumer = await log.consume(
    { topic: 'incident.events', group: 'bench', mode: 'broadcast-from-end' },
    ({ records }) => {
      const now = performance.now();
      for (const { value } of records) {
        const { incident } = JSON.parse(value.toString()) as IncidentEventRecord;
        const sent = sentAt.get(incident.title);
        if (sent === undefined) continue;
        sentAt.delete(incident.title); // the first event of the incident counts
        delays.push(now - sent);
      }
      return Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n });
    },
  );
  const figures = { p50: [] as number[], p99: [] as number[] };
  const perSecond = 500;
  for (let run = 0; run <= runs; run++) {
    delays = [];
    await sendAtRate(target, singles(`latency-${run}`), { perSecond, seconds: run === 0 ? 3 : seconds }, (body, at) =>
      sentAt.set((JSON.parse(body) as { title: string }).title, at),
    );
    for (let waited = 0; sentAt.size > 0 && waited < 30_000; waited += 50) await pause(50);
    if (sentAt.size > 0) throw new Error(`${sentAt.size} events did not come within 30 s`);
    if (run === 0) continue; // warms up
    figures.p50.push(quantile(delays, 0.5));
    figures.p99.push(quantile(delays, 0.99));
    say(
      `latency ${run}/${runs} at ${perSecond}/s: p50 ${figures.p50.at(-1)?.toFixed(1)} ms, p99 ${figures.p99.at(-1)?.toFixed(1)} ms`,
    );
  }
  await consumer.close();
  await log.close();
  return figures;
}

async function withSplit<T>(options: PipelineOptions, use: (bench: Bench, client: Client) => Promise<T>): Promise<T> {
  const [postgres, kafka] = await Promise.all([startServer(), testKafka()]);
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  await chmod(directory, 0o755);
  const database = await testDatabase({ migrations: [] });
  const prefix = `${uniquePrefix()}.`;
  const apiKey = `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`;
  const pool = new pg.Pool({ connectionString: database.url, max: 1 });
  const split = await Split.start({
    databaseUrl: database.url,
    brokers: kafka.brokers,
    prefix,
    directory,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
    bootstrapApiKey: apiKey,
    environment: { LOG_LEVEL: 'warn' },
  });
  const target = (webhook: MadeWebhook): Target => ({
    origin: split.url('ingress-gateway'),
    path: `/webhook/${webhook.token}/trigger`,
    headers: { authorization: `Bearer ${webhook.secret}` },
  });
  try {
    const client = new Client({ apiKey, at: (path) => split.url(serviceOf(path)) });
    options.say(hardware(await nameOf(pool), 'one Kafka broker (KRaft)'));
    const processes = new Map([...split.processes].map(([name, { pid }]) => [name as string, pid]));
    const watched = { processes: processes.set('Kafka', kafka.pid).set('the sender', process.pid), pool };
    return await use({ options, split, pool, brokers: kafka.brokers, watched, prefix, target }, client);
  } finally {
    await split.stop();
    await pool.end();
    await database.drop();
    await Promise.all([postgres.stop(), kafka.stop()]);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Ingest beside its limits, whole-pipeline throughput, and POST → event latency. Keys: settled, Benchmarks. */
export const benchPipeline = (options: PipelineOptions): Promise<Record<string, number>> =>
  withSplit(options, async (bench, client) => {
    const { runs, seconds, say } = options;
    const webhook = (name: string, connector: string, more: object = {}) =>
      client.make<MadeWebhook>('/api/v1/webhooks', {
        name,
        connector,
        rate_limit_per_hour: 0,
        respond: 'accept',
        ...more,
      });
    const generic = await webhook('Singles', 'generic');
    const prometheus = await webhook('Batches', 'prometheus');
    const delays = await latency(bench, bench.target(generic));
    const rates = await throughput(bench, { generic, prometheus });
    const ingest = await ingestOf(bench, await webhook('Ingest', 'generic', { auth: { method: 'hmac' } }));
    say('');
    say(figure('ingest, HMAC, durable', ingest.ours, '/s'));
    say(figure('minimal durable server', ingest.limit, '/s'));
    say(figure('bare Fastify', ingest.bare, '/s'));
    say(figure('ingest ÷ minimal durable server', ingest.ratios, ''));
    say(figure('pipeline, single alerts', rates.single, 'alerts/s'));
    say(figure('pipeline, batches of 64', rates.batched, 'alerts/s'));
    say(figure('pipeline, 80 % duplicates', rates.duplicates, 'alerts/s'));
    say(figure('POST → incident.events p50', delays.p50, 'ms'));
    say(figure('POST → incident.events p99', delays.p99, 'ms'));
    const cost = rates.costs.reduce((sum, [, millis]) => sum + millis, 0);
    say(`processor time for each single alert: ${cost.toFixed(2)} ms`);
    for (const [who, millis] of rates.costs) if (millis >= 0.01) say(`  ${who.padEnd(40)} ${millis.toFixed(2)} ms`);
    say(`${runs} interleaved runs of about ${seconds} s; medians, least and greatest`);
    return {
      ingest_ratio_to_limit: median(ingest.ratios),
      ingest_per_second: median(ingest.ours),
      limit_per_second: median(ingest.limit),
      bare_per_second: median(ingest.bare),
      single_alerts_per_second: median(rates.single),
      processor_ms_per_single_alert: cost,
      batched_alerts_per_second: median(rates.batched),
      batched_duplicates_per_second: median(rates.duplicates),
      post_to_event_p50_ms: median(delays.p50),
      post_to_event_p99_ms: median(delays.p99),
    };
  });

/** Last, because it leaves a backlog behind; the rest of the pipeline is frozen meanwhile, so that the gateway is what is measured. */
async function ingestOf(bench: Bench, webhook: MadeWebhook) {
  const { runs, seconds, say } = bench.options;
  const others = [...bench.split.processes].filter(([service]) => service !== 'ingress-gateway');
  for (const [, app] of others) app.kill('SIGSTOP');
  try {
    const topic = `${bench.prefix}limit`;
    await createTopic(bench.brokers, topic);
    return await benchIngest({
      brokers: bench.brokers,
      topic,
      url: `${bench.split.url('ingress-gateway')}/webhook/${webhook.token}/trigger`,
      secret: webhook.secret,
      runs,
      seconds,
      say,
    });
  } finally {
    for (const [, app] of others) app.kill('SIGCONT');
  }
}

async function createTopic(brokers: string[], topic: string): Promise<void> {
  const { Kafka, logLevel } = (await import('kafkajs')).default;
  const admin = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({
    topics: [
      {
        topic,
        numPartitions: topics['webhook.received'].partitions,
        replicationFactor: 1,
        configEntries: [{ name: 'max.message.bytes', value: String(4 * 1024 * 1024) }],
      },
    ],
  });
  await admin.disconnect();
}
