import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Place } from './place.ts';

export const SUPERUSER = 'tocsin';
const LOG_MAX_BYTES = 10 * 1024 * 1024;

/** Small memory (all-in-one goal: 400 MB with everything), durable, loopback only. */
const settings = (port: number, extra: Record<string, string>): Record<string, string> => ({
  port: String(port),
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '32MB',
  max_connections: '120',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '2',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  ...extra,
});

const ownerOf = ({ account }: Place): { uid?: number; gid?: number } =>
  account ? { uid: account.uid, gid: account.gid } : {};
const program = (place: Place, name: string): string =>
  join(place.installation, 'bin', process.platform === 'win32' ? `${name}.exe` : name);

/** Creates the cluster in a folder of its own first, so that a killed attempt leaves nothing that looks finished. */
export async function initialise(place: Place, password: string): Promise<void> {
  if (await stat(join(place.data, 'PG_VERSION')).catch(() => undefined)) return;
  const fresh = `${place.data}.${randomBytes(6).toString('hex')}`;
  const passwordFile = `${fresh}.password`;
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (place.account) await chown(passwordFile, place.account.uid, place.account.gid);
  try {
    const how = [
      '-U',
      SUPERUSER,
      '-A',
      'scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      '--no-instructions',
      `--pwfile=${passwordFile}`,
    ];
    await promisify(execFile)(program(place, 'initdb'), ['-D', fresh, ...how], { ...ownerOf(place), cwd: place.home });
    await rename(fresh, place.data).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another process was first
    });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(fresh, { recursive: true, force: true });
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => probe.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/**
 * Starts the server in a process group of its own: Ctrl-C in a terminal reaches the services, not the database under them,
 * and a kill -9 of this process leaves the server running for the next start to adopt.
 * @returns a promise of its exit, for the case that it cannot start.
 */
export async function launch(
  place: Place,
  port: number,
  extra: Record<string, string>,
): Promise<{ exited: Promise<void> }> {
  const logPath = join(place.directory, 'postgres.log');
  const size = await stat(logPath).then(
    (file) => file.size,
    () => 0,
  );
  const log = await open(logPath, size > LOG_MAX_BYTES ? 'w' : 'a', 0o600);
  const flags = Object.entries(settings(port, extra)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const child = spawn(program(place, 'postgres'), ['-D', place.data, ...flags], {
    ...ownerOf(place),
    cwd: place.home,
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  child.unref();
  await log.close();
  return { exited };
}
