import { setTimeout as pause } from 'node:timers/promises';
import { Pool as HttpPool } from 'undici';
import { alertmanager } from '../e2e/payloads.ts';

/** Makes request bodies: each call another one. `alerts` = how many alerts one request carries. */
export interface BodySource {
  alerts: number;
  next(): string;
}

const CONNECTIONS = 64;

/** Single alerts of a small sender: every one has a key and a service of its own, so each opens an incident. */
export function singles(name: string): BodySource {
  let made = 0;
  return {
    alerts: 1,
    next: () => {
      const key = `${name}-${made++}`;
      return JSON.stringify({
        title: key,
        severity: 'medium',
        service: `svc-${key}`,
        dedup_key: key,
        description: 'Measured by the benchmark.',
      });
    },
  };
}

/** Alertmanager notifications of 64 alerts. `fresh` = the share of alerts that were never sent before. */
export function batches(name: string, fresh: number): BodySource {
  const size = 64;
  const perBatch = Math.max(1, Math.round(size * fresh));
  let made = 0;
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  return {
    alerts: size,
    next: () => {
      const first = made;
      made += perBatch;
      const indexes = Array.from({ length: size }, (_, i) =>
        i < perBatch ? first + i : (first * 7 + i * 13) % Math.max(1, first || perBatch),
      );
      return JSON.stringify(
        alertmanager(
          [...new Set(indexes)].map((i) => ({ name: `${name}-${i}`, service: `svc-${name}-${i}`, startsAt })),
        ),
      );
    },
  };
}

export interface Target {
  origin: string;
  path: string;
  headers: Record<string, string>;
}

async function post(pool: HttpPool, target: Target, body: string): Promise<void> {
  const { statusCode, body: answer } = await pool.request({
    path: target.path,
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers },
    body,
  });
  await answer.dump();
  if (statusCode < 200 || statusCode > 299) throw new Error(`${target.path} answered ${statusCode}`);
}

/** Sends that many requests as fast as the gateway takes them. Resolves with the number of alerts that were accepted. */
export async function sendAll(target: Target, source: BodySource, requests: number): Promise<number> {
  const pool = new HttpPool(target.origin, { connections: CONNECTIONS });
  let left = requests;
  let alerts = 0;
  const work = async () => {
    while (left > 0) {
      left -= 1;
      const body = source.next();
      await post(pool, target, body);
      alerts += source.alerts === 1 ? 1 : (body.match(/"fingerprint"/g) ?? []).length;
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  await pool.close();
  return alerts;
}

/** Sends at a fixed rate, whether answers come or not (open loop), telling `sent` the moment of each. */
export async function sendAtRate(
  target: Target,
  source: BodySource,
  rate: { perSecond: number; seconds: number },
  sent: (body: string, atMs: number) => void,
): Promise<void> {
  const pool = new HttpPool(target.origin, { connections: CONNECTIONS });
  const started = performance.now();
  const total = rate.perSecond * rate.seconds;
  const open: Promise<void>[] = [];
  for (let n = 0; n < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * rate.perSecond) + 1);
    for (; n < due; n++) {
      const body = source.next();
      sent(body, performance.now());
      open.push(post(pool, target, body));
    }
    await pause(1);
  }
  await Promise.all(open);
  await pool.close();
}
