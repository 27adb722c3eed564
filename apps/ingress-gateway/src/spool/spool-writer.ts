import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@tocsin/nest-shell';
import type { Client } from 'pg';
import type { SpoolGate } from './spool-gate.ts';
import { allHeard, bytesOf, dropConnection, putReceipts, readGate, type Receipt } from './spool-store.ts';

/** `closed`: not stored, because the spool was closed meanwhile; the log takes receipts again. */
export type PutAnswer = 'stored' | 'closed';
export type SpoolState = 'ready' | 'full' | 'away';

export interface SpoolWriterOptions {
  connect: () => Promise<Client>;
  /** Names this process in the accounts. */
  writer: string;
  gate: SpoolGate;
  maxBytes: number;
  /** Bytes of receipts that may wait for the database. */
  inFlightBytes: number;
  onChange: () => void;
  log: Logger;
}

interface Waiting {
  receipt: Receipt;
  bytes: number;
  deadlineMs: number;
  until: number;
  resolve: (answer: PutAnswer) => void;
  reject: (error: Error) => void;
}

const BATCH_ROWS = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;
/** A statement that takes longer means that the database hangs. */
const STATEMENT_MS = 2_000;
const AGAIN_MS = 250;
const SWEEP_MS = 50;
/**
 * How long the other gateways have to hear that the spool is open before the first receipt in it is confirmed to its sender. As a rule it takes
 * a few milliseconds; one that hangs does not hold up the others for longer.
 */
const OPENING_MS = 2_000;
const HEARD_AGAIN_MS = 5;

/**
 * Stores receipts in the spool, all that have come meanwhile in one statement on one connection: in the order in which they came, and the
 * slower the database, the larger the batches. A database that is away is asked again in the background, not by requests.
 */
export class SpoolWriter {
  private queue: Waiting[] = [];
  private batch: Waiting[] = [];
  private heldBytes = 0;
  /** What the spool held when its size was last read, and what this process has added since. */
  private size = 0;
  private running = false;
  private away = false;
  private closed = false;
  private opening = false;
  private client: Promise<Client> | undefined;
  private sweeper: NodeJS.Timeout | undefined;

  constructor(private readonly options: SpoolWriterOptions) {}

  state(): SpoolState {
    if (this.away) return 'away';
    return this.size >= this.options.maxBytes ? 'full' : 'ready';
  }

  /** Connects before an outage: making the connection would take from the time of its first receipts. */
  async prepare(): Promise<void> {
    try {
      await within(STATEMENT_MS, this.connection().then(readGate));
    } catch (error) {
      if (!this.running && !this.closed) this.failed(error as Error); // whoever is at work finds out
    }
  }

  /** The size as the database knows it. */
  sized(bytes: number): void {
    this.size = bytes;
  }

  /** Resolves when the receipt is durable in the spool. Rejects where that did not come in time; it may be stored all the same. */
  put(receipt: Receipt, deadlineMs: number): Promise<PutAnswer> {
    const bytes = bytesOf(receipt.record);
    if (this.state() !== 'ready' || this.heldBytes + bytes > this.options.inFlightBytes)
      return Promise.reject(new Error('the spool takes nothing now'));
    this.heldBytes += bytes;
    return new Promise((resolve, reject) => {
      this.queue.push({ receipt, bytes, deadlineMs, until: performance.now() + deadlineMs, resolve, reject });
      this.sweeper ??= setInterval(() => this.sweep(), SWEEP_MS);
      if (!this.running) void this.work();
    });
  }

  async close(): Promise<void> {
    while (this.running) await pause(SWEEP_MS / 5);
    this.closed = true;
    clearInterval(this.sweeper);
    const client = await this.client?.catch(() => undefined);
    if (client) dropConnection(client);
  }

  private async work(): Promise<void> {
    this.running = true;
    // After the current turn, so that what one turn brings shares a statement.
    await new Promise((turn) => setImmediate(turn));
    while (this.queue.length > 0) {
      this.batch = this.next();
      try {
        await this.store(this.batch);
      } catch (error) {
        this.failed(error as Error);
      }
      for (const { bytes } of this.batch) this.heldBytes -= bytes;
      this.batch = [];
    }
    this.running = false;
    clearInterval(this.sweeper);
    this.sweeper = undefined;
  }

