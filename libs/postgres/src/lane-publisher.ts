import type { EventLog } from '@tocsin/event-log';
import type { Pool } from 'pg';
import { deleteSent, lanesWithRows, readOutbox, type OutboxRow } from './outbox.ts';
import {
  FIRST_BACKOFF_MS,
  LAST_BACKOFF_MS,
  Nap,
  READY_WAIT_MS,
  SENT_WAIT_MS,
  settles,
  type Publisher,
} from './publisher.ts';

export interface PublisherDeps {
  pool: Pool;
  schema: string;
  log: EventLog;
  onError: (error: unknown) => void;
}

/**
 * Rows of one partition's owner. Known rows go from memory; after a missed position all rows are read again, so that
 * those of a dead owner leave before newer ones.
 */
class Lane {
  private pending: OutboxRow[] = [];
  private unread = true;
  private running: Promise<void> | undefined;
  private closed = false;
  private readonly nap = new Nap();

  constructor(
    private readonly name: string,
    private readonly deps: PublisherDeps,
  ) {}

  /** Rows of a commit of this owner. Nothing to do for a commit without outputs, as long as nothing else is left. */
  add(rows: readonly OutboxRow[]): void {
    this.pending.push(...rows);
  }

  reread(): void {
    this.unread = true;
  }

  get idle(): boolean {
    return this.keepsUp && !this.running;
  }

  /** Nothing waits but what is being sent right now. After a failure everything waits. */
  get keepsUp(): boolean {
    return !this.unread && this.pending.length === 0;
  }

  /** Publishes until nothing is left. One run at a time; a running one takes up what was added. */
  run(): Promise<void> {
    if (this.idle || this.closed) return Promise.resolve();
    return (this.running ??= this.drain());
  }

  async close(): Promise<void> {
    this.closed = true;
    this.nap.wake();
    if (this.running) await settles(this.running, SENT_WAIT_MS);
  }

  private async drain(): Promise<void> {
    let backoff = FIRST_BACKOFF_MS;
    while (!this.closed && (this.unread || this.pending.length > 0)) {
      try {
        await this.sendNext();
        backoff = FIRST_BACKOFF_MS;
      } catch (error) {
        this.unread = true; // whatever was in hand is read again, in order
        this.deps.onError(error);
        await this.nap.sleep(backoff);
        backoff = Math.min(backoff * 2, LAST_BACKOFF_MS);
      }
    }
    this.running = undefined; // in the same turn as the check above, so that nothing added is overlooked
  }

  private async sendNext(): Promise<void> {
    const { pool, schema, log } = this.deps;
    const known = this.pending;
    this.pending = [];
    let rows = known;
    if (this.unread) {
      this.unread = false;
      rows = await readOutbox(pool, schema, this.name);
      if (rows.length > 0) this.unread = true; // there may be more; what is added meanwhile is read again too
    }
    if (rows.length === 0) return;
    await log.append(rows.flatMap(({ records }) => records));
    await deleteSent(pool, schema, rows);
  }
}

/** One lane per partition, published by its owner. Commands share a lane that is always read, since several processes write it. */
export class LanePublisher implements Publisher {
  readonly notify = undefined;
  private readonly lanes = new Map<string, Lane>();

  constructor(
    private readonly deps: PublisherDeps,
    private readonly sharedLane: string,
  ) {
    this.leftovers(sharedLane);
  }

  async ready(name: string): Promise<boolean> {
    const lane = this.lane(name);
    return lane.keepsUp || (await settles(lane.run(), READY_WAIT_MS));
  }

  /** Sends while the next batch is decided and written: the batch after that one waits until these are sent. */
  committed(name: string, rows: readonly OutboxRow[]): Promise<void> {
    const lane = this.lane(name);
    if (name === this.sharedLane) lane.reread();
    else lane.add(rows);
    void lane.run();
    return Promise.resolve();
  }

  leftovers(name: string): void {
    const lane = this.lane(name);
    lane.reread();
    void lane.run();
  }

  async flush(): Promise<void> {
    for (;;) {
      const names = await lanesWithRows(this.deps.pool, this.deps.schema);
      if (names.length === 0) return;
      for (const name of names) {
        this.lane(name).reread();
        await this.lane(name).run();
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }

  private lane(name: string): Lane {
    let lane = this.lanes.get(name);
    if (!lane) this.lanes.set(name, (lane = new Lane(name, this.deps)));
    return lane;
  }
}
