/** What the command line reads from the environment: DATABASE_URL and TOCSIN_DATA_DIR, only where a command needs a database. */
export const environment = (): Record<string, string | undefined> => process.env;

/** No database is named, or not one that can be used: exit code 78. */
export class DatabaseUrlError extends Error {}

export type DatabaseChoice = { kind: 'url'; url: string } | { kind: 'data-directory'; path: string };

/**
 * Where the services' schemas are: the database that is named, else the one of all-in-one in its data directory.
 * @throws DatabaseUrlError naming the variable
 */
export function databaseChoiceOf(values: Record<string, string | undefined>): DatabaseChoice {
  const url = values['DATABASE_URL'];
  if (!url) return { kind: 'data-directory', path: values['TOCSIN_DATA_DIR'] || '.tocsin' };
  if (!/^postgres(ql)?:\/\//.test(url)) throw new DatabaseUrlError('DATABASE_URL must start with postgres://');
  return { kind: 'url', url };
}

/** No address, or no API key, of the installation to call: exit code 78. */
export class ApiAccessError extends Error {}

/** Where all-in-one listens when nothing else is said. */
const LOCAL_URL = 'http://127.0.0.1:8080';

/**
 * Which installation is called, and as whom.
 * @throws ApiAccessError naming the variable
 */
export function apiAccessOf(values: Record<string, string | undefined>): { url: string; key: string } {
  const url = values['TOCSIN_URL'] || LOCAL_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new ApiAccessError('TOCSIN_URL must be the address of an installation, e.g. http://127.0.0.1:8080');
  const key = values['TOCSIN_API_KEY'] ?? '';
  // What no header can carry would be refused by fetch with a message that shows it.
  if (!/^[\x21-\x7e]+$/.test(key))
    throw new ApiAccessError('TOCSIN_API_KEY must be an API key with scope admin (tsk_…)');
  return { url: url.replace(/\/+$/, ''), key };
}
