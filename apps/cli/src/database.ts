import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { databaseChoiceOf, DatabaseUrlError } from './config.ts';
import type { Terminal } from './terminal.ts';

/**
 * Address of the database that a command works on.
 * @throws DatabaseUrlError where none is named and no all-in-one runs here
 */
export async function databaseUrl({ environment }: Terminal): Promise<string> {
  const choice = databaseChoiceOf(environment);
  if (choice.kind === 'url') return choice.url;
  const directory = join(choice.path, 'postgres');
  // Only the server of a running all-in-one is used: one that this command started would have to be stopped again, perhaps under an all-in-one that has taken it over.
  if (!existsSync(directory) || !(await isRunning(join(choice.path, 'run.json')))) {
    throw new DatabaseUrlError(
      `DATABASE_URL is not set, and no all-in-one with an embedded database runs on ${choice.path} (TOCSIN_DATA_DIR)`,
    );
  }
  const { startEmbeddedPostgres } = await import('@tocsin/postgres/embedded');
  return (await startEmbeddedPostgres({ directory })).connectionString;
}

async function isRunning(file: string): Promise<boolean> {
  try {
    const { pid } = JSON.parse(await readFile(file, 'utf8')) as { pid: number };
    return process.kill(pid, 0);
  } catch {
    return false; // no such file, or no such process
  }
}