  private connection(): Promise<Client> {
    return (this.client ??= this.connect());
  }

  /** One that ends, as with a restart of the database, is made again at once. */
  private connect(): Promise<Client> {
    const connecting = this.options.connect();
    const ended = () => {
      if (this.client !== connecting || this.closed) return;
      this.client = undefined;
      if (!this.running) void this.prepare();
    };
    connecting.then(
      (client) => client.once('end', ended),
      () => undefined,
    );
    return connecting;
  }

  private next(): Waiting[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(this.queue.length, BATCH_ROWS); count += 1) {
      bytes += (this.queue[count] as Waiting).bytes;
      if (count > 0 && bytes > BATCH_BYTES) break;
    }
    const batch = this.queue.slice(0, count);
    this.queue = this.queue.slice(count);
    return batch;
  }

  private async store(batch: readonly Waiting[]): Promise<void> {
    const { gate, writer } = this.options;
    const receipts = batch.map(({ receipt }) => receipt);
    const put = async () => putReceipts(await this.connection(), writer, gate.generation, receipts);
    const { taken, opened, generation } = await within(STATEMENT_MS, put());
    gate.heard({ generation, spooling: taken });
    if (taken) this.size += batch.reduce((sum, { bytes }) => sum + bytes, 0);
    if (opened) await this.untilHeard(generation);
    for (const { resolve } of batch) resolve(taken ? 'stored' : 'closed');
  }

  /** Until then the others may still write to the log, past what has just been stored. */
  private async untilHeard(generation: number): Promise<void> {
    const { client } = this;
    const until = performance.now() + OPENING_MS;
    this.opening = true;
    try {
      while (client && performance.now() < until) {
        const heard = allHeard(await client, this.options.writer, generation);
        if (await within(STATEMENT_MS, heard)) return;
        await pause(HEARD_AGAIN_MS);
      }
      this.options.log.warn({ generation }, 'spool.not-heard-by-all');
    } catch (error) {
      // The receipts are stored; whether the database still answers is for the next ones to find out.
      this.options.log.warn({ err: error, generation }, 'spool.not-heard-by-all');
    } finally {
      this.opening = false;
      const now = performance.now();
      for (const waiting of this.queue) waiting.until = now + waiting.deadlineMs; // it could not be served before
    }
  }

  private failed(error: Error): void {
    for (const { reject } of this.batch) reject(error);
    for (const { reject, bytes } of this.queue.splice(0)) {
      this.heldBytes -= bytes;
      reject(error);
    }
    void this.client?.then(dropConnection, () => undefined);
    this.client = undefined;
    if (this.away) return;
    this.away = true;
    this.options.log.warn({ err: error }, 'spool.away');
    this.options.onChange();
    void this.awaitDatabase();
  }

  private async awaitDatabase(): Promise<void> {
    while (!this.closed && this.away) {
      await pause(AGAIN_MS);
      const connecting = this.connect();
      try {
        await within(STATEMENT_MS, connecting.then(readGate));
        this.client = connecting;
        this.away = false;
      } catch {
        void connecting.then(dropConnection, () => undefined);
      }
    }
    if (this.closed) return;
    this.options.log.info({}, 'spool.back');
    this.options.onChange();
  }

  /** Those whose time is over are told; their receipts may be stored all the same. */
  private sweep(): void {
    // What waits for the others to hear of the opening is stored, or waits behind that.
    if (this.opening) return;
    const now = performance.now();
    const late = new Error('the database did not confirm in time');
    for (const waiting of this.batch) if (waiting.until <= now) waiting.reject(late);
    const overdue = this.queue.filter(({ until }) => until <= now);
    if (overdue.length === 0) return;
    this.queue = this.queue.filter(({ until }) => until > now);
    for (const { reject, bytes } of overdue) {
      this.heldBytes -= bytes;
      reject(late);
    }
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // a late failure was answered already
  }
}
