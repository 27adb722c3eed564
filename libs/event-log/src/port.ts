import type { HaltReason, RetryReason, Topic, TopicDefinition } from '@tocsin/contracts';

/** A record to append. The driver derives the partition from the key; equal keys keep their order. Nobody writes to its value afterwards. */
export interface AppendRecord {
  topic: Topic;
  key: string;
  value: Uint8Array;
  headers: Record<string, string>;
}

/** A record as it is read. `offset` counts within its partition. */
export interface LogRecord {
  offset: bigint;
  key: string;
  value: Buffer;
  headers: Record<string, string>;
  /** Milliseconds since the epoch, as the log stamped it. */
  timestamp: number;
}

/** Which consumer reads which partition. */
export interface Source {
  group: string;
  topic: Topic;
  partition: number;
}

/** One partition's records in offset order. A batch is never empty. */
export interface LogBatch {
  source: Source;
  logId: string;
  records: LogRecord[];
  /** Tells the log that the handler is alive; a long handler calls it at least every 2 s. Throws when membership is lost. */
  heartbeat(): Promise<void>;
}

/**
 * What became of a batch.
 * `committed`: everything before `next` is done. `overtaken`: another owner was faster, go on reading at `next`.
 * `retry`: nothing moved, hand the same records again after `afterMs`. `halt`: stop this partition until a person has looked.
 */
export type BatchResult =
  | { kind: 'committed'; next: bigint }
  | { kind: 'overtaken'; next: bigint }
  | { kind: 'retry'; afterMs: number; reason: RetryReason }
  | { kind: 'halt'; reason: HaltReason; detail?: string };

export type BatchHandler = (batch: LogBatch) => Promise<BatchResult>;

/** What the log knows of a partition when it is assigned. `end` is the offset that the next record will get. */
export interface PartitionState {
  logId: string;
  first: bigint;
  end: bigint;
}

/**
 * Where to start reading an assigned partition: a stored position, the group's own committed offset (earliest without one), or nowhere.
 * May throw (a database that is away): the driver asks again until it gets an answer.
 */
export type Assigned = (
  source: Source,
  state: PartitionState,
) => Promise<{ seek: bigint } | 'group-offset' | { halt: HaltReason; detail: string }>;

export interface ConsumeOptions {
  topic: Topic;
  group: string;
  /** `broadcast-from-end`: this consumer alone reads every partition from its end on, keeps no offset and ignores `retry`. */
  mode: 'group' | 'broadcast-from-end';
  /** Default: 'group-offset'. */
  onAssigned?: Assigned;
  /** Upper bound of records per batch; default 500. */
  maxRecords?: number;
  /** Upper bound of value bytes per batch, or one larger record; default 4 MiB. Keeps a handler's transaction short whatever is packed. */
  maxBytes?: number;
  /**
   * Milliseconds from one read of a broker to the next, so that what comes meanwhile comes together; default 0. A record after a pause is read
   * at once. A journal has no use for it: reading costs it nothing.
   */
  gatherMs?: number;
}

export interface ConsumerStatus {
  topic: Topic;
  group: string;
  /** False until the first assignment, and while membership is lost. */
  ready: boolean;
  partitions: number[];
  halted: { partition: number; reason: HaltReason; detail: string }[];
  /** Milliseconds since the epoch of the last sign of life from the log. */
  lastSignOfLife: number;
}

export interface LogConsumer {
  status(): ConsumerStatus;
  /** Lets the batch in hand finish and its outcome be applied, then leaves. */
  close(): Promise<void>;
}

/** The port between services and their event log (architecture §5). */
export interface EventLog {
  readonly kind: 'journal' | 'kafka';
  /** Resolves only when every record is durable. A rejection says nothing about which of them are. */
  append(records: readonly AppendRecord[]): Promise<void>;
  consume(options: ConsumeOptions, handler: BatchHandler): Promise<LogConsumer>;
  offsets(topic: Topic): Promise<{ logId: string; partitions: { partition: number; first: bigint; end: bigint }[] }>;
  /** Creates what is missing. @throws PartitionMismatch when a topic has another number of partitions than the table. */
  ensureTopics(table: Readonly<Record<string, TopicDefinition>>): Promise<void>;
  /** Records behind the group's committed offset, per topic and partition. */
  lag(group: string, topics: readonly Topic[]): Promise<{ topic: Topic; partition: number; lag: bigint }[]>;
  close(): Promise<void>;
}

/** Names of the headers that every record of ours carries (public topics carry CloudEvents headers beside them). */
export const headerNames = {
  type: 'type',
  trace: 'traceparent',
  facts: 'facts',
  mark: 'mark',
  /** A redriven record names the one service that is to read it; the others that hear the topic pass it over. */
  for: 'for',
} as const;
