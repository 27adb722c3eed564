import { PIPELINE_ROLE, PreparingClient, type Tx } from '@tocsin/postgres';
import type { Client } from 'pg';

/** No writer waits longer for a page than for another writer. */
const LOCK_TIMEOUT = '5s';
/**
 * Tables that fill while they are read have no statistics, and a page would be looked for in all of them: every look goes by an index.
 * A server that reads a large log takes its time; a client that has gone must not keep its snapshot.
 */
const SETTINGS = `set timezone = 'UTC'; set statement_timeout = 0; set idle_in_transaction_session_timeout = '60s';
  set enable_seqscan = off; set lock_timeout = '${LOCK_TIMEOUT}'; set tcp_user_timeout = '15s'; set client_min_messages = warning`;

/** A session of the login, which may make tables. */
export async function loginSession(connectionString: string): Promise<Client> {
  const client = new PreparingClient({ connectionString, application_name: 'tocsin-rebuild', keepAlive: true });
  client.on('error', () => undefined); // the query in hand reports it
  await client.connect();
  await client.query(SETTINGS);
  return client;
}

/** A session of the pipeline's role, which reads the log and writes projections. */
export async function pipelineSession(connectionString: string): Promise<Client> {
  const client = await loginSession(connectionString);
  await client.query(`set role ${PIPELINE_ROLE}`);
  return client;
}

/** One transaction. A snapshot of its own makes everything that is read in it of one moment. */
export async function within<T>(
  tx: Tx,
  level: 'read committed' | 'repeatable read',
  run: () => Promise<T>,
): Promise<T> {
  await tx.query(`begin isolation level ${level}`);
  try {
    const result = await run();
    await tx.query('commit');
    return result;
  } catch (error) {
    await tx.query('rollback').catch(() => undefined); // the first error says more
    throw error;
  }
}
