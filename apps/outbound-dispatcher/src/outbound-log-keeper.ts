import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '@tocsin/nest-shell';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { forgetLate } from './forget-sent.ts';
import { inTransaction } from './look-for-work.ts';

export interface KeeperParts {
  pool: Pool;
  clock: () => Date;
  log: Logger;
  retentionDays: number;
}

/** Rows per statement: a pruning transaction stays short, whatever has piled up. */
const PRUNE_ROWS = 1_000;
const EVERY_MS = 60_000;
/** Between two batches, so that pruning is never what a small machine is busy with. */
const PAUSE_MS = 200;
const DAY_MS = 86_400_000;
/** Replicas take turns. */
const LOCK = `hashtextextended('outbound_dispatcher.log.prune', 0)`;

/** Removes from the log what is past its time, in small batches, and what was erased. */
export class OutboundLogKeeper {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;

  constructor(private readonly parts: KeeperParts) {}

  start(): void {
    this.stopped = false;
    this.plan();
  }

  /** Finishes the batch in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Removes one batch. @returns whether there may be more */
  prune(): Promise<boolean> {
    const { pool, clock, retentionDays } = this.parts;
    const before = new Date(clock().getTime() - retentionDays * DAY_MS);
    return inTransaction(pool, async (tx) => {
      const { rows } = await tx.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as mine`);
      return rows[0]?.mine === true && (await pruneOnce(tx, before)) >= PRUNE_ROWS;
    });
  }

  /** Takes the texts of erased incidents out of what was finished since. */
  forget(): Promise<void> {
    const { pool, clock } = this.parts;
    return inTransaction(pool, (tx) => forgetLate(tx, clock()));
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.pruneAll().finally(() => this.plan());
    }, EVERY_MS);
    this.timer.unref();
  }

  private async pruneAll(): Promise<void> {
    try {
      while (!this.stopped && (await this.prune())) await sleep(PAUSE_MS);
      await this.forget();
    } catch (error) {
      this.parts.log.warn({ error: (error as Error).message }, 'deliveries.prune-failed'); // the next minute tries again
    }
  }
}

/**
 * Old finished deliveries with their attempts, and what nobody fetched in time; what still waits to be sent stays, however old. The lane
 * of an incident goes with its last delivery: by then no record of it is read again.
 */
async function pruneOnce(tx: Tx, before: Date): Promise<number> {
  const { rows } = await tx.query<{ subscription_id: string; incident_id: string | null }>(
    `with recursive workspaces as (
       (select workspace_id from outbound_dispatcher.deliveries order by workspace_id limit 1)
       union all
       select next.workspace_id from workspaces cross join lateral (
         select workspace_id from outbound_dispatcher.deliveries
          where workspace_id > workspaces.workspace_id order by workspace_id limit 1) next
     ), old as (
       select d.seq from workspaces cross join lateral (
         select seq from outbound_dispatcher.deliveries
          where workspace_id = workspaces.workspace_id and created_at < $1 and (finished_at is not null or feed_xid is not null)
            and lease_token is null
          order by created_at, seq limit ${PRUNE_ROWS}) d limit ${PRUNE_ROWS}
     ), gone as (
       delete from outbound_dispatcher.deliveries d using old where d.seq = old.seq returning d.id, d.subscription_id, d.incident_id
     ), attempts as (
       delete from outbound_dispatcher.delivery_attempts a using gone where a.delivery_id = gone.id
     )
     select subscription_id, incident_id from gone`,
    [before],
  );
  const pairs = rows.filter(({ incident_id: incident }) => incident !== null);
  if (pairs.length > 0)
    await tx.query(
      `delete from outbound_dispatcher.lanes l using (select distinct s, i from unnest($1::text[], $2::text[]) as pair(s, i)) gone
        where l.subscription_id = gone.s and l.incident_id = gone.i
          and not exists (select from outbound_dispatcher.deliveries d where d.incident_id = gone.i and d.subscription_id = gone.s)`,
      [pairs.map((row) => row.subscription_id), pairs.map((row) => row.incident_id)],
    );
  return rows.length;
}
