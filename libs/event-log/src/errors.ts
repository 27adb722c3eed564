/** Codes of the errors that a driver throws; the message says what to do. */
export type EventLogErrorCode =
  | 'partition-mismatch'
  | 'unknown-topic'
  | 'log-closed'
  | 'log-locked'
  | 'log-damaged'
  | 'log-crashed'
  | 'record-too-large'
  | 'append-timed-out'
  | 'append-failed'
  | 'membership-lost';

/** An error of the event log with a stable code. */
export class EventLogError extends Error {
  constructor(
    readonly code: EventLogErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'EventLogError';
  }
}

/** A topic exists with another number of partitions than the topics table says: keys would move and lose their order. */
export class PartitionMismatch extends EventLogError {
  constructor(
    readonly topic: string,
    readonly expected: number,
    readonly found: number,
  ) {
    super(
      'partition-mismatch',
      `topic ${topic} has ${found} partitions, the topics table says ${expected}; drain it and create a new topic, partitions are never changed in place`,
    );
  }
}

/** What the drivers need of a logger; pino fits. */
export interface EventLogLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const nothing = (): void => undefined;
export const silentLogger: EventLogLogger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
