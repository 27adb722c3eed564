import { createPools, type Pools, type Tx } from '@tocsin/postgres';
import { testDatabase, waitFor } from '@tocsin/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as alerts from './alert-store.ts';
import { eventsOfCauses } from './command-causes.ts';
import { lockStreams } from './incident-log.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let owner: pg.Client;
let pools: Pools;

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('migrations/', import.meta.url) }],
  });
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  pools = createPools({ connectionString: database.url, applicationName: 'lookups.int.spec', max: 1 });
});
afterAll(async () => {
  await pools.close();
  await owner.end();
  await database.drop();
});

const TABLES = [
  'key_holders',
  'alert_outcomes',
  'incident_alerts',
  'alert_activity',
  'streams',
  'successors',
  'events',
];
const ROWS = 100_000;
/** As they are after years: alerts share their scope, their webhook, and by tens their incident. */
const FILL = [
  `insert into incident_store.key_holders (scope, webhook_id, dedup_key, workspace_id, resolve_key, incident_id, alert_id)
   select 'ws', 'whk', 'k' || n, 'ws', 'k' || n, 'inc' || n / 10, 'alr' || n from generate_series(1, ${ROWS}) n`,
  `insert into incident_store.alert_outcomes (alert_id, workspace_id, webhook_id, receipt_id, index, outcome, reason, settled_at)
   select 'alr' || n, 'ws', 'whk', 'rcv' || n, 0, 'created', 'new-alert', now() from generate_series(1, ${ROWS}) n`,
  `insert into incident_store.incident_alerts (alert_id, workspace_id, incident_id, webhook_id, status, severity, role, occurrences, received_at, alert)
   select 'alr' || n, 'ws', 'inc' || n / 10, 'whk', 'open', 'high', 'opening', 1, now(), '{}' from generate_series(1, ${ROWS}) n`,
  `insert into incident_store.alert_activity (alert_id, workspace_id, incident_id, first_seen_at, last_seen_at)
   select 'alr' || n, 'ws', 'inc' || n / 10, now(), now() from generate_series(1, ${ROWS}) n`,
  `insert into incident_store.streams (stream_id, workspace_id, scope, version, last_hash, state_schema, state, updated_at)
   select 'inc' || n, 'ws', 'ws', 10, '', 3, '{}', now() from generate_series(1, ${ROWS} / 10) n`,
  `insert into incident_store.successors (incident_id, successor_id, workspace_id) select 'inc' || n, 'gone' || n, 'ws' from generate_series(1, ${ROWS}) n`,
  `insert into incident_store.events (stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal, config_revision, digest, prev_hash, hash)
   select 'inc' || n / 10, n % 10, 'evt' || n, 'ws', 'CommentAdded', 1, now(), '{}', 'cmd' || n, 0, 1, '', '', '' from generate_series(1, ${ROWS}) n`,
];

const LOOKED_UP = 50;
const names = (prefix: string, step = 7) => Array.from({ length: LOOKED_UP }, (_, n) => `${prefix}${1 + n * step}`);

/** What every batch and every command looks up, as they do it. */
async function lookUp(tx: Tx): Promise<void> {
  const keys = names('k').map((dedupKey) => ({ scope: 'ws', webhookId: 'whk', dedupKey }));
  await tx.query('begin');
  await alerts.knownOutcomes(tx, names('alr'));
  await alerts.successorChain(tx, names('inc'));
  await alerts.incidentsOfAlerts(tx, names('alr'));
  await alerts.lockHolders(tx, keys, names('alr'));
  await lockStreams(tx, names('inc'));
  await alerts.knownAlerts(tx, names('alr'));
  await eventsOfCauses(
    tx,
    names('inc').map((incidentId, n) => ({ incidentId, causeId: `cmd${n}` })),
  );
  await tx.query('rollback');
}

/** Rows that were read so far: by walking through tables, and by indexes. */
async function rowsRead(tx: Tx): Promise<{ walked: number; found: number }> {
  await tx.query('select pg_stat_force_next_flush()');
  const { rows } = await owner.query<{ walked: number; found: number }>(
    `select (select sum(seq_tup_read)::int from pg_stat_user_tables where relname = any($1) and schemaname = 'incident_store') as walked,
       (select sum(idx_tup_read)::int from pg_stat_user_indexes where relname = any($1) and schemaname = 'incident_store') as found`,
    [TABLES],
  );
  return rows[0]!;
}

it('lookups that were planned for empty tables read what they look for and no more, soon after these have become large', async () => {
  for (const table of TABLES) {
    await owner.query(`alter table incident_store.${table} set (autovacuum_enabled = false)`);
    await owner.query(`vacuum analyze incident_store.${table}`);
  }
  const tx = await pools.pipeline.connect();
  try {
    for (let run = 0; run < 15; run++) await lookUp(tx);
    const { rows } = await tx.query<{ n: number }>(
      'select count(*)::int as n from pg_prepared_statements where generic_plans > 0',
    );
    expect(rows[0]?.n).toBeGreaterThan(3);
    for (const fill of FILL) await owner.query(fill);
    const last = await waitFor(
      async () => {
        const before = await rowsRead(tx);
        await lookUp(tx);
        const after = await rowsRead(tx);
        const read = { walked: after.walked - before.walked, found: after.found - before.found };
        return read.walked === 0 ? read : undefined;
      },
      { timeoutMs: 20_000 },
    );
    expect(last.walked).toBe(0);
    expect(last.found).toBeGreaterThan(LOOKED_UP);
    expect(last.found).toBeLessThan(60 * LOOKED_UP);
  } finally {
    tx.release();
  }
});
