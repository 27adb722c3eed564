import type { Clock, Logger } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import type { IngressConfig } from '../config.ts';
import { limitStore } from './limit-store.ts';
import { failureStore, LockOut } from './lock-out.ts';
import { WindowLimiter } from './window-limiter.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const SETTLE_MS = 5 * SECOND;
const SWEEP_EVERY = 60;

/** What limits the requests of webhooks: their hour, the minute of their alerts, and the failures of their clients. */
export interface Limits {
  requests: WindowLimiter;
  alerts: WindowLimiter;
  lockOut: LockOut;
  /** Gives back what was granted and not used, and stops. */
  stop(): Promise<void>;
}

interface LimitsParts {
  pool: Pool;
  clock: Clock;
  log: Logger;
  config: Pick<IngressConfig, 'RATE_LIMIT_REPLICAS'>;
  onLocked: ConstructorParameters<typeof LockOut>[2];
}

export function createLimits({ pool, clock, log, config, onLocked }: LimitsParts): Limits {
  const now = () => clock().getTime();
  const store = limitStore(pool);
  const shared = { replicas: config.RATE_LIMIT_REPLICAS, now, log };
  const requests = new WindowLimiter(store, { ...shared, kind: 'requests', sliceMs: MINUTE, leaseMs: 5 * SECOND });
  const alerts = new WindowLimiter(store, { ...shared, kind: 'alerts', sliceMs: SECOND, leaseMs: SECOND });
  const lockOut = new LockOut(failureStore(pool), log, onLocked);
  let rounds = 0;
  const settle = () => Promise.all([requests.settle(), alerts.settle()]);
  const timer = setInterval(() => {
    rounds += 1;
    void settle();
    if (rounds % SWEEP_EVERY === 0)
      lockOut.sweep(now()).catch((error: unknown) => log.debug({ err: error }, 'lock-out.not-swept'));
  }, SETTLE_MS).unref();
  return {
    requests,
    alerts,
    lockOut,
    stop: async () => {
      clearInterval(timer);
      await settle();
    },
  };
}
