import type pg from 'pg';

/** Incidents of the workspace that is listed, and how many of them are not resolved. */
export const LISTED = 1_000_000;
const OPEN = 20_000;

/** Fills the table that people list, by SQL: as many rows as years of use leave. Only the list reads them. */
export async function fillIncidents(pool: pg.Pool, workspaceId: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query(`set statement_timeout = 0; set synchronous_commit = off`);
    await client.query(
      `insert into incident_store.incidents (incident_id, workspace_id, number, status, severity, title, description, services, tags, source, webhook_id,
         created_at, updated_at, version, document)
       select 'inc_' || translate(lpad(to_hex(n), 26, '0'), '0189', 'zyxw'), $1, 10000000 + n,
         case when n % ($2 / $3) = 0 then (array['open', 'acknowledged'])[1 + n / ($2 / $3) % 2] else 'resolved' end,
         (array['critical', 'high', 'medium', 'low', 'info'])[1 + n % 5], 'Latency of service ' || n % 5000, 'p99 is above 500 ms', array['svc-' || n % 5000],
         array['env:production'], 'monitoring', 'whk', at, at, 3, doc
       from generate_series(1, $2::int) n,
         lateral (select timestamptz '2024-01-01' + n * interval '1 minute' as at) t,
         lateral (select json_build_object('id', 'inc_' || n, 'number', n, 'title', 'Latency of service ' || n % 5000, 'status', 'open', 'severity', 'high',
           'services', array['svc-' || n % 5000], 'tags', array['env:production'], 'created_at', at, 'updated_at', at, 'version', 3,
           'description', repeat('p99 of POST /checkout is above 500 ms. ', 10)) as doc) d`,
      [workspaceId, LISTED, OPEN],
    );
    await client.query('vacuum analyze incident_store.incidents');
  } finally {
    client.release();
  }
}
