/** Alerts per incident that a batch brings. */
export type Brought = ReadonlyMap<string, number>;

interface Batch {
  at: number;
  alerts: number;
  incidents: readonly string[];
}
interface Recent {
  batches: Batch[];
  waited: number;
}

/** What was brought in so long a time is looked at. */
const WINDOW_MS = 3_000;
/** Fewer alerts are no storm, whatever they have in common. */
const STORM_ALERTS = 300;
/** An incident of a storm gets so many alerts in that time, and not all at once. */
const PER_INCIDENT = 6;
const BATCHES_PER_INCIDENT = 1.5;
const FIRST_WAIT_MS = 50;
/** A sender that waits is answered within two seconds. */
const LAST_WAIT_MS = 1_000;
/** Of what a batch may hold, so that waiting does not make a backlog. */
const FILLED = 0.8;

/**
 * How long the next batch of a partition may gather. In a storm the same incidents get alerts in batch after batch, and each batch is at
 * least one event for each of them: fewer, larger batches are fewer events. Otherwise nobody waits.
 */
export class StormPace {
  private readonly recent = new Map<number, Recent>();

  constructor(private readonly batchMax: number) {}

  /**
   * @param behind whether more had come than the batch took: there is enough for the next one already
   * @returns milliseconds to wait after a batch that ended at `now`, and brought this
   */
  after(partition: number, brought: Brought, { now, behind }: { now: number; behind: boolean }): number {
    const before = this.recent.get(partition) ?? { batches: [], waited: 0 };
    const alerts = [...brought.values()].reduce((sum, count) => sum + count, 0);
    const batches = before.batches.filter(({ at }) => now - at < WINDOW_MS);
    batches.push({ at: now, alerts, incidents: [...brought.keys()] });
    const storm = isStorm(batches);
    const wait = storm && !behind ? this.waitOf(batches, before.waited) : 0;
    this.recent.set(partition, { batches, waited: storm && behind ? before.waited : wait });
    return wait;
  }

  private waitOf(batches: readonly Batch[], waited: number): number {
    const [first, last] = [batches[0]!, batches.at(-1)!];
    const perMs = sum(batches.slice(1), ({ alerts }) => alerts) / Math.max(last.at - first.at, 1);
    const fillsIn = (FILLED * this.batchMax) / perMs;
    return Math.round(Math.min(Math.max(2 * waited, FIRST_WAIT_MS), LAST_WAIT_MS, fillsIn));
  }
}

const sum = (batches: readonly Batch[], of: (batch: Batch) => number): number =>
  batches.reduce((total, batch) => total + of(batch), 0);

function isStorm(batches: readonly Batch[]): boolean {
  const alerts = sum(batches, (batch) => batch.alerts);
  if (alerts < STORM_ALERTS || batches.length < 2) return false;
  const incidents = new Set(batches.flatMap((batch) => batch.incidents)).size;
  const times = sum(batches, (batch) => batch.incidents.length);
  return alerts >= PER_INCIDENT * incidents && times >= BATCHES_PER_INCIDENT * incidents;
}
