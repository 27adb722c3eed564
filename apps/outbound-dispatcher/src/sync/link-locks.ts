import type { Pool, PoolClient } from 'pg';

/** Class of the advisory locks that say which process works for a link. */
const SYNC_LOCK_CLASS = 0x53594e43;

/**
 * Which links this process works for: one process at a time per link, so that order, rate and cursor need no further care. The locks belong to
 * a session and end with the process; another one goes on within a tick.
 */
export class LinkLocks {
  private client: PoolClient | undefined;
  private opening: Promise<PoolClient> | undefined;
  private readonly held = new Set<string>();

  constructor(private readonly pool: Pool) {}

  holds = (linkId: string): boolean => this.held.has(linkId);

  /** @returns whether this process works for the link from now on */
  async take(linkId: string): Promise<boolean> {
    if (this.held.has(linkId)) return true;
    const client = await this.session();
    const { rows } = await client.query<{ mine: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as mine', [
      SYNC_LOCK_CLASS,
      linkId,
    ]);
    if (rows[0]?.mine && this.client === client) this.held.add(linkId);
    return this.held.has(linkId);
  }

  /** Lets go of links that are no more. */
  async keepOnly(linkIds: ReadonlySet<string>): Promise<void> {
    for (const id of [...this.held].filter((one) => !linkIds.has(one))) {
      this.held.delete(id);
      await this.client?.query('select pg_advisory_unlock($1, hashtext($2))', [SYNC_LOCK_CLASS, id]);
    }
  }

  close(): void {
    const client = this.client;
    this.client = undefined;
    this.held.clear();
    client?.release(true);
  }

  private session(): Promise<PoolClient> {
    if (this.client) return Promise.resolve(this.client);
    this.opening ??= this.open().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async open(): Promise<PoolClient> {
    const client = await this.pool.connect();
    const lost = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      this.held.clear(); // and with the session all of them
      client.release(true);
    };
    client.on('error', lost);
    client.on('end', lost);
    this.client = client;
    return client;
  }
}
