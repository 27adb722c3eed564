import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { migrate } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import pg from 'pg';
import { expect, it } from 'vitest';

const DIRECTORY = new URL('migrations/', import.meta.url);

it('what an earlier release has stored is kept, to the millisecond', async () => {
  const earlier = await mkdtemp(join(tmpdir(), 'migrations-'));
  for (const name of await readdir(DIRECTORY))
    if (name < '0011') await cp(new URL(name, DIRECTORY), join(earlier, name));
  const database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', directory: pathToFileURL(`${earlier}/`) }],
  });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const at = '2026-11-21T09:45:00.123Z';
    await client.query(`insert into dedup_correlator.key_holders
      (workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id, last_alert_id, first_at, last_at, last_trigger_at, alert_open, toggled_at, held_until)
      values ('ws', 'ws', 'whk', 'k', 'k', 'inc_1', 'a', 'a', '${at}', '${at}', '${at}', true, '{"2026-11-21T09:45:00.001Z","2026-11-21T09:45:00.002Z"}', null),
             ('ws', 'ws', 'whk', 'l', 'l', null, 'a', 'a', '${at}', '${at}', '${at}', true, '{}', '${at}')`);
    await client.query(`insert into dedup_correlator.known_incidents
      (workspace_id, scope, incident_id, version, opened_at, last_alert_at, closed_at, services, terms)
      values ('ws', 'ws', 'inc_1', 1, '${at}', '${at}', null, '{db,"a b"}', '{"ws any"}'), ('ws', 'ws', 'inc_2', 1, '${at}', '${at}', '${at}', '{}', '{}')`);
    await migrate({ connectionString: database.url, schema: 'dedup_correlator', directory: DIRECTORY });
    const millis = String(Date.parse(at));
    const keys = await client.query('select * from dedup_correlator.key_holders order by dedup_key');
    expect(keys.rows).toMatchObject([
      { first_at: millis, last_at: millis, last_trigger_at: millis, held_until: null },
      { toggles: [], held_until: millis },
    ]);
    const [first] = keys.rows as { toggles: string[] }[];
    expect(first?.toggles).toEqual([1, 2].map((ms) => String(Date.parse('2026-11-21T09:45:00.000Z') + ms)));
    const incidents = await client.query('select * from dedup_correlator.known_incidents order by incident_id');
    expect(incidents.rows).toMatchObject([
      { opened_at: millis, closed_at: null, terms: ['ws any', 'ws service db', 'ws service a b'] },
      { last_alert_at: millis, closed_at: millis, terms: [] },
    ]);
  } finally {
    await client.end();
    await database.drop();
    await rm(earlier, { recursive: true });
  }
});
