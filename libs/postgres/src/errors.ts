import { poisonReasons, type HaltReason, type PoisonReason, type RetryReason } from '@tocsin/contracts';
import { isBrokenPreparation } from './preparing-client.ts';

/** A stage throws this to have its whole batch tried again later, e.g. while the configuration is behind a record's revision. */
export class RetryBatchError extends Error {
  readonly code = 'retry-batch';
  constructor(
    readonly reason: RetryReason,
    readonly afterMs: number,
    detail: string,
  ) {
    super(detail);
  }
}

/** A COMMIT whose reply was lost: the command may or may not have taken effect. */
export class CommitUnknownError extends Error {
  readonly code = 'commit-unknown';
  constructor(cause: unknown) {
    super('the connection ended before the answer to COMMIT; the command may or may not have taken effect', { cause });
  }
}

/** A stage broke the contract: verdicts that do not fit the inputs, or an output of an input that is not in the batch. */
export class HandlerContractError extends Error {
  readonly code: HaltReason = 'handler-contract';
}

export type Failure =
  | { kind: 'retry'; reason: RetryReason; afterMs: number }
  | { kind: 'poison'; reason: PoisonReason }
  | { kind: 'halt'; reason: HaltReason };

const CONFLICT: Failure = { kind: 'retry', reason: 'database-conflict', afterMs: 50 };
const UNAVAILABLE: Failure = { kind: 'retry', reason: 'database-unavailable', afterMs: 500 };
const UNCLEAR: Failure = { kind: 'retry', reason: 'handler-failed', afterMs: 1_000 };

/** Another writer was there: decide again. Never a dead letter. */
const conflicts = new Set(['23505', '40001', '40P01', '55P03']);
/** SQLSTATE classes of a server that is away, full, read-only or shutting down. */
const unavailableClasses = new Set(['08', '53', '57', '58']);
const unavailableStates = new Set(['25006', '25P02', '25P03']);
/** How the driver says that a connection broke or never came; these carry no SQLSTATE. */
const brokenConnection =
  /connection terminated|connection ended|not queryable|timeout exceeded when trying to connect|query read timeout|client was closed|cannot use a pool after/i;

const codeOf = (error: unknown): string => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
};
const isSqlState = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(codeOf(error)) && 'severity' in (error as object);
const isSystemError = (error: unknown): boolean =>
  /^E[A-Z]{2,}/.test(codeOf(error)) && !codeOf(error).startsWith('ERR_');

function failureOfState(state: string): Failure {
  if (conflicts.has(state)) return CONFLICT;
  if (unavailableStates.has(state) || unavailableClasses.has(state.slice(0, 2))) return UNAVAILABLE;
  if (state.startsWith('22') || state.startsWith('23')) return { kind: 'poison', reason: 'data-rejected-by-database' };
  return UNCLEAR; // a missing table or grant, a server bug: nothing that is wrong with the record
}

/**
 * What an error of a stage or of the database means for its batch (commit-batch rule 6). `poison` is a suspicion: it becomes
 * a dead letter only when the record reproduces it alone.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof RetryBatchError) return { kind: 'retry', reason: error.reason, afterMs: error.afterMs };
  if (error instanceof HandlerContractError) return { kind: 'halt', reason: error.code };
  if (isBrokenPreparation(error)) return CONFLICT;
  if (isSqlState(error)) return failureOfState(codeOf(error));
  if (isSystemError(error) || brokenConnection.test(String((error as Error | null)?.message))) return UNAVAILABLE;
  const named = poisonReasons.find((reason) => reason === codeOf(error));
  if (named) return { kind: 'poison', reason: named };
  return { kind: 'poison', reason: error instanceof SyntaxError ? 'undecodable-record' : 'decision-failed' };
}

export const isConflict = (error: unknown): boolean =>
  isSqlState(error) && (conflicts.has(codeOf(error)) || isBrokenPreparation(error));
