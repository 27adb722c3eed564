import { setTimeout as sleep } from 'node:timers/promises';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import type { Clock, Logger } from '@tocsin/nest-shell';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { type Keeping, pruneOnce } from './prune.ts';

export interface KeeperParts {
  /** Role `tocsin_pipeline`. */
  pool: Pool;
  clock: Clock;
  log: Logger;
  keeping: Keeping;
}

const EVERY_MS = 60_000;
/** Between two batches, so that pruning is never what a small machine is busy with. */
const PAUSE_MS = 200;
/** Replicas take turns: one of them prunes at a time. */
const LOCK = `hashtextextended('control_plane.inbound_log.prune', 0)`;

/** Removes what is past its time, in small batches. */
export class InboundLogKeeper implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;

  constructor(private readonly parts: KeeperParts) {}

  onApplicationBootstrap(): void {
    this.stopped = false;
    this.plan();
  }

  /** Finishes the batch in hand. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Prunes one batch. @returns whether there may be more */
  async prune(): Promise<boolean> {
    const { pool, keeping, clock } = this.parts;
    const client = await pool.connect();
    let broken: Error | undefined;
    try {
      await client.query('begin');
      const more = await this.pruneAlone(client, keeping, clock());
      await client.query('commit');
      return more;
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => (broken = failure));
      throw error;
    } finally {
      client.release(broken);
    }
  }

  private async pruneAlone(tx: Tx, keeping: Keeping, now: Date): Promise<boolean> {
    const { rows } = await tx.query<{ mine: boolean }>(`select pg_try_advisory_xact_lock(${LOCK}) as mine`);
    return rows[0]?.mine ? pruneOnce(tx, keeping, now) : false;
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
    } catch (error) {
      this.parts.log.warn({ err: error }, 'inbound-log.prune-failed'); // the next minute tries again
    }
  }
}
