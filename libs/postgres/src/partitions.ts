import type { Source } from '@tocsin/event-log';
import { PoisonRate } from './poison-rate.ts';

const PRUNE_EVERY_MS = 60 * 60_000;

/** What a process remembers of one partition that it reads. All of it may be wrong: the database decides. */
export class PartitionState {
  /** Position after the last answer; the log reads on from here. */
  expected: bigint | undefined;
  /** The stage's caches of this partition are to be dropped before the next batch. */
  stale = false;
  readonly poison = new PoisonRate();
  private prunedAt: number | undefined;

  pruneDue(now: Date): boolean {
    if (this.prunedAt !== undefined && now.getTime() - this.prunedAt < PRUNE_EVERY_MS) return false;
    this.prunedAt = now.getTime();
    return true;
  }
}

export const laneNameOf = ({ group, topic, partition }: Source): string => `${group}/${topic}/${partition}`;

export class Partitions {
  private readonly states = new Map<string, PartitionState>();

  of(source: Source): PartitionState {
    const key = laneNameOf(source);
    let state = this.states.get(key);
    if (!state) this.states.set(key, (state = new PartitionState()));
    return state;
  }
}
