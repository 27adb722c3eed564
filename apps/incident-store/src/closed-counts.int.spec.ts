import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPools, withWorkspace, type Pools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { Client } from 'pg';
import { CLOSED_COUNTED, ClosedCounts } from './closed-counts.ts';

const migrations = [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }];
let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
let owner: Client;

beforeAll(async () => {
  database = await testDatabase({ migrations });
  pools = createPools({ connectionString: database.url, applicationName: 'closed-counts.int.spec', max: 2 });
  owner = new Client({ connectionString: database.url });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await pools.close();
  await database.drop();
});

/** Closed incidents of a workspace, numbered from there on. */
const close = (workspaceId: string, severity: string, [from, to]: [number, number]) =>
  owner.query(
    `insert into incident_store.incidents (incident_id, workspace_id, number, status, severity, title, description, services, tags, created_at, updated_at, version, document)
     select $1 || n, $1, n, 'resolved', $2, '', '', '{}', '{}', timestamptz '2026-01-01' + n * interval '1 second', now(), 1, '{}' from generate_series($3::int, $4::int) n`,
    [workspaceId, severity, from, to],
  );

it('counts exactly where all are counted, and else keeps the numbers of a workspace for ten seconds', async () => {
  let now = 0;
  const counts = new ClosedCounts(() => new Date(now));
  const of = async (workspaceId: string) =>
    Object.fromEntries(
      (await withWorkspace(pools.rest, workspaceId, (tx) => counts.of(tx, workspaceId))).map(
        ({ severity, n, seen }) => {
          expect(seen).toBe(n);
          return [severity, Number(n)];
        },
      ),
    );
  await close('ws_few', 'low', [1, 3]);
  await close('ws_many', 'low', [1, CLOSED_COUNTED - 1]);
  expect(await of('ws_few')).toEqual({ low: 3 });
  expect(await of('ws_many')).toEqual({ low: CLOSED_COUNTED - 1 });

  await close('ws_few', 'high', [4, 4]);
  await close('ws_many', 'high', [CLOSED_COUNTED, CLOSED_COUNTED + 1]);
  expect(await of('ws_few')).toEqual({ low: 3, high: 1 });
  expect(await of('ws_many')).toEqual({ low: CLOSED_COUNTED - 1, high: 2 });

  await close('ws_many', 'critical', [CLOSED_COUNTED + 2, CLOSED_COUNTED + 6]);
  now = 9_999;
  expect(await of('ws_many')).toEqual({ low: CLOSED_COUNTED - 1, high: 2 });
  expect(await of('ws_few')).toEqual({ low: 3, high: 1 });
  now = 10_000;
  expect(await of('ws_many')).toEqual({ critical: 5, high: 2, low: CLOSED_COUNTED - 6 });
});
