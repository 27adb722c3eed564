import { testDatabase } from '@tocsin/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './run.ts';
import { FakeTerminal } from './spec/fake-terminal.ts';

const MINE = `dlt_${'a'.repeat(26)}`;
const NOBODYS = `dlt_${'b'.repeat(26)}`;
let database: Awaited<ReturnType<typeof testDatabase>>;
beforeAll(async () => {
  const directory = new URL('../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory }] });
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  for (const [id, workspace] of [
    [MINE, 'ws_one'],
    [NOBODYS, null],
  ])
    await client.query(
      `insert into control_plane.dead_letters (id, workspace_id, service, topic, partition, log_offset, reason, detail, at, key, value, size)
       values ($1, $2, 'normalizer', 'webhook.received', 1, '2', 'undecodable-record', 'no facts header', '2026-11-21T09:00:00Z', 'k', $3, 2)`,
      [id, workspace, Buffer.from([0xff, 0x01])],
    );
  await client.end();
});
afterAll(() => database.drop());

const tocsin = async (...args: string[]) => {
  const terminal = new FakeTerminal({}, { DATABASE_URL: database.url });
  return { code: await run(['dlq', ...args], terminal), out: terminal.printed, err: terminal.complained };
};

it('dlq list --database shows what belongs to nobody, without an API key, and nothing of a workspace', async () => {
  const { code, out } = await tocsin('list', '--database');
  expect(code).toBe(0);
  expect(out).toContain(`${NOBODYS}  2026-11-21T09:00:00.000Z  normalizer  undecodable-record`);
  expect(out).not.toContain(MINE);
});

it('dlq show --database shows its bytes, and refuses those of a workspace', async () => {
  const shown = JSON.parse((await tocsin('show', '--database', '--json', NOBODYS)).out) as Record<string, unknown>;
  expect(shown).toMatchObject({ id: NOBODYS, encoding: 'base64', value: '/wE=', size_bytes: 2 });
  const refused = await tocsin('show', '--database', MINE);
  expect({ code: refused.code, out: refused.out }).toEqual({ code: 1, out: '' });
  expect(refused.err).toContain('without --database');
});
