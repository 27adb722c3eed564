import type { TopicDefinition } from '@tocsin/contracts';
import type { AppendRecord, BatchHandler, BatchResult, EventLog, LogBatch, LogRecord } from '../port.ts';

const DAY_MS = 86_400_000;
export const PARTITIONS = 4;

/** The topics of the suite: few partitions, so that the cases see several of them without waiting long. */
export const suiteTopics: Record<string, TopicDefinition> = {
  'webhook.received': { key: 'any', partitions: PARTITIONS, retentionMs: DAY_MS, public: false },
  'webhook.replies': { key: 'any', partitions: 1, retentionMs: DAY_MS, public: false },
};

/** What a case works on: a fresh log with the suite's topics. */
export interface Target {
  log: EventLog;
  /** The log as another process sees it; a log that belongs to one process answers itself. */
  another(): Promise<EventLog>;
  /** Closes the log and opens it again; absent where nothing outlives the process. */
  reopen?(): Promise<EventLog>;
  end(): Promise<void>;
}

export interface ConformanceCase {
  name: string;
  /** Needs `reopen`. */
  durable?: boolean;
  run(target: Target): Promise<void>;
}

let waitMs = 20_000;
/** For specs that expect a case to fail: how long it may wait for a fact that never comes. */
export const waitAtMost = (ms: number): void => void (waitMs = ms);

/** Polls until the fact holds. @throws with what was found instead */
export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = waitMs): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const record = (
  key: string,
  value: string,
  headers: Record<string, string> = { type: 'sample.v1' },
): AppendRecord => ({
  topic: 'webhook.received',
  key,
  value: Buffer.from(value),
  headers,
});

/** Records for one key each, `perKey` times, interleaved. */
export const records = (keys: number, perKey: number): AppendRecord[] =>
  Array.from({ length: keys * perKey }, (_, i) => record(`key-${i % keys}`, `${i % keys}:${Math.floor(i / keys)}`));

export const endOf = (batch: LogBatch): bigint => batch.records[batch.records.length - 1]!.offset + 1n;
export const committed = (batch: LogBatch): BatchResult => ({ kind: 'committed', next: endOf(batch) });

/** Keeps what it was handed, in order, and answers what `answer` says; by default that all is done. */
export class Recorder {
  readonly batches: LogBatch[] = [];

  constructor(
    private readonly answer: (batch: LogBatch, nth: number) => BatchResult | Promise<BatchResult> = committed,
  ) {}

  readonly handler: BatchHandler = async (batch) => {
    this.batches.push(batch);
    return this.answer(batch, this.batches.length);
  };

  get records(): LogRecord[] {
    return this.batches.flatMap((batch) => batch.records);
  }

  get values(): string[] {
    return this.records.map(({ value }) => value.toString());
  }

  /** Distinct values so far. */
  get seen(): Set<string> {
    return new Set(this.values);
  }
}

/** A promise and its key. */
export function gate(): { opened: Promise<void>; open(): void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
