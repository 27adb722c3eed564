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
