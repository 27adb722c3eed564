import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../tokens.ts';

const FIRST_PAUSE_MS = 200;
const LAST_PAUSE_MS = 5_000;

/** Errors that waiting cannot cure: they end the boot. Everything else is taken for a component that is not up yet. */
const FINAL = new Set([
  '28P01',
  '28000',
  '3D000',
  '42501',
  'partition-mismatch',
  'unknown-topic',
  'log-locked',
  'log-damaged',
  'roles-missing',
  'migration-failed',
]);

/** Runs `attempt` until it succeeds; says once a pause which component the boot waits for. */
export async function waitForComponent<T>(component: string, log: Logger, attempt: () => Promise<T>): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LAST_PAUSE_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const { code = '' } = error as { code?: string };
      const syntaxOrData = /^(42|22|23)/.test(code);
      if (FINAL.has(code) || syntaxOrData) throw error;
      log.warn({ component, code, message: (error as Error).message, pauseMs }, 'boot.waiting');
      await pause(pauseMs);
    }
  }
}
