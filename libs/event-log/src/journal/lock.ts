import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventLogError } from '../errors.ts';

const FILE = 'lock';
/** Directories that this very process holds: its own pid in a file proves nothing after a pid was used again. */
const held = new Set<string>();

/**
 * Takes the journal's directory for this process. A second opener is refused, the lock of a dead process is taken over.
 * @throws EventLogError `log-locked`
 */
export function takeLock(directory: string): { release(): void } {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, FILE);
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx' });
      held.add(directory);
      return { release: () => release(directory, path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      removeStale(directory, path);
    }
  }
  throw locked(directory, 'several processes');
}

function release(directory: string, path: string): void {
  if (held.delete(directory)) rmSync(path, { force: true });
}

function removeStale(directory: string, path: string): void {
  const found = read(path);
  if (found === undefined) return;
  const owner = ownerOf(found);
  if (owner && isAlive(owner, directory)) throw locked(directory, `process ${owner.pid}`);
  // Renamed first: of two openers only one gets the stale file, and it sees if it took a fresh one by mistake.
  const aside = `${path}.${process.pid}.stale`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another opener was faster; the next attempt meets its lock
  }
  if (read(aside) !== found) {
    renameSync(aside, path);
    throw locked(directory, 'another process');
  }
  rmSync(aside, { force: true });
}

interface Owner {
  pid: number;
  started?: string;
}

function ownerOf(text: string): Owner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<Owner>;
    return typeof owner.pid === 'number'
      ? { pid: owner.pid, ...(owner.started ? { started: owner.started } : {}) }
      : undefined;
  } catch {
    return undefined; // torn by a crash: nobody can hold it
  }
}

function isAlive(owner: Owner, directory: string): boolean {
  if (owner.pid === process.pid && owner.started === startOf(process.pid)) return held.has(directory);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  if (isZombie(owner.pid)) return false;
  const started = startOf(owner.pid);
  return owner.started === undefined || started === undefined || started === owner.started;
}

/** What the kernel tells of a process behind its name: state first, start time in ticks as the 20th field. */
function statOf(pid: number): string[] | undefined {
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Start time of a process, where the kernel tells: pids are used again, above all in containers. */
const startOf = (pid: number): string | undefined => statOf(pid)?.[19];

/** Killed, but its parent has not asked for its end yet: it answers signals, and holds nothing any more. */
const isZombie = (pid: number): boolean => ['Z', 'X'].includes(statOf(pid)?.[0] ?? '');

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const locked = (directory: string, by: string): EventLogError =>
  new EventLogError('log-locked', `${directory} is in use by ${by}; stop it first, this folder belongs to one process`);
