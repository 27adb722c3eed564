import type { Logger } from '@tocsin/nest-shell';
import { isDisabled } from '@tocsin/domain/delivery';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { dueSubscriptions, reclaim, type DueSubscription } from './claim-store.ts';
import { disabledRevisions } from './endpoint-store.ts';
import { releaseRetained, retainedSubscriptions } from './retained.ts';
import type { EndpointSettings } from './subscription-settings.ts';

export interface LookParts {
  pool: Pool;
  settingsOf: (subscriptionId: string) => EndpointSettings | undefined;
  drainPerSecond: number;
  clock: () => Date;
  log: Logger;
}

/** What a poll finds: work of workers that are gone is freed, what was kept for subscriptions that are active again is let go. */
export async function lookForWork(parts: LookParts): Promise<DueSubscription[]> {
  const { pool, clock, log } = parts;
  const freed = await reclaim(pool, clock());
  if (freed.length > 0) log.info({ subscriptions: freed.length }, 'deliveries.reclaimed');
  await letGo(parts);
  return dueSubscriptions(pool, clock());
}

async function letGo({ pool, settingsOf, drainPerSecond, clock, log }: LookParts): Promise<void> {
  const kept = await retainedSubscriptions(pool);
  if (kept.length === 0) return;
  const disabled = await disabledRevisions(pool);
  for (const { subscriptionId, workspaceId } of kept) {
    const settings = settingsOf(subscriptionId);
    // Of a deleted subscription they go at once, and end as such.
    if (settings && (!settings.active || isDisabled(disabled.get(subscriptionId) ?? null, settings.revision))) continue;
    const perSecond = settings ? (settings.maxPerSecond ?? drainPerSecond) : 1_000;
    const drain = { subscriptionId, workspaceId, perSecond, now: clock() };
    const released = await inTransaction(pool, (tx) => releaseRetained(tx, drain));
    log.info({ subscriptionId, released, perSecond }, 'deliveries.released');
  }
}

export async function inTransaction<T>(pool: Pool, run: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await run(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}
