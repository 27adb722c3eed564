import { setTimeout as pause } from 'node:timers/promises';
import type { Ledger, LedgerEntry } from './ledger.ts';
import type { Seeded } from './random.ts';

export interface LoadOptions {
  url: string;
  secret: string;
  ledger: Ledger;
  random: Seeded;
  /** Requests a second over all workers. */
  perSecond: number;
  workers: number;
  signal: AbortSignal;
  /** Prefix of keys, titles and services: each key has a service of its own, so that time-window correlation hides nothing. */
  name: string;
}

const REQUEST_TIMEOUT_MS = 15_000;

async function send(options: LoadOptions, entry: LedgerEntry): Promise<void> {
  const { url, secret, ledger } = options;
  entry.attempts += 1;
  try {
    const response = await fetch(url, {
      method: 'POST',
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        prefer: 'respond-async',
        ...(entry.idempotent ? { 'idempotency-key': entry.key } : {}),
      },
      body: JSON.stringify({
        title: entry.key,
        severity: 'high',
        service: `service of ${entry.key}`,
        dedup_key: entry.key,
      }),
    });
    const body = (await response.json()) as { receipt_id?: string };
    if (response.ok && body.receipt_id) ledger.confirm(entry, body.receipt_id);
    else ledger.refuse(String(response.status));
  } catch {
    // Killed mid-request or not up: the sender does not know. The checker allows both, up to the number of attempts.
    ledger.refuse('no answer');
    await pause(50);
  }
}

/** Sends until aborted: new keys, repeats of earlier ones, and idempotent resends. */
export async function sendLoad(options: LoadOptions): Promise<void> {
  const { ledger, random, perSecond, workers, signal, name } = options;
  const gapMs = (1_000 * workers) / perSecond;
  let made = 0;
  const recent: LedgerEntry[] = [];
  const next = (): LedgerEntry => {
    if (recent.length > 50 && random.next() < 0.35) return random.of(recent);
    const entry = ledger.open(`${name}-${made++}`, random.next() < 0.2);
    recent.push(entry);
    if (recent.length > 500) recent.shift();
    return entry;
  };
  const work = async () => {
    while (!signal.aborted) {
      const started = performance.now();
      await send(options, next());
      await pause(Math.max(0, gapMs - (performance.now() - started)));
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
}
