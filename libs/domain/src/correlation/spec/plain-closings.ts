import type { Alert, Rules } from './plain-words.ts';

const HOUR = 3_600_000;

interface Closing {
  webhook: string;
  resolveKey: string;
  at: number;
  keptUntil: number;
}

/** Architecture §9.2: the later of the last trigger and the last closing, by event time, decides; ties go to the later in the log. */
export class PlainClosings {
  private closings: Closing[] = [];

  isStale(alert: Alert): boolean {
    const closing = this.of(alert);
    return closing !== undefined && alert.changedAt < closing.at;
  }

  // Remembered for the dedup window, so that a late trigger is stale.
  remember(alert: Alert, rules: Rules): void {
    const { webhook, resolveKey } = alert;
    const before = this.of(alert);
    const keptUntil = alert.receivedAt + rules.windowHours * HOUR;
    this.closings = this.closings.filter((one) => one.webhook !== webhook || one.resolveKey !== resolveKey);
    this.closings.push({
      webhook,
      resolveKey,
      at: Math.max(alert.changedAt, before?.at ?? -Infinity),
      keptUntil: Math.max(keptUntil, before?.keptUntil ?? -Infinity),
    });
  }

  private of(alert: Alert): Closing | undefined {
    return this.closings.find(
      ({ webhook, resolveKey, keptUntil }) =>
        webhook === alert.webhook && resolveKey === alert.resolveKey && alert.receivedAt <= keptUntil,
    );
  }
}
