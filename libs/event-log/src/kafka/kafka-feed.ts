import type { KafkaMessage } from 'kafkajs';
import { EventLogError } from '../errors.ts';
import { type BatchLimit, countWithin, type Feed } from '../partition-reader.ts';
import type { LogRecord, PartitionState } from '../port.ts';

/** A batch as kafkajs fetched it. `fetchedOffset` is where the fetch began: it is missing in kafkajs's types. */
export interface FetchedBatch {
  fetchedOffset: string;
  messages: KafkaMessage[];
  lastOffset(): string;
}

/** What a feed needs of its membership. */
export interface FeedPorts {
  state(): Promise<PartitionState>;
  committed(): Promise<bigint | undefined>;
  commit(next: bigint): void;
  /** Fetch this partition from `offset` on. */
  seek(offset: bigint): void;
  /** Records before `next` are with the reader. */
  handedOut(next: bigint): void;
  pause(): void;
  resume(): void;
  /** True while the group has confirmed us within the session timeout. */
  isMember(): boolean;
}

/** Records of one partition that wait in memory; above, the partition is paused. */
const BUFFER_RECORDS = 2_000;
const BUFFER_BYTES = 4 * 1024 * 1024;
const ASK_MEMBERSHIP_MS = 100;

/**
 * Between kafkajs's fetch loop, which must never wait for a handler (one slow partition would hold up all others and
 * the heartbeats), and the reader of one partition.
 */
export class KafkaFeed implements Feed {
  private buffer: LogRecord[] = [];
  private bytes = 0;
  /** Where the next fetch has to begin; undefined until the reader has said where to start. */
  private expected: bigint | undefined;
  /** Where the reader goes on if it did all that it got. */
  private handedOut = -1n;
  private paused = true;
  private lost = false;
  private wake: (() => void) | undefined;

  constructor(private readonly ports: FeedPorts) {}

  state = (): Promise<PartitionState> => this.ports.state();
  committed = (): Promise<bigint | undefined> => this.ports.committed();
  commit = (next: bigint): void => this.ports.commit(next);

  heartbeat(): Promise<void> {
    if (this.ports.isMember()) return Promise.resolve();
    return Promise.reject(
      new EventLogError('membership-lost', 'the group has not confirmed this consumer for a session timeout'),
    );
  }

  /** Takes what the fetch loop brings. False: not wanted, it must be fetched again from elsewhere. */
  accept(batch: FetchedBatch): boolean {
    if (this.expected === undefined || this.paused) return false;
    if (BigInt(batch.fetchedOffset) !== this.expected) {
      // kafkajs went elsewhere by itself: the log no longer has what we wanted. The reader asks for its position again.
      this.lost = true;
      this.hold();
      this.wake?.();
      return false;
    }
    for (const message of batch.messages) this.take(message);
    this.expected = BigInt(batch.lastOffset()) + 1n;
    if (this.buffer.length >= BUFFER_RECORDS || this.bytes >= BUFFER_BYTES) this.hold();
    this.wake?.();
    return true;
  }

  /** Offsets without records (compacted, control records): nothing to deliver, but the next fetch begins behind them. */
  skip(lastOffset: bigint): void {
    if (this.expected !== undefined && !this.paused && lastOffset >= this.expected) this.expected = lastOffset + 1n;
  }

  async read(from: bigint, limit: BatchLimit, signal: AbortSignal): Promise<LogRecord[]> {
    this.startAt(from);
    while (!signal.aborted && !this.lost) {
      if (this.buffer.length > 0 && this.ports.isMember()) return this.handOut(limit);
      await this.change(signal, this.buffer.length > 0 ? ASK_MEMBERSHIP_MS : undefined);
    }
    this.expected = undefined;
    this.lost = false;
    return [];
  }

  private handOut(limit: BatchLimit): LogRecord[] {
    const records = this.buffer.slice(0, countWithin(this.buffer, limit));
    this.keepFrom(records.length);
    this.handedOut = records[records.length - 1]!.offset + 1n;
    this.ports.handedOut(this.handedOut);
    if (this.paused && this.buffer.length < BUFFER_RECORDS / 2 && this.bytes < BUFFER_BYTES / 2) this.release();
    return records;
  }

  /** The reader goes on where it left off, unless an outcome or a new position sent it elsewhere. */
  private startAt(from: bigint): void {
    if (this.expected !== undefined && from === this.handedOut) return;
    const ahead = this.buffer.findIndex(({ offset }) => offset === from);
    this.handedOut = from;
    if (this.expected !== undefined && ahead >= 0) {
      this.keepFrom(ahead);
      return;
    }
    this.keepFrom(this.buffer.length);
    this.expected = from;
    this.ports.seek(from);
    this.release();
  }

  private keepFrom(index: number): void {
    this.buffer = this.buffer.slice(index);
    this.bytes = this.buffer.reduce((sum, { value }) => sum + value.length, 0);
  }

  private take(message: KafkaMessage): void {
    const value = message.value ?? Buffer.alloc(0);
    this.bytes += value.length;
    this.buffer.push({
      offset: BigInt(message.offset),
      key: message.key?.toString() ?? '',
      value,
      headers: headersOf(message),
      timestamp: Number(message.timestamp),
    });
  }

  private hold(): void {
    this.paused = true;
    this.ports.pause();
  }

  private release(): void {
    this.paused = false;
    this.ports.resume();
  }

  private change(signal: AbortSignal, atMost?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = atMost === undefined ? undefined : setTimeout(() => done(), atMost);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.wake = undefined;
        resolve();
      };
      this.wake = done;
      signal.addEventListener('abort', done);
    });
  }
}

function headersOf({ headers = {} }: KafkaMessage): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value !== undefined) found[name] = String(Array.isArray(value) ? value[value.length - 1] : value);
  }
  return found;
}
