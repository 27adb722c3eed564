import { escapeLiteral, Pool, type PoolConfig } from 'pg';
import type { Tx } from './pipeline.ts';
import { PreparingClient } from './preparing-client.ts';

export interface PoolsOptions {
  connectionString: string;
  /** Upper bound of connections, shared out: REST may take all of its own `max`, the pipeline likewise. Default 10. */
  max?: number;
  applicationName: string;
  /** An idle connection that broke. The pool replaces it; this is for the log only. */
  onError?: (error: Error) => void;
}

export interface Pools {
  /** Role `tocsin_pipeline`: sees every workspace. */
  pipeline: Pool;
  /** Role `tocsin_rest`: sees nothing until `withWorkspace` says which workspace. */
  rest: Pool;
  close(): Promise<void>;
}

export const REST_ROLE = 'tocsin_rest';
export const PIPELINE_ROLE = 'tocsin_pipeline';

/**
 * A paused or vanished owner must not hold locks (commit-batch rule 2): the server itself ends such a session.
 * Milliseconds; keepalives in seconds.
 */
const sessionSettings = {
  idle_in_transaction_session_timeout: '10000',
  lock_timeout: '5000',
  statement_timeout: '20000',
  tcp_user_timeout: '15000',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
};

/** The client gives up later than the server does, so that the server's own answer is the usual one. */
const QUERY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** Text of the `options` start-up parameter: settings that are in force before the first statement. */
const startupOptions = (settings: Record<string, string>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

function poolOf(options: PoolsOptions, role: string): Pool {
  const config: PoolConfig = {
    connectionString: options.connectionString,
    max: options.max ?? 10,
    application_name: `${options.applicationName}/${role === REST_ROLE ? 'rest' : 'pipeline'}`,
    options: startupOptions({ role, ...sessionSettings }),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    Client: PreparingClient,
  };
  const pool = new Pool(config);
  const report = options.onError ?? (() => undefined);
  pool.on('error', report);
  // A connection that breaks while it is lent out also emits 'error'; the failed query reports it to its user.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/**
 * The two pools of a process. Their roles and time limits are set by connection options, so they hold from the first
 * statement on and after every reconnect. `migrate` must have created the roles before the first connection.
 */
export function createPools(options: PoolsOptions): Pools {
  const pipeline = poolOf(options, PIPELINE_ROLE);
  const rest = poolOf(options, REST_ROLE);
  return {
    pipeline,
    rest,
    close: async () => {
      await Promise.all([pipeline.end(), rest.end()]);
    },
  };
}

/**
 * Runs `fn` in a transaction that sees exactly one workspace (row level security of role `tocsin_rest`).
 * Commits when `fn` resolves, rolls back when it rejects.
 */
export async function withWorkspace<T>(pool: Pool, workspaceId: string, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(`begin; select set_config('tocsin.workspace_id', ${escapeLiteral(workspaceId)}, true)`);
    const result = await fn(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => (broken = failure));
    throw error;
  } finally {
    client.release(broken);
  }
}
