import type { Pool } from 'pg';
import type { Logger } from '@tocsin/nest-shell';
import type { LimitedWebhook } from './limit-store.ts';

/** Product P7: so many failures in so long a time, and the client is refused for as long again, before any crypto work. */
const FAILURES = 10;
const PERIOD_MS = 15 * 60_000;
const CLIENTS_MAX = 100_000;
const REPORTS_MAX = 32;

export interface Failures {
  failures: number;
  /** When the first of them was. */
  since: number;
  lockedUntil: number;
}

/** Who shows a credential, and where. */
export interface Suspect {
  webhook: LimitedWebhook;
  client: string;
  /** What was counted up to this instant (ISO 8601) was forgiven by an editor. */
  unlockedAt?: string | null | undefined;
}

/** Failures of all gateways together. */
export interface FailureStore {
  failed(suspect: Suspect, now: number): Promise<Failures>;
  forget(now: number): Promise<void>;
}

export const failureStore = (pool: Pool): FailureStore => ({
  async failed(suspect, now) {
    const { webhook, client } = suspect;
    const { id, workspaceId } = webhook;
    const forgotten = new Date(Math.max(now - PERIOD_MS, forgivenUntil(suspect)));
    const { rows } = await pool.query<{ failures: number; since: Date; locked_until: Date | null }>(
      `insert into ingress_gateway.lockouts as l (webhook_id, client, workspace_id, failures, since)
       values ($1, $2, $3, 1, $4)
       on conflict (webhook_id, client) do update set
         failures = case when l.since <= $5 then 1 else l.failures + 1 end,
         since = case when l.since <= $5 then excluded.since else l.since end,
         locked_until = case when l.since > $5 and l.failures + 1 >= $6 then $7::timestamptz else null end
       returning failures, since, locked_until`,
      [id, client, workspaceId, new Date(now), forgotten, FAILURES, new Date(now + PERIOD_MS)],
    );
    const [row] = rows;
    if (!row) throw new TypeError('the failure was not counted');
    return { failures: row.failures, since: row.since.getTime(), lockedUntil: row.locked_until?.getTime() ?? 0 };
  },
  async forget(now) {
    await pool.query('delete from ingress_gateway.lockouts where since < $1', [new Date(now - 2 * PERIOD_MS)]);
  },
});

/**
 * Clients that keep showing wrong credentials. Decided in memory, so that it works without a database and costs nothing while nobody
 * fails; failures are reported, and what the other gateways saw comes back with the report.
 */
export class LockOut {
  private readonly seen = new Map<string, Failures>();
  private reports = 0;

  constructor(
    private readonly store: FailureStore | undefined,
    private readonly log: Logger,
    /** A client is locked out from now on. */
    private readonly onLocked: (suspect: Suspect, failures: Failures) => void = () => undefined,
  ) {}

  /** Whether anybody has failed at all lately. */
  isQuiet = (): boolean => this.seen.size === 0;

  /** Milliseconds for which the client is still locked out; 0 = it is not. */
  leftMs(suspect: Suspect, now: number): number {
    const key = keyOf(suspect);
    const seen = this.seen.get(key);
    if (!seen) return 0;
    if (!isForgiven(seen, suspect)) return Math.max(0, seen.lockedUntil - now);
    this.seen.delete(key);
    return 0;
  }

  failed(suspect: Suspect, now: number): void {
    const key = keyOf(suspect);
    const before = this.seen.get(key);
    const counts = before && now - before.since < PERIOD_MS && !isForgiven(before, suspect);
    const seen = counts ? before : { failures: 0, since: now, lockedUntil: 0 };
    this.count(suspect, seen, { ...seen, failures: seen.failures + 1 }, now);
    this.seen.delete(key);
    this.seen.set(key, seen);
    const [oldest] = this.seen.keys();
    if (this.seen.size > CLIENTS_MAX && oldest !== undefined) this.seen.delete(oldest);
    this.report(suspect, seen, now);
  }

  /** Forgets those whose time is over. */
  async sweep(now: number): Promise<void> {
    for (const [key, { since, lockedUntil }] of this.seen)
      if (now - since >= PERIOD_MS && lockedUntil <= now) this.seen.delete(key);
    await this.store?.forget(now);
  }

  private count(suspect: Suspect, seen: Failures, { failures, since, lockedUntil }: Failures, now: number): void {
    const wasLocked = seen.lockedUntil > now;
    // The first failure may have met another gateway: what it began is forgiven with it.
    seen.since = Math.min(seen.since, since);
    seen.failures = Math.max(seen.failures, failures);
    seen.lockedUntil = Math.max(seen.lockedUntil, lockedUntil, seen.failures >= FAILURES ? now + PERIOD_MS : 0);
    if (wasLocked || seen.lockedUntil <= now) return;
    this.log.warn({ webhookId: suspect.webhook.id, minutes: PERIOD_MS / 60_000 }, 'webhook.locked-out');
    this.onLocked(suspect, seen);
  }

  private report(suspect: Suspect, seen: Failures, now: number): void {
    if (!this.store || this.reports >= REPORTS_MAX) return;
    this.reports += 1;
    this.store
      .failed(suspect, now)
      .then(
        (everywhere) => this.count(suspect, seen, everywhere, now),
        (error: unknown) => this.log.debug({ err: error }, 'lock-out.not-reported'),
      )
      .finally(() => (this.reports -= 1));
  }
}

const keyOf = ({ webhook, client }: Suspect): string => `${webhook.id} ${client}`;

const forgivenUntil = ({ unlockedAt }: Suspect): number => (unlockedAt ? Date.parse(unlockedAt) : -Infinity);
const isForgiven = ({ since }: Failures, suspect: Suspect): boolean => since <= forgivenUntil(suspect);
