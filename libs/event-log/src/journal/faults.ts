import type { AppendRecord, Source } from '../port.ts';

/** Where a journal can die. Named after what has just not happened yet. */
export type CrashStep =
  | 'before-write'
  | 'torn-write' // half of the last record reaches the file
  | 'before-sync' // written, not durable: the file is cut back, as power loss would
  | 'before-acknowledge' // durable, but nobody is told
  | 'before-deliver'
  | 'before-outcome' // the handler answered, nothing came of it
  | 'before-offset-commit'; // the outcome counts in memory, the group offset is not on disk

/** Switches for tests: what a real log does to its readers on a bad day. */
export interface Faults {
  /** True: the record is stored twice, as after a lost acknowledgement. */
  duplicate?(record: AppendRecord): boolean;
  /** Milliseconds by which a delivery is held back. */
  delay?(source: Source): number;
  /** True: the journal dies here. Appends reject, nothing is delivered or stored any more; open it again to go on. */
  crash?(step: CrashStep): boolean;
}
