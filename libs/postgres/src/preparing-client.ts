import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Client, type QueryConfig } from 'pg';
import { bindMessage, hasLarge, type Binding } from './bind-message.ts';

/** A text is prepared once this connection has run it so often: what runs once is not worth keeping. */
const PREPARE_AT = 3;
/** Texts that a connection keeps prepared at most. Each holds memory of the server's process. */
const PREPARED_MAX = 100;
/** Texts that are counted at most; statements that are put together from parts may be many. */
const COUNTED_MAX = 1_000;
/**
 * A kept plan was made for the tables as they were: an empty one is soon a large one. So plans are made anew, first after a second, then
 * after twice the time, at last every ten seconds.
 */
const FIRST_AGE_MS = 1_000;
const LAST_AGE_MS = 10_000;

/** So much goes out before the next statement is added to it: the server has work meanwhile. */
const GATHERED_BYTES = 16 * 1024;

/** The statement is not there, is another one, or gives other columns since a migration: a pooler or DDL came between. */
const BROKEN = new Set(['26000', '42P05', '0A000']);
export const isBrokenPreparation = (error: unknown): boolean => {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string' || !BROKEN.has(code)) return false;
  return code !== '0A000' || /cached plan/.test(String(message));
};

const names = new Map<string, string>();
function nameOf(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `t_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`;
    if (names.size >= COUNTED_MAX) names.clear();
    names.set(text, name);
  }
  return name;
}

/** What pg's declarations leave out of its connection. */
interface Wire {
  stream?: Socket;
  bind: (binding: Binding) => void;
}

type Given = [text: unknown, values?: unknown, callback?: unknown];

/**
 * A connection that has statements prepared which it runs again and again with values (`[]` where a statement has none): the server parses and
 * plans them once. Statements that are sent without waiting for the answers before them go out together (`pipeline`), those of one turn of the
 * event loop in one write.
 */
export class PreparingClient extends Client {
  private readonly counts = new Map<string, number>();
  private prepared = 0;
  private disabled = false;
  private age = FIRST_AGE_MS;
  private plannedAt = performance.now();
  private gathering = false;

  constructor(config?: ConstructorParameters<typeof Client>[0]) {
    super({ ...(typeof config === 'string' ? { connectionString: config } : config), pipeline: true });
    const query = this.query.bind(this) as (...given: Given) => unknown;
    this.query = ((...given: Given) => this.run(query, given)) as Client['query'];
    this.sendLargeAsTheyAre();
  }

  /** pg puts each message together in memory that it enlarges several times: two copies of what is large, and as much that is soon garbage. */
  private sendLargeAsTheyAre(): void {
    const wire = this.connection as unknown as Wire;
    const bind = wire.bind.bind(wire);
    wire.bind = (binding) => {
      if (!hasLarge(binding)) return bind(binding);
      const pieces = bindMessage(binding);
      if (wire.stream?.writable) for (const piece of pieces) wire.stream.write(piece);
    };
  }

  private run(query: (...given: Given) => unknown, [text, values, callback]: Given): unknown {
    this.gather();
    const kept = typeof text === 'string' && Array.isArray(values) && this.keeps(text);
    if (!kept) return query(text, values, callback);
    this.refreshPlans(query);
    const config: QueryConfig = { name: nameOf(text), text, values };
    if (typeof callback === 'function')
      return query(config, (error: unknown, result: unknown) => {
        this.noteFailure(error);
        (callback as (...answer: unknown[]) => void)(error, result);
      });
    return (query(config) as Promise<unknown>).catch((error: unknown) => {
      this.noteFailure(error);
      throw error;
    });
  }

  /** Each write is a system call that wakes the server; what this turn sends can wait for its end, unless it is enough to begin with. */
  private gather(): void {
    const { stream } = this.connection as unknown as Wire;
    if (!stream?.writable) return;
    if (this.gathering) {
      if (stream.writableLength < GATHERED_BYTES) return;
      stream.uncork();
      stream.cork();
      return;
    }
    this.gathering = true;
    stream.cork();
    process.nextTick(() => {
      this.gathering = false;
      stream.uncork();
    });
  }

  /** Whether this text is prepared on this connection, or is worth it from now on. */
  private keeps(text: string): boolean {
    if (this.disabled) return false;
    const before = this.counts.get(text) ?? 0;
    if (before >= PREPARE_AT) return true;
    if (before + 1 === PREPARE_AT && this.prepared >= PREPARED_MAX) return false;
    if (before === 0 && this.counts.size >= COUNTED_MAX) this.forgetRare();
    this.counts.set(text, before + 1);
    if (before + 1 < PREPARE_AT) return false;
    this.prepared++;
    return true;
  }

  private forgetRare(): void {
    for (const [text, count] of this.counts) if (count < PREPARE_AT) this.counts.delete(text);
  }

  private refreshPlans(query: (...given: Given) => unknown): void {
    const now = performance.now();
    if (now - this.plannedAt < this.age) return;
    this.plannedAt = now;
    this.age = Math.min(this.age * 2, LAST_AGE_MS);
    (query('discard plans') as Promise<unknown>).catch(() => undefined); // in a transaction that has failed: later
  }

  /** From then on this connection prepares nothing; what failed is tried again by whoever sent it. */
  private noteFailure(error: unknown): void {
    if (isBrokenPreparation(error)) this.disabled = true;
  }
}
