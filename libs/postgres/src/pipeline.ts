import type { PoisonReason, SkipReason, Topic } from '@tocsin/contracts';
import type { Assigned, BatchResult, Source } from '@tocsin/event-log';
import type { ClientBase } from 'pg';

/** A transaction that the caller began and will end. */
export type Tx = ClientBase;

/**
 * Where an output came from. A republished or re-made output has a new offset, so a reader recognises it by its mark:
 * it keeps the highest mark per (group, topic, partition, origin) and drops what is not above it.
 * From an input: origin = `<log id>/<topic>/<partition>`, offset = the input's, ordinal = 0, 1, … within it.
 * From a stream: origin = the stream id, offset = its version, ordinal likewise.
 */
export interface Mark {
  origin: string;
  offset: bigint;
  ordinal: number;
}

/** One record as a stage sees it. */
export interface Input {
  offset: bigint;
  key: string;
  /** Header `type`, e.g. `alerts.correlated.v1`. */
  type: string;
  value: Buffer;
  headers: Record<string, string>;
  timestamp: number;
  mark?: Mark;
}

/** One record that a stage wants published once its transaction has committed. */
export interface Output {
  topic: Topic;
  key: string;
  type: string;
  value: Uint8Array;
  /** Further headers (CloudEvents, traceparent, facts). `type` and `mark` are set by commitBatch. */
  headers?: Record<string, string>;
  /**
   * What it follows from. Outputs of a batch are published in the order of their inputs; for one stream, of its versions.
   * `input` beside a stream: the input whose `traceparent` this output carries on, where it sets none. Offsets name inputs of one partition
   * only: a stage that commits together says the input itself.
   */
  by: { input: bigint | Input } | { stream: string; version: bigint; input?: bigint | Input };
}

export type Verdict =
  | { kind: 'handled' }
  | { kind: 'skip'; reason: SkipReason }
  /** `parts`: indexes of the broken alerts of a packed record; the others were applied. */
  | { kind: 'dead-letter'; reason: PoisonReason; detail: string; parts?: number[] };

/** What one service does with a batch: load (before BEGIN, no locks), then apply (inside the transaction, repeatable). */
export interface Stage<Loaded> {
  load(inputs: Input[]): Promise<Loaded>;
  /**
   * `verdicts` has one entry per input, in order. `writes`: statements of the transaction that were sent and are not answered yet; nothing
   * is committed before they are. `lots`: further outputs, in the order of their inputs and behind `outputs`; each lot is put together while
   * the server writes. `committed` runs after COMMIT only: the one place where caches change.
   */
  apply(
    tx: Tx,
    inputs: Input[],
    loaded: Loaded,
  ): Promise<{
    verdicts: Verdict[];
    outputs: Output[];
    writes?: Promise<unknown>;
    lots?: Iterable<readonly Output[]>;
    committed?(): void;
  }>;
  /** Drops caches of this partition: another owner may have moved on. */
  forget(source: Source): void;
  /**
   * For records that pack several alerts: lets the broken one be named alone while its siblings are applied.
   * `keep` returns the input reduced to the alerts at these indexes (of the original record).
   */
  parts?: { count(input: Input): number; keep(input: Input, indexes: readonly number[]): Input };
}

/** A batch as `@Hears` doors hand it on. */
export interface Batch {
  source: Source;
  logId: string;
  inputs: Input[];
  heartbeat(): Promise<void>;
}

/** Exactly once in effect: fenced position, marks, state, outbox and dead letters in one transaction (docs: commit-batch). */
export type CommitBatch = <Loaded>(batch: Batch, stage: Stage<Loaded>) => Promise<BatchResult>;

/** One transaction with outputs for writers that do not read the log: REST, timers, delivery attempts. Serialisation conflicts and deadlocks are retried. */
export type CommitCommand = <Result>(
  run: (tx: Tx) => Promise<{ result: Result; outputs: Output[] }>,
) => Promise<Result>;

/** Everything a stateful service needs from this library; one per service, closed with it. */
export interface Pipeline {
  commitBatch: CommitBatch;
  /**
   * The same for a stage whose partitions do not need transactions of their own: batches that come while one is being written go into the
   * next, as if each had been committed by itself. The stage is the same object for all of them, and its outputs name streams.
   */
  commitTogether: CommitBatch;
  commitCommand: CommitCommand;
  /** Hand this to `consume` (through `Assignments`). */
  assigned: Assigned;
  /** Publishes what is left in the outbox; resolves when it is empty. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
