import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type pg from 'pg';

/** Milliseconds of processor time, by who took it. */
export type ProcessorTime = Map<string, number>;

/** Who is looked at: processes by name, and the server behind a pool, whose sessions are told apart by their application names. */
export interface Watched {
  processes: ReadonlyMap<string, number | undefined>;
  pool: Pick<pg.Pool, 'query'>;
}

/** Of Linux: milliseconds for each tick of /proc/<pid>/stat. */
const TICK_MS =
  1_000 / Number(process.platform === 'linux' ? execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }) : 100);

/** What each has taken since it began; empty where there is no /proc, nothing for a server on another machine. */
export async function processorTime({ processes, pool }: Watched): Promise<ProcessorTime> {
  const { rows } = await pool.query<{ pid: number; name: string }>(
    `select pid, case when backend_type = 'client backend' then 'PostgreSQL for ' || split_part(application_name, '/', 1) else 'PostgreSQL itself' end as name
       from pg_stat_activity
      where pid <> pg_backend_pid() and (inet_server_addr() is null or inet_server_addr() << '127.0.0.0/8')`,
  );
  const all = [...[...processes].map(([name, pid]) => ({ name, pid })), ...rows];
  const taken: ProcessorTime = new Map();
  for (const { name, pid } of all) {
    const millis = pid === undefined ? 0 : await takenBy(pid);
    if (millis > 0) taken.set(name, (taken.get(name) ?? 0) + millis);
  }
  return taken;
}

/** Users' and the system's time of a process with all of its threads, as proc_pid_stat(5) has it behind the name in brackets. */
async function takenBy(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user ?? 0) + Number(system ?? 0)) * TICK_MS;
}

/** What was taken between two looks, the most first. */
export function between(before: ProcessorTime, after: ProcessorTime): [string, number][] {
  const taken = [...after].map(([name, millis]): [string, number] => [name, millis - (before.get(name) ?? 0)]);
  return taken.filter(([, millis]) => millis > 0).sort(([, a], [, b]) => b - a);
}
