import type { HaltReason, RetryReason } from '@tocsin/contracts';
import { type EventLogLogger, messageOf } from './errors.ts';
import type { Assigned, BatchHandler, BatchResult, LogRecord, PartitionState, Source } from './port.ts';

/** How large a batch may be: so many records, and so many bytes of values or one larger record. */
export interface BatchLimit {
  records: number;
  bytes: number;
}

export const DEFAULT_LIMIT: BatchLimit = { records: 500, bytes: 4 * 1024 * 1024 };

/** How many of the first records make a batch; at least one where there is one. */
export function countWithin(records: readonly LogRecord[], limit: BatchLimit): number {
  let bytes = 0;
  for (let count = 0; count < records.length; count++) {
    bytes += records[count]!.value.length;
    if (count === limit.records || (count > 0 && bytes > limit.bytes)) return count;
  }
  return records.length;
}

/** Where a reader gets its records from; each driver has its own. */
export interface Feed {
  state(): Promise<PartitionState>;
  /** The group's committed offset, if it has one. */
  committed(): Promise<bigint | undefined>;
  /** The next offset to read, for lag display and for consumers without a position of their own. Written lazily. */
  commit(next: bigint): void;
  /** Records from `from` on, waiting for the first one. Empty: the signal fired, or `from` is no longer in the log. */
  read(from: bigint, limit: BatchLimit, signal: AbortSignal): Promise<LogRecord[]>;
  heartbeat(): Promise<void>;
}

export interface ReaderOptions {
  source: Source;
  limit: BatchLimit;
  /** False for broadcast: nothing is tried again and no offset is kept. */
  retries: boolean;
  onAssigned: Assigned;
  handler: BatchHandler;
  logger: EventLogLogger;
  /** Called when the handler answered, before the answer has any effect. False: behave as if the process had died here. */
  settled?: (source: Source) => boolean;
}

export interface Halt {
  reason: HaltReason;
  detail: string;
}

const ASK_AGAIN_MS = { first: 50, most: 2_000 };
/** So many looks before a log counts as behind. */
const SURE_AFTER = 3;
const FAILED_AGAIN_MS = { first: 100, most: 5_000 };

/**
 * Reads one assigned partition: finds the position, hands batches to the handler one at a time and applies the outcome
 * before anything else moves. The same for every driver, so that they cannot differ in what an outcome means.
 */
