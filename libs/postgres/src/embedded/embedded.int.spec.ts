import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@tocsin/testing';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './index.ts';

let root: string;
let directory: string;
let running: EmbeddedPostgres[];
const started = async (
  options: Partial<Parameters<typeof startEmbeddedPostgres>[0]> = {},
): Promise<EmbeddedPostgres> => {
  const server = await startEmbeddedPostgres({ directory, ...options });
  running.push(server);
  return server;
};

beforeEach(async () => {
  running = [];
  root = await mkdtemp(join(tmpdir(), 'tocsin-embedded-'));
  await chmod(root, 0o755);
  directory = join(root, '.tocsin', 'postgres');
});
afterEach(async () => {
  for (const server of running) await server.stop();
  await rm(await realpath(join(directory, 'server')), { recursive: true, force: true });
  await rm(root, { recursive: true, force: true });
});

async function query<Row extends object>(connectionString: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** A parent process that starts the server and then waits to be killed. */
async function startedByAnother(): Promise<{ parent: ChildProcess; pid: number }> {
  const program = `import { startEmbeddedPostgres } from ${JSON.stringify(fileURLToPath(new URL('./index.ts', import.meta.url)))};
    const server = await startEmbeddedPostgres({ directory: ${JSON.stringify(directory)} });
    process.stdout.write(server.pid + '\\n');
    setInterval(() => undefined, 60_000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  parent.stdout.on('data', (data: Buffer) => (said += data.toString()));
  await waitFor(() => said.endsWith('\n'), { timeoutMs: 60_000 });
  return { parent, pid: Number(said) };
}

describe('the embedded server', () => {
  it('is durable, on loopback only, and asks for the password that it keeps to itself', async () => {
    const server = await started();
    const settings = await query<{ name: string; setting: string }>(
      server.connectionString,
      `select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'password_encryption') order by 1`,
    );
    expect(settings.map(({ setting }) => setting)).toEqual(['on', 'on', '127.0.0.1', 'scram-sha-256', 'on']);
    const rules = await query<{ auth_method: string }>(
      server.connectionString,
      'select distinct auth_method from pg_hba_file_rules',
    );
    expect(rules).toEqual([{ auth_method: 'scram-sha-256' }]);
    const wrong = new URL(server.connectionString);
    wrong.password = 'guess';
    await expect(query(wrong.href, 'select 1')).rejects.toMatchObject({ code: '28P01' });
    expect((await stat(join(directory, 'postgres-password'))).mode & 0o777).toBe(0o600);
  });

  it('keeps its data over a stop', async () => {
    const server = await started();
    await query(server.connectionString, 'create table kept as select 42 as n');
    await server.stop();
    await expect(query(server.connectionString, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const again = await started();
    expect(again.adopted).toBe(false);
    expect(await query(again.connectionString, 'select n from kept')).toEqual([{ n: 42 }]);
  });

  it('outlives a kill -9 of its parent and is taken over by the next start', async () => {
    const { parent, pid } = await startedByAnother();
    const exited = once(parent, 'exit');
    parent.kill('SIGKILL');
    await exited;
    const server = await started();
    expect(server).toMatchObject({ adopted: true, pid });
    await query(server.connectionString, 'create table kept as select 1 as n');
  });

  it('runs in a process group of its own', async () => {
    const server = await started();
    const group = (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')[2];
    expect(Number(group)).toBe(server.pid);
  });

  it('recovers when it was itself killed, and loses nothing that was committed', async () => {
    const server = await started();
    await query(server.connectionString, 'create table kept as select 42 as n');
    process.kill(server.pid, 'SIGKILL');
    const again = await started();
    expect(again.pid).not.toBe(server.pid);
    expect(await query(again.connectionString, 'select n from kept')).toEqual([{ n: 42 }]);
  });

  it('takes no notice of a pid file whose number now belongs to somebody else', async () => {
    const server = await started();
    await server.stop();
    const data = join(await realpath(join(directory, 'server')), 'data');
    await writeFile(join(data, 'postmaster.pid'), `${process.pid}\n${data}\n1\n5432\n\n127.0.0.1\n\nready   \n`);
    const again = await started();
    expect(again.adopted).toBe(false);
    expect(again.pid).not.toBe(process.pid);
  });

  it('is one server for two starts at the same time', async () => {
    const [first, second] = await Promise.all([started(), started()]);
    expect(first.pid).toBe(second.pid);
    expect(first.connectionString).toBe(second.connectionString);
  });

  it('listens on the port that was asked for', async () => {
    const free = await started();
    const port = Number(new URL(free.connectionString).port);
    await free.stop();
    expect(new URL((await started({ port })).connectionString).port).toBe(String(port));
  });

  it('works below a home that only its owner may enter', async () => {
    await chmod(root, 0o700);
    const server = await started();
    expect(await query(server.connectionString, 'select current_user as name')).toEqual([{ name: 'tocsin' }]);
    await server.stop();
    const again = await started();
    expect(await query(again.connectionString, 'select 1 as n')).toEqual([{ n: 1 }]);
  });
});
