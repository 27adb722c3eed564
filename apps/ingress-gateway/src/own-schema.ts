import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@tocsin/nest-shell';
import { migrate } from '@tocsin/postgres';

const SCHEMA = 'ingress_gateway';
const DIRECTORY = new URL('../src/migrations/', import.meta.url);
const AGAIN_MS = 2_000;

export interface OwnSchema {
  /** Resolves with whether the schema is up to date; false where there is none, or the gateway ends before. */
  ready: Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * Brings the gateway's own schema up to date beside its work, trying again for as long as the database is away: a gateway that starts
 * during an outage must take alerts in from its snapshot of the configuration, with its limits in memory.
 */
export function migrateMeanwhile(connectionString: string, log: Logger): OwnSchema {
  const ending = new AbortController();
  const run = async () => {
    for (let told = false; !ending.signal.aborted;) {
      try {
        await migrate({ connectionString, schema: SCHEMA, directory: DIRECTORY });
        return true;
      } catch (error) {
        if (!told) log.warn({ err: error }, 'schema.not-ready');
        told = true;
        await pause(AGAIN_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
    return false;
  };
  const ready = connectionString === '' ? Promise.resolve(false) : run();
  return {
    ready,
    stop: async () => {
      ending.abort();
      await ready;
    },
  };
}
