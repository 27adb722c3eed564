import type { Pool, PoolClient } from 'pg';
import { DUE_CHANNEL, WORKER_LOCK_CLASS } from './claim-store.ts';

export interface WorkerSessionOptions {
  pool: Pool;
  /** A new worker id, 1 … 2³¹−1. */
  newId: () => number;
  onHint: () => void;
  onLost: (error: Error | undefined) => void;
}

/**
 * The sign of life of one worker: a database session that holds an advisory lock on the worker's id. It ends with the process, and with it
 * the lock; others then free what the worker had claimed, without waiting for a lease. It also hears hints that something is due.
 */
export class WorkerSession {
  private client: PoolClient | undefined;
  private opening: Promise<void> | undefined;
  private current: number | undefined;
  private hinting = false;

  constructor(private readonly options: WorkerSessionOptions) {}

  /** Id to claim with, or undefined while there is no session: nothing may be claimed then. */
  get id(): number | undefined {
    return this.current;
  }

  /** Opens the session unless it is open. Rejects while the database is away. */
  open(): Promise<void> {
    if (this.current !== undefined) return Promise.resolve();
    this.opening ??= this.begin().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async begin(): Promise<void> {
    const client = await this.options.pool.connect();
    const id = this.options.newId();
    const lost = (error?: Error): void => {
      if (this.client !== client) return;
      this.client = undefined;
      this.current = undefined;
      client.release(true);
      this.options.onLost(error);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    try {
      // A worker that cannot take the lock would look dead to everybody while it works.
      const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1, $2) as taken', [
        WORKER_LOCK_CLASS,
        id,
      ]);
      if (!rows[0]?.taken) throw new Error('the worker id is taken');
      await client.query(`listen ${DUE_CHANNEL}`);
    } catch (error) {
      client.release(true);
      throw error;
    }
    // Its own hints are for the others: it has no room itself.
    client.on('notification', ({ payload }) => {
      if (payload !== String(id)) this.options.onHint();
    });
    this.client = client;
    this.current = id;
  }

  /** This process is full: another one may have room. At most one hint is on its way; one that is lost costs others a poll. */
  hint(): void {
    if (this.hinting) return;
    this.hinting = true;
    this.options.pool
      .query('select pg_notify($1, $2)', [DUE_CHANNEL, String(this.current ?? '')])
      .catch(() => undefined)
      .finally(() => (this.hinting = false));
  }

  /** Ends the session; the lock goes with it. */
  close(): void {
    const client = this.client;
    this.client = undefined;
    this.current = undefined;
    client?.release(true);
  }
}
