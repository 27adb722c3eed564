import type { Pool, PoolClient } from 'pg';

/** COMMIT got no answer: only the stored position can tell what happened. */
export class LostCommit extends Error {
  readonly code = 'lost-commit';
}

/** A value that `work` returns to have its transaction rolled back instead of committed. */
export interface RollBack<T> {
  rollBack: T;
}
export const rollBack = <T>(value: T): RollBack<T> => ({ rollBack: value });
const isRollBack = <T>(value: T | RollBack<T>): value is RollBack<T> =>
  typeof value === 'object' && value !== null && 'rollBack' in value;

const ignoreLateError = (): void => undefined;

async function commit(client: PoolClient): Promise<void> {
  const answer = await client.query('commit').catch((error: unknown) => {
    // A deferred constraint fails here with an answer of the server, and nothing was committed; anything else is silence.
    if ((error as { severity?: string }).severity === 'ERROR') throw error;
    throw new LostCommit('no answer to COMMIT', { cause: error });
  });
  if (answer.command !== 'COMMIT') throw new LostCommit('the server rolled back instead of committing');
}

/**
 * One transaction on one pooled connection. `begin` is the first statement (BEGIN and whatever can go with it in the same
 * round trip). A connection on which anything unexpected happened is thrown away, never returned to the pool.
 * @throws LostCommit when COMMIT got no answer; else whatever `work` threw, rolled back.
 */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T | RollBack<T>>): Promise<T> {
  const client = await pool.connect();
  client.on('error', ignoreLateError); // the server may end the session while no query is running
  let broken: Error | undefined;
  try {
    const result = await work(client);
    if (isRollBack(result)) {
      await client.query('rollback');
      return result.rollBack;
    }
    await commit(client);
    return result;
  } catch (error) {
    if (error instanceof LostCommit) broken = error;
    else await client.query('rollback').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.off('error', ignoreLateError);
    client.release(broken);
  }
}
