import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import type { PublisherDeps } from './lane-publisher.ts';
import { FreshRows } from './fresh-rows.ts';
import { deleteSent, readOutboxIds, readOutboxRows, type OutboxRow } from './outbox.ts';
import { PreparingClient } from './preparing-client.ts';
import {
  FIRST_BACKOFF_MS,
  LAST_BACKOFF_MS,
  Nap,
  READY_WAIT_MS,
  SENT_WAIT_MS,
  settles,
  type Publisher,
} from './publisher.ts';
import { together } from './together.ts';

/** The server ends the session of a publisher that was stopped; another process takes over then. The publisher speaks more often than this. */
const SESSION_TIMEOUT_MS = 12_000;
const SIGN_OF_LIFE_MS = 3_000;
/** How often another process asks whether the publisher's place is free. */
const STANDBY_MS = 1_000;
/** Only a fallback: commits wake the publisher. */
const POLL_MS = 2_000;
/** A row is a page of small records or so. */
const BACKLOG_ROWS = 2_000;
const FLUSH_POLL_MS = 20;

/**
 * One publisher per service, for services with several writers: whoever holds the advisory lock sends all rows in id order.
 * The lock lives on a connection of its own, so it ends with its process.
 */
export class SinglePublisher implements Publisher {
  private readonly channel: string;
  private readonly nap = new Nap();
  private readonly fresh = new FreshRows();
  private readonly done: Promise<void>;
  private client: Client | undefined;
  private leading = false;
  private closed = false;
  private failing = false;
  /** Rows that this process committed since the outbox was last seen drained. */
  private behind = 0;
  /** Ids of the oldest rows as they were read behind the last deletion; undefined where they are to be read. */
  private next: bigint[] | undefined;
  private drained: { promise: Promise<void>; resolve: () => void } = Promise.withResolvers<void>();

  constructor(private readonly deps: PublisherDeps) {
    this.channel = `${deps.schema}_outbox`;
    this.done = this.live();
  }

  get notify(): string | undefined {
    return this.leading ? undefined : this.channel;
  }

  async ready(): Promise<boolean> {
    if (!this.blocked) return true;
    await settles(this.drained.promise, READY_WAIT_MS);
    return !this.blocked;
  }

  committed(_lane: string, rows: readonly OutboxRow[]): Promise<void> {
    if (this.leading) {
      this.behind += rows.length;
      this.fresh.keep(rows);
    }
    if (rows.length > 0) this.nap.wake();
    return Promise.resolve();
  }

  leftovers(): void {
    this.nap.wake();
  }

  async flush(): Promise<void> {
    while (!this.closed) {
      this.nap.wake();
      const { rowCount } = await this.deps.pool.query(`select from ${this.deps.schema}.outbox limit 1`);
      if (!rowCount) return;
      await sleep(FLUSH_POLL_MS);
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    this.nap.wake();
    await settles(this.done, SENT_WAIT_MS);
    await this.client?.end().catch(() => undefined);
  }

  private get blocked(): boolean {
    return this.failing || this.behind > BACKLOG_ROWS;
  }

  private async live(): Promise<void> {
    let backoff = FIRST_BACKOFF_MS;
    while (!this.closed) {
      try {
        const client = await this.connect();
        if (!(await this.takePlace(client))) {
          await this.nap.sleep(STANDBY_MS);
        } else if (!(await this.sendNext(client))) {
          await this.nap.sleep(POLL_MS);
        }
        backoff = FIRST_BACKOFF_MS;
      } catch (error) {
        if (this.closed) break;
        this.failing = this.leading;
        this.deps.onError(error);
        await new Nap().sleep(backoff);
        backoff = Math.min(backoff * 2, LAST_BACKOFF_MS);
      }
    }
    const { client } = this;
    this.client = undefined;
    await client?.end().catch(() => undefined); // ends the session and its lock
  }

  private async connect(): Promise<Client> {
    if (this.client) return this.client;
    const client = new PreparingClient(this.deps.pool.options);
    const gone = (): void => {
      if (this.client !== client) return;
      this.client = undefined;
      this.leading = false;
      this.failing = false; // another process may publish; only the publisher knows whether the log takes records
      this.behind = 0;
      this.next = undefined;
      this.fresh.clear();
      this.nap.wake();
    };
    client
      .on('error', gone)
      .on('end', gone)
      .on('notification', () => this.nap.wake());
    await client.connect();
    this.client = client;
    await client.query(`set idle_session_timeout = ${SESSION_TIMEOUT_MS}`);
    return client;
  }

  private async takePlace(client: Client): Promise<boolean> {
    if (this.leading) return true;
    const { rows } = await client.query<{ taken: boolean }>(
      `select pg_try_advisory_lock(hashtextextended($1, 0)) as taken`,
      [`tocsin.${this.channel}`],
    );
    if (!rows[0]!.taken) return false;
    await client.query(`listen ${this.channel}`);
    this.leading = this.client === client;
    return this.leading;
  }

  /** @returns whether there is more to send. */
  private async sendNext(client: Client): Promise<boolean> {
    const rows = await this.oldest(client);
    const next = rows.length > 0 ? await this.send(client, rows) : [];
    this.failing = false;
    if (next.length === 0) {
      this.behind = 0;
      this.fresh.clear();
    } else {
      this.behind = Math.max(0, this.behind - rows.length);
      this.next = next;
    }
    if (!this.blocked) {
      this.drained.resolve();
      this.drained = Promise.withResolvers<void>();
    }
    return next.length > 0;
  }

  /** @returns the ids of the oldest rows after these, read in one round trip with their deletion */
  private async send(client: Client, rows: readonly OutboxRow[]): Promise<bigint[]> {
    const { schema } = this.deps;
    await this.append(client, rows);
    const [, next] = await together(deleteSent(client, schema, rows), readOutboxIds(client, schema));
    this.fresh.drop(rows.map(({ id }) => id));
    return next;
  }

  /** The oldest rows, in the order of their ids; those that this process has not committed itself are read with their values. */
  private async oldest(client: Client): Promise<OutboxRow[]> {
    const ids = this.next ?? (await readOutboxIds(client, this.deps.schema));
    this.next = undefined;
    const unknown = ids.filter((id) => !this.fresh.get(id));
    const read = unknown.length > 0 ? await readOutboxRows(client, this.deps.schema, unknown) : [];
    const known = new Map(read.map((row) => [row.id, row]));
    return ids.flatMap((id) => this.fresh.get(id) ?? known.get(id) ?? []);
  }

  /** The log may be away for long; the session must not look dead meanwhile, or two processes would publish in turns. */
  private async append(client: Client, rows: readonly OutboxRow[]): Promise<void> {
    const beat = setInterval(() => void client.query('select').catch(() => undefined), SIGN_OF_LIFE_MS);
    try {
      await this.deps.log.append(rows.flatMap(({ records }) => records));
    } finally {
      clearInterval(beat);
    }
  }
}
