import type { CorrelationRows, Millis } from '@tocsin/domain/correlation';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any topic that can repeat an alert or a fact (7 days). */
export const KEPT_MS = 8 * DAY_MS;
/** Receipts of several gateways are not in the exact order of their times: nothing goes before this much later. */
const MARGIN_MS = HOUR_MS;
/** Record time between two looks at a scope whose leftovers are gone. */
const PAUSE_MS = 60_000;
const ROWS_MIN = 1_000;
/** One batch looks at no more scopes than this; the others are due in the next. */
const SCOPES_MAX = 50;

/** What one batch may delete: per scope everything before these record times, at most `rows` of each kind. */
export interface Due {
  scopes: { scope: string; newest: Millis; processedBefore: Millis; closingsBefore: Millis }[];
  rows: number;
}

/**
 * Decides when old rows go: in the batches that bring new ones, a bounded number each time, by record time. A scope is looked
 * at again after a minute, or at once while more is left than one batch deletes.
 */
export class Pruning {
  private readonly nextLook = new Map<string, Millis>();

  due(changes: Pick<CorrelationRows, 'processed'>): Due {
    const newest = new Map<string, Millis>();
    for (const { scope, receivedAt } of changes.processed)
      newest.set(scope, Math.max(receivedAt, newest.get(scope) ?? receivedAt));
    const scopes = [...newest]
      .filter(([scope, at]) => at >= (this.nextLook.get(scope) ?? at))
      .slice(0, SCOPES_MAX)
      .map(([scope, at]) => ({ scope, newest: at, processedBefore: at - KEPT_MS, closingsBefore: at - MARGIN_MS }));
    return { scopes, rows: Math.max(ROWS_MIN, 2 * changes.processed.length) };
  }

  /** `leftovers`: scopes in which more was due than one batch deletes. */
  done(due: Due, leftovers: readonly string[]): void {
    for (const { scope, newest } of due.scopes) this.nextLook.set(scope, newest + PAUSE_MS);
    for (const scope of leftovers) this.nextLook.delete(scope);
  }

  forget(): void {
    this.nextLook.clear();
  }
}
