import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '@tocsin/event-log';
import type { Logger } from '@tocsin/nest-shell';
import type { Client } from 'pg';
import type { LogWatch } from './log-watch.ts';
import type { SpoolGate } from './spool-gate.ts';
import {
  CHANNEL,
  closeSpool,
  dropConnection,
  freeSlots,
  joinGateways,
  readGate,
  readReceipts,
  removeReceipts,
  sayHeard,
  SLOTS,
  takeSlots,
  type SpooledRow,
} from './spool-store.ts';

export interface SpoolDrainerOptions {
  connect: () => Promise<Client>;
  writer: string;
  eventLog: Pick<EventLog, 'append'>;
  watch: LogWatch;
  gate: SpoolGate;
  /** Told how many bytes the spool holds. */
  sized: (bytes: number) => void;
  /** Told how many receipts were forwarded. */
  drained: (count: number) => void;
  random: (below: number) => number;
  log: Logger;
}

/** The rule where the notification is the hint. */
const LOOK_MS = 1_000;
const AGAIN_MS = 500;
const ROUND = { rows: 2_000, bytes: 4 * 1024 * 1024 };
const EVERY_SLOT = Array.from({ length: SLOTS }, (_, slot) => slot);
/** Half of the slots, so that two gateways drain at the same time. */
const SLOTS_PER_ROUND = SLOTS / 2;
/** Few enough to be forwarded while every gateway waits for it. */
const LAST_ROWS = 1_500;
const LAST_MS = 1_500;
const CROWDED_MS = 20;
/** A session that says nothing for longer than this is ended by the server, and its slots are free. */
export const SESSION_TIMEOUT_MS = 12_000;
const SIGN_OF_LIFE_MS = 3_000;

/**
 * Forwards the spool to the log. A session of its own holds the locks of the slots that it works on: they end with the process, so that
 * another gateway goes on. What was appended and not yet removed is appended again; its ids are the same.
 */
export class SpoolDrainer {
  private readonly ending = new AbortController();
  private readonly heard = Promise.withResolvers<void>();
  private done: Promise<void> | undefined;
  private awake = Promise.withResolvers<void>();
  private client: Client | undefined;
  /** The newest generation of which the others know that it was heard here. */
  private said = -1;

  constructor(private readonly options: SpoolDrainerOptions) {}

  /** Resolves when it is known whether the spool is open. */
  start(): Promise<void> {
    if (!this.ended) this.done ??= this.live();
    return this.heard.promise;
  }

  /** Something has changed: look now. */
  wake(): void {
    this.awake.resolve();
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.wake();
    await this.done;
  }

  private get ended(): boolean {
    return this.ending.signal.aborted;
  }

  private async live(): Promise<void> {
    for (let told = false; !this.ended;) {
      try {
        const client = await this.session();
        if (!(await this.work(client))) await this.nap(LOOK_MS);
        told = false;
      } catch (error) {
        this.forget();
        if (!told) this.options.log.warn({ err: error }, 'spool.drainer-failed');
        told = true;
        await this.nap(AGAIN_MS);
      }
    }
    this.forget();
  }

  /** @returns whether there may be more to do at once */
  private async work(client: Client): Promise<boolean> {
    const { gate, watch, sized } = this.options;
    const state = await readGate(client);
    sized(state.bytes);
    gate.heard(state);
    if (state.spooling && state.generation > this.said) {
      await sayHeard(client, this.options.writer, state.generation);
      this.said = state.generation;
    }
    if (!gate.isOpen() || watch.isAway()) return false;
    const drained = await this.round(client, this.someSlots());
    if (drained >= ROUND.rows / 2) return true;
    // Whether the log takes the rest shows before the gate is locked: nobody could spool while it is waited for.
    const rest = await this.round(client, EVERY_SLOT);
    if (await this.finish(client)) return false;
    if (drained + rest === 0) await pause(CROWDED_MS);
    return true;
  }

  private async round(client: Client, wanted: readonly number[]): Promise<number> {
    const { writer, drained } = this.options;
    const slots = await takeSlots(client, wanted);
    if (slots.length === 0) return 0;
    const rows = await readReceipts(client, slots, ROUND);
    if (rows.length > 0) {
      await this.forward(client, rows);
      await removeReceipts(client, writer, rows);
      drained(rows.length);
    }
    await freeSlots(client, slots);
    return rows.length;
  }

  private async finish(client: Client): Promise<boolean> {
    const closed = await closeSpool(client, LAST_ROWS, (rows) => this.forward(client, rows, LAST_MS));
    if (!closed) return false;
    this.options.drained(closed.forwarded);
    this.options.sized(0);
    this.options.gate.heard({ generation: closed.generation, spooling: false });
    return true;
  }

  /** The log may take its time; the session must not look dead meanwhile, or two gateways would forward the same in turns. */
  private async forward(client: Client, rows: readonly SpooledRow[], deadlineMs?: number): Promise<void> {
    const { eventLog, watch } = this.options;
    const beat = setInterval(() => void client.query('select').catch(() => undefined), SIGN_OF_LIFE_MS);
    const appended = eventLog.append(rows.map(({ record }) => record));
    const late = Promise.withResolvers<never>();
    const timer =
      deadlineMs === undefined ? undefined : setTimeout(() => late.reject(new Error('the log is slow')), deadlineMs);
    try {
      await Promise.race([appended, late.promise]);
      watch.worked();
    } catch (error) {
      watch.failed(error);
      throw error;
    } finally {
      clearInterval(beat);
      clearTimeout(timer);
      appended.catch(() => undefined);
    }
  }

  private someSlots(): number[] {
    const slots = [...EVERY_SLOT];
    for (let at = slots.length - 1; at > 0; at -= 1) {
      const other = this.options.random(at + 1);
      [slots[at], slots[other]] = [slots[other] as number, slots[at] as number];
    }
    return slots.slice(0, SLOTS_PER_ROUND);
  }

  private async session(): Promise<Client> {
    if (this.client) return this.client;
    const client = await this.options.connect();
    this.client = client;
    const lost = () => {
      if (this.client === client) this.forget();
      this.wake();
    };
    client
      .on('error', lost)
      .on('end', lost)
      .on('notification', () => this.wake());
    await client.query(`listen ${CHANNEL}`);
    await joinGateways(client, this.options.writer);
    this.said = -1;
    this.options.gate.heard(await readGate(client), true);
    this.heard.resolve();
    return client;
  }

  private forget(): void {
    if (this.client) dropConnection(this.client);
    this.client = undefined;
  }

  private async nap(milliseconds: number): Promise<void> {
    const ending = new AbortController();
    const over = pause(milliseconds, undefined, { signal: ending.signal }).catch(() => undefined);
    await Promise.race([over, this.awake.promise]);
    ending.abort();
    this.awake = Promise.withResolvers();
  }
}
