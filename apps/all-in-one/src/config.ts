import { ShellEnvironment } from '@tocsin/nest-shell';
import { ALL_IN_ONE_PORT } from '@tocsin/contracts';

/** What the all-in-one process reads; every service in it reads its own variables from the same environment. */
export const environment = (): Record<string, string | undefined> => process.env;
export { ShellEnvironment };
export const DEFAULT_PORT = ALL_IN_ONE_PORT;
