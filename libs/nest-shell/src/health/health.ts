import type { EventLog } from '@tocsin/event-log';
import type { Pool } from 'pg';
import type { ConfigurationFeed } from '../configuration/feed.ts';
import type { LogStrategy } from '../log/log-strategy.ts';

export interface Check {
  name: string;
  ok: boolean;
  detail?: string;
}

const DATABASE_DEADLINE_MS = 2_000;

/**
 * Liveness is the process itself; readiness is whether it can do its job now. An outage of Kafka or Postgres makes a service
 * not ready, never not alive: restarting it would not bring them back.
 */
export class Health {
  private strategy: LogStrategy | undefined;
  private readonly further: (() => Check)[] = [];
  private insured: { by: () => Check; names: readonly string[] } | undefined;

  constructor(private readonly parts: { pool: Pool; feed: ConfigurationFeed; eventLog: EventLog; alone?: boolean }) {}

  /** A further condition of readiness. */
  also(check: () => Check): void {
    this.further.push(check);
  }

  /**
   * A further condition in place of some others: while it holds, those may fail without making the process unready. Only for a service that
   * runs alone; beside others they keep their weight.
   */
  insure(by: () => Check, names: readonly string[]): void {
    if (this.parts.alone) this.insured = { by, names };
    else this.also(by);
  }

  watch(strategy: LogStrategy): void {
    this.strategy = strategy;
  }

  async checks(): Promise<Check[]> {
    const checks = [
      this.configuration(),
      await this.database(),
      ...this.consumers(),
      ...this.further.map((check) => check()),
    ];
    if (!this.insured) return checks;
    const { by, names } = this.insured;
    const insurance = by();
    const covered = ({ name, ok }: Check) => !ok && insurance.ok && names.includes(name);
    return [
      insurance,
      ...checks.map((check) =>
        covered(check) ? { ...check, ok: true, detail: `${check.detail}; the work goes on without it` } : check,
      ),
    ];
  }

  private configuration(): Check {
    return this.parts.feed.loaded()
      ? { name: 'configuration', ok: true, detail: `revision ${this.parts.feed.revision()}` }
      : { name: 'configuration', ok: false, detail: 'not loaded yet' };
  }

  private async database(): Promise<Check> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), DATABASE_DEADLINE_MS);
    });
    try {
      await Promise.race([this.parts.pool.query('select 1'), late]);
      return { name: 'database', ok: true };
    } catch {
      return { name: 'database', ok: false, detail: 'does not answer' };
    } finally {
      clearTimeout(timer);
    }
  }

  private consumers(): Check[] {
    if (!this.strategy) return [{ name: 'log', ok: false, detail: 'not started yet' }];
    return this.strategy.consumerStates().map(({ topic, group, ready, halted }) => {
      const [halt] = halted;
      const name = `${group} hears ${topic}`;
      if (halt) return { name, ok: false, detail: `partition ${halt.partition} halted: ${halt.reason}` };
      return ready ? { name, ok: true } : { name, ok: false, detail: 'no partition assigned yet' };
    });
  }
}
