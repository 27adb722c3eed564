import fc from 'fast-check';
import type { Alert } from './plain-words.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const WEBHOOKS = ['whk_a', 'whk_b'];
export const SCOPES = ['ws_one', 'ws_two', 'ws_three'];
export const CONFIGURATIONS = 5;

/** An alert of a history: in plain words, and what only the real parts need to know. */
export interface SentAlert extends Alert {
  scope: string;
  /** The source's own time as it says it, perhaps ahead of ours; null where it says none. */
  occurredAt: number | null;
  /** Whether the connector declares that time as the time of this change. */
  orders: boolean;
}

export type Step =
  | { do: 'send'; alert: number; correlate: number; settle: number }
  | { do: 'resend'; alert: number }
  | { do: 'close' | 'reopen'; alert: number; at: number }
  | { do: 'merge'; alert: number; into: number; at: number }
  | { do: 'configure'; webhook: string; configuration: number }
  | { do: 'correlate' | 'settle'; count: number }
  | { do: 'repeat-fact'; index: number }
  | { do: 'failover'; to: number };

export interface History {
  alerts: SentAlert[];
  steps: (Step & { scope: string })[];
}

/** Reads a number digit by digit, each of its own base: a whole history shrinks as a list of numbers. */
class Digits {
  constructor(private rest: number) {}

  next(base: number): number {
    const digit = this.rest % base;
    this.rest = Math.floor(this.rest / base);
    return digit;
  }

  of<Value>(values: readonly Value[]): Value {
    return values[this.next(values.length)] as Value;
  }
}

const PAUSES = [0, 1, 2, 4, 7, 20, 45, 70, 130, 1_500];
const SKEWS = [0, 0, 0, -20 * SECOND, -3 * MINUTE];
/** Minutes by which the source's time is beside ours; ahead of it is clamped. */
const SOURCE_TIMES = [null, null, -1, -6, -30, -90, 5] as const;
const SERVICES = [[], ['db'], ['api'], ['db', 'api'], ['web']];
const TAGS = [[], ['env:x'], ['x'], ['env:y', 'team:x']];
const STATUSES = ['triggered', 'triggered', 'triggered', 'resolved', 'triggered', 'acknowledged', 'update'] as const;
const STEPS_OF_ALERTS = 9;

/** What happens next: nine times of sixteen an alert, else a person, a reader, a failure, a change. Time goes on in between. */
class Writer {
  private now = Date.parse('2026-11-21T09:00:00.000Z');
  readonly history: History = { alerts: [], steps: [] };

  constructor(private readonly scopes: number) {}

  /** What each webhook goes by at first. */
  begin(digits: Digits): void {
    for (const scope of SCOPES.slice(0, this.scopes))
      for (const webhook of WEBHOOKS)
        this.history.steps.push({ do: 'configure', scope, webhook, configuration: digits.next(CONFIGURATIONS) });
  }

  step(digits: Digits): void {
    const kind = digits.next(16);
    const scope = SCOPES[digits.next(this.scopes)] as string;
    const { alerts, steps } = this.history;
    // Milliseconds make every instant its own, so that nothing hangs on how ties of ids are broken.
    this.now += 1;
    if (kind < STEPS_OF_ALERTS || alerts.length === 0) return this.send(digits, scope);
    const alert = digits.next(alerts.length);
    if (kind === 9) steps.push({ do: 'resend', scope: alerts[alert]?.scope ?? scope, alert });
    else if (kind === 10) steps.push({ do: 'correlate', scope, count: 1 + digits.next(3) });
    else if (kind === 11) steps.push({ do: 'settle', scope, count: 1 + digits.next(4) });
    else if (kind === 12) steps.push({ do: 'close', scope: alerts[alert]?.scope ?? scope, alert, at: this.now });
    else if (kind === 13) this.person(digits, alert);
    else if (kind === 14)
      steps.push({ do: 'configure', scope, webhook: digits.of(WEBHOOKS), configuration: digits.next(CONFIGURATIONS) });
    else if (digits.next(3) === 0) steps.push({ do: 'repeat-fact', scope, index: digits.next(20) });
    else steps.push({ do: 'failover', scope, to: digits.next(3) });
  }

  private person(digits: Digits, alert: number): void {
    const { alerts, steps } = this.history;
    const scope = alerts[alert]?.scope ?? '';
    const what = digits.of(['close', 'reopen', 'merge', 'merge'] as const);
    if (what !== 'merge') return void steps.push({ do: what, scope, alert, at: this.now });
    const into = digits.next(alerts.length);
    if (alerts[into]?.scope === scope) steps.push({ do: what, scope, alert, into, at: this.now });
  }

  private send(digits: Digits, scope: string): void {
    const { alerts, steps } = this.history;
    this.now += digits.of(PAUSES) * MINUTE;
    const correlate = digits.next(4) === 3 ? digits.next(2) : Infinity;
    const settle = digits.next(4) === 3 ? digits.next(3) : Infinity;
    alerts.push(this.alert(digits, scope));
    steps.push({ do: 'send', scope, alert: alerts.length - 1, correlate, settle });
  }

  private alert(digits: Digits, scope: string): SentAlert {
    const receivedAt = this.now + digits.of(SKEWS);
    const key = digits.next(4);
    const status = digits.of(STATUSES);
    const severity = digits.of(['high', 'low', 'critical']);
    const title = digits.of(['disk full', 'timeout of a call', 'slow']);
    const hasVendorKey = key > 0;
    const source = digits.of(SOURCE_TIMES);
    const occurredAt = source === null ? null : this.now + source * MINUTE;
    const orders = occurredAt !== null && digits.next(4) > 0;
    return {
      ...{
        id: `alr_${this.history.alerts.length}`,
        scope,
        webhook: digits.of(WEBHOOKS),
        status,
        severity,
        title,
        hasVendorKey,
      },
      ...{ key: hasVendorKey ? `key ${key}` : `${title} ${severity}`, resolveKey: hasVendorKey ? `key ${key}` : title },
      ...{ receivedAt, occurredAt, orders },
      changedAt: orders ? Math.min(occurredAt, receivedAt) : receivedAt,
      ...{ services: digits.of(SERVICES), tags: digits.of(TAGS) },
      firing: digits.of([null, null, 'firing 1', 'firing 2']),
      overLimit: digits.next(12) === 11,
    };
  }
}

/** A history of up to so many steps in one or several scopes. */
export const histories = (scopes: number, steps: number): fc.Arbitrary<History> =>
  fc.array(fc.maxSafeNat(), { minLength: 2, maxLength: steps, size: 'max' }).map((numbers) => {
    const writer = new Writer(scopes);
    const [first = 0, ...others] = numbers;
    writer.begin(new Digits(first));
    for (const number of others) writer.step(new Digits(number));
    return writer.history;
  });
