/** What the command line reads from the environment: DATABASE_URL alone, and only where a command needs a database. */
export const environment = (): Record<string, string | undefined> => process.env;

/**
 * Address of the database that holds the services' schemas.
 * @throws DatabaseUrlError naming the variable
 */
export function databaseUrlOf(values: Record<string, string | undefined>): string {
  const url = values['DATABASE_URL'];
  if (!url) throw new DatabaseUrlError('DATABASE_URL is needed: postgres://user:password@host:5432/tocsin');
  if (!/^postgres(ql)?:\/\//.test(url)) throw new DatabaseUrlError('DATABASE_URL must start with postgres://');
  return url;
}

export class DatabaseUrlError extends Error {}
