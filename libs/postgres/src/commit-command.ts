import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { CommitUnknownError, isConflict } from './errors.ts';
import { recordsOf, writeOutcome } from './outbox.ts';
import type { CommitCommand, Output, Tx } from './pipeline.ts';
import type { Publisher } from './publisher.ts';
import { inTransaction, LostCommit } from './transaction.ts';

export interface CommandDeps {
  pool: Pool;
  schema: string;
  publisher: Publisher;
  lane: string;
}

/** So long a command goes on after conflicts; a person still waits for its answer. */
const PATIENCE_MS = 10_000;
const FIRST_WAIT_MS = 4;
const LAST_WAIT_MS = 100;

async function commitOnce<Result>(
  deps: CommandDeps,
  run: (tx: Tx) => Promise<{ result: Result; outputs: Output[] }>,
): Promise<Result> {
  const { pool, schema, publisher, lane } = deps;
  const { result, rows } = await inTransaction(pool, async (tx) => {
    const begun = tx.query('begin');
    begun.catch(() => undefined); // what follows fails with it
    const done = await run(tx);
    await begun;
    const { notify } = publisher;
    const rows = await writeOutcome(tx, schema, {
      lane,
      records: recordsOf(done.outputs),
      ...(notify === undefined ? {} : { notify }),
    });
    return { result: done.result, rows };
  });
  if (rows.length > 0) void publisher.committed(lane, rows);
  return result;
}

/**
 * Commands of REST, timers and delivery attempts: state and outputs in one transaction. A conflict with another writer runs
 * the whole command again, so `run` must decide from what it reads inside. @throws CommitUnknownError
 */
export function createCommitCommand(deps: CommandDeps): CommitCommand {
  return async (run) => {
    const until = performance.now() + PATIENCE_MS;
    for (let attempt = 1; ; attempt++) {
      try {
        return await commitOnce(deps, run);
      } catch (error) {
        if (error instanceof LostCommit) {
          deps.publisher.leftovers(deps.lane);
          throw new CommitUnknownError(error);
        }
        if (!isConflict(error) || performance.now() > until) throw error;
        await sleep(Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LAST_WAIT_MS));
      }
    }
  };
}