export class PartitionReader {
  halted: Halt | undefined;
  /** True once a position is known. */
  positioned = false;
  private logId = '';
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly feed: Feed,
    private readonly options: ReaderOptions,
  ) {}

  get source(): Source {
    return this.options.source;
  }

  /** `former`: the end of the reader before this one; there is never more than one handler call at a time. */
  start(former: Promise<void> = Promise.resolve()): this {
    this.running = former
      .then(() => this.run())
      .catch((error: unknown) => {
        // Only a defect of the driver itself gets here; the partition stays visible as halted.
        this.halt({ reason: 'handler-contract', detail: messageOf(error) });
      });
    return this;
  }

  /** Lets the batch in hand finish and its outcome be applied. */
  stop(): Promise<void> {
    this.stopping.abort();
    return this.running;
  }

  private get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  private async run(): Promise<void> {
    let position = await this.position();
    while (position !== undefined && !this.stopped) {
      const records = await this.feed.read(position, this.options.limit, this.stopping.signal);
      if (this.stopped) return;
      position = records.length > 0 ? await this.deliver(records) : await this.position();
    }
  }

  /** Asks where to start, again and again until there is an answer; undefined when there is nothing to read any more. */
  private async position(ask: Assigned = this.options.onAssigned): Promise<bigint | undefined> {
    let behind = 0;
    for (let wait = ASK_AGAIN_MS.first; !this.stopped; wait = Math.min(wait * 2, ASK_AGAIN_MS.most)) {
      try {
        const state = await this.feed.state();
        this.logId = state.logId;
        const answer = await ask(this.source, state);
        const wanted =
          answer === 'group-offset' ? { groupOffset: (await this.feed.committed()) ?? state.first } : answer;
        if (this.stopped) return undefined;
        // The former owner may still have moved the position after we looked at the log's end: look once more.
        if (!isBehind(wanted, state) || ++behind === SURE_AFTER) return this.startAt(wanted, state);
      } catch (error) {
        this.options.logger.warn({ ...this.source, error: messageOf(error), againInMs: wait }, 'position.unknown');
      }
      await sleep(wait, this.stopping.signal);
    }
    return undefined;
  }

  private startAt(wanted: Wanted, { first, end }: PartitionState): bigint | undefined {
    if ('halt' in wanted) return this.halt({ reason: wanted.halt, detail: wanted.detail });
    const place = 'seek' in wanted ? wanted.seek : wanted.groupOffset;
    const outOfRange = place < first || place > end;
    // A client library would silently start at the earliest or latest record instead.
    if (outOfRange && 'seek' in wanted)
      return place < first
        ? this.halt({ reason: 'gap', detail: `position ${place}, but the log begins at ${first}` })
        : this.halt({ reason: 'log-behind', detail: `position ${place}, but the log ends at ${end}` });
    this.positioned = true;
    // Who was killed before the group's offset was written would seem to be behind until the next record comes.
    if ('seek' in wanted && this.options.retries) this.feed.commit(place);
    if (!outOfRange) return place;
    this.options.logger.error(
      { ...this.source, committed: `${place}`, first: `${first}`, end: `${end}` },
      'group-offset.out-of-range',
    );
    return first;
  }

  /** Hands a batch over until it is settled. Answers the next position, or undefined when stopped or halted. */
  private async deliver(records: LogRecord[]): Promise<bigint | undefined> {
    let failures = 0;
    while (!this.stopped) {
      const result = await this.call(records, failures);
      if (this.options.settled?.(this.source) === false) return undefined;
      if (result.kind !== 'retry') return this.apply(result, records);
      if (!this.options.retries) return after(records);
      failures++;
      this.options.logger.warn({ ...this.source, reason: result.reason, againInMs: result.afterMs }, 'batch.retried');
      await sleep(result.afterMs, this.stopping.signal);
    }
    return undefined;
  }

  private async call(records: LogRecord[], failures: number): Promise<BatchResult> {
    try {
      return await this.options.handler({
        source: this.source,
        logId: this.logId,
        records,
        heartbeat: () => this.feed.heartbeat(),
      });
    } catch (error) {
      this.options.logger.error({ ...this.source, error: messageOf(error) }, 'handler.threw');
      const afterMs = Math.min(FAILED_AGAIN_MS.first * 2 ** failures, FAILED_AGAIN_MS.most);
      return { kind: 'retry', afterMs, reason: 'handler-failed' satisfies RetryReason };
    }
  }

  private async apply(
    result: Exclude<BatchResult, { kind: 'retry' }>,
    records: LogRecord[],
  ): Promise<bigint | undefined> {
    if (result.kind === 'halt') return this.halt({ reason: result.reason, detail: result.detail ?? '' });
    if (result.kind === 'overtaken') return this.follow(result.next, records);
    if (result.next < records[0]!.offset || result.next > after(records))
      return this.halt({
        reason: 'handler-contract',
        detail: `the handler committed ${result.next} of a batch from ${records[0]!.offset} to ${after(records)}`,
      });
    if (this.options.retries) this.feed.commit(result.next);
    return result.next;
  }

  /** Another owner moved the position: go on there, if the log has it. */
  private follow(next: bigint, records: LogRecord[]): Promise<bigint | undefined> {
    if (next >= records[0]!.offset && next <= after(records)) return Promise.resolve(next);
    return this.position(() => Promise.resolve({ seek: next }));
  }

  private halt(halt: Halt): undefined {
    this.halted = halt;
    this.options.logger.error({ ...this.source, ...halt }, 'partition.halted');
    return undefined;
  }
}

type Wanted = { seek: bigint } | { groupOffset: bigint } | { halt: HaltReason; detail: string };

function isBehind(wanted: Wanted, { end }: PartitionState): boolean {
  if ('halt' in wanted) return wanted.halt === 'log-behind';
  return ('seek' in wanted ? wanted.seek : wanted.groupOffset) > end;
}

const after = (records: LogRecord[]): bigint => records[records.length - 1]!.offset + 1n;

/** Resolves after `ms`, or at once when the signal fires. */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
  });
}
