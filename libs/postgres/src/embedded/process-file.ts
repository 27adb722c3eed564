import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What a running server says of itself in `postmaster.pid`. */
export interface RunningServer {
  pid: number;
  port: number;
}

export async function readProcessFile(data: string): Promise<RunningServer | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, port: Number(lines[3] ?? 0) } : undefined;
}

const commandOf = async (pid: number): Promise<string> => {
  const fromProc = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (fromProc !== undefined) return fromProc; // empty for a zombie
  if (process.platform === 'linux') return '';
  const answer = await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return answer.stdout;
};

/** Whether this pid is a PostgreSQL server now; after a reboot the number may belong to anybody. */
export async function isServer(pid: number): Promise<boolean> {
  return /postgres/i.test(await commandOf(pid));
}
