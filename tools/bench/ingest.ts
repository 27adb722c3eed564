import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median } from './statistics.ts';

export interface IngestFigures {
  ours: number[];
  limit: number[];
  bare: number[];
  ratios: number[];
}

export interface IngestOptions {
  brokers: string[];
  /** Topic of the limit server: same partitions and settings as `webhook.received`. */
  topic: string;
  /** Our webhook: HMAC, `respond: accept`. */
  url: string;
  secret: string;
  runs: number;
  seconds: number;
  say(line: string): void;
}

const CONNECTIONS = 64;
/** A limit far below bare HTTP would flatter our ratio (settled, Benchmarks). */
const LEAST_LIMIT = 0.25;

/** The same bytes for all three servers: one alert as a small monitoring system would send it. */
export const BODY = JSON.stringify({
  title: 'Latency of checkout above 500 ms for five minutes',
  description: 'p99 of POST /checkout is 812 ms (threshold 500 ms) on 7 of 12 instances in eu-central-1.',
  severity: 'high',
  status: 'triggered',
  service: 'checkout',
  dedup_key: 'checkout-latency-eu-central-1',
  tags: ['env:production', 'team:payments', 'region:eu-central-1'],
  url: 'https://monitoring.example/alerts/4711',
});

/** Starts one of the reference servers; it prints its port. */
async function reference(file: string, args: string[] = []): Promise<{ url: string; child: ChildProcess }> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, import.meta.url)), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${Number(line.toString())}/`, child };
}

async function load(url: string, headers: Record<string, string>, seconds: number): Promise<number> {
  const result = await autocannon({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: BODY,
    connections: CONNECTIONS,
    duration: seconds,
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  return result.requests.total / result.duration;
}

/** Durable ingest beside its two limits, interleaved, so that a machine that slows down slows all three. */
export async function benchIngest(options: IngestOptions): Promise<IngestFigures> {
  const bare = await reference('bare-server.mjs');
  const limit = await reference('limit-server.mjs', [options.brokers.join(','), options.topic]);
  const signature = `sha256=${createHmac('sha256', options.secret).update(BODY).digest('hex')}`;
  const contestants = [
    { name: 'bare' as const, url: bare.url, headers: {} as Record<string, string> },
    { name: 'limit' as const, url: limit.url, headers: {} as Record<string, string> },
    {
      name: 'ours' as const,
      url: options.url,
      headers: { 'x-webhook-signature': signature } as Record<string, string>,
    },
  ];
  const figures: IngestFigures = { ours: [], limit: [], bare: [], ratios: [] };
  try {
    for (const { url, headers } of contestants) await load(url, headers, 3); // warm up, not counted
    for (let run = 1; run <= options.runs; run++) {
      for (const { name, url, headers } of contestants) figures[name].push(await load(url, headers, options.seconds));
      figures.ratios.push((figures.ours.at(-1) as number) / (figures.limit.at(-1) as number));
      options.say(
        `ingest ${run}/${options.runs}: bare ${figures.bare.at(-1)?.toFixed(0)}/s, limit ${figures.limit.at(-1)?.toFixed(0)}/s, ours ${figures.ours.at(-1)?.toFixed(0)}/s`,
      );
    }
  } finally {
    for (const { child } of [bare, limit]) child.kill('SIGTERM');
  }
  if (median(figures.limit) < LEAST_LIMIT * median(figures.bare)) {
    throw new Error(
      `the limit server reached ${(median(figures.limit) / median(figures.bare)).toFixed(2)} of bare HTTP, less than ${LEAST_LIMIT}: the run does not count`,
    );
  }
  return figures;
}
