import type { ServiceName, Topic } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';

/** The way of an alert from its receipt to its incident: who reads what. */
const WAY: readonly { group: ServiceName; topic: Topic }[] = [
  { group: 'normalizer', topic: 'webhook.received' },
  { group: 'dedup-correlator', topic: 'correlation.inputs' },
  { group: 'incident-store', topic: 'alert.correlated' },
];

type Ends = ReadonlyMap<number, bigint>;

/**
 * Up to when everything that was received has reached the incidents. Whoever acts because nothing was heard must know that: after an
 * outage of any service on the way, news waits in the log. The end of each topic is remembered, and gone on from when its reader has
 * passed it.
 */
export class Tide {
  private stage = 0;
  private since: Date | undefined;
  private ends: Ends = new Map();
  private heard: Date | null = null;

  constructor(private readonly log: Pick<EventLog, 'offsets' | 'lag'>) {}

  /** Looks again. @returns the instant up to which all has been heard; null = not known yet */
  async advance(now: Date): Promise<Date | null> {
    if (this.since === undefined) {
      this.since = now;
      await this.enter(0);
    }
    while (await this.passed()) {
      if (this.stage + 1 < WAY.length) {
        await this.enter(this.stage + 1);
        continue;
      }
      this.heard = this.since;
      this.since = undefined;
      break;
    }
    return this.heard;
  }

  private async enter(stage: number): Promise<void> {
    this.stage = stage;
    this.ends = await this.endsOf(stage);
  }

  private async endsOf(stage: number): Promise<Ends> {
    const { partitions } = await this.log.offsets(WAY[stage]!.topic);
    return new Map(partitions.map(({ partition, end }) => [partition, end]));
  }

  /** Whether the reader is behind what was there: the end is read before the lag, so that what came between counts against it. */
  private async passed(): Promise<boolean> {
    const { group, topic } = WAY[this.stage]!;
    const now = await this.endsOf(this.stage);
    const lags = await this.log.lag(group, [topic]);
    return lags.every(({ partition, lag }) => {
      const grown = (now.get(partition) ?? 0n) - (this.ends.get(partition) ?? 0n);
      return lag <= (grown > 0n ? grown : 0n);
    });
  }
}
