import { checkpointText } from '@tocsin/domain/incident';
import type { Clock, KeyRing, Logger } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import {
  hasUnsequenced,
  insertCheckpoint,
  lastCheckpoint,
  lockHead,
  sequenceNext,
  type CommitHead,
} from './sequence-store.ts';

export interface SequencerParts {
  pool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  keyRing: Pick<KeyRing, 'signForAudit'>;
  clock: Clock;
  log: Logger;
}

/** How long a committed event waits for its place at most, apart from backlog. */
const POLL_MS = 150;
const AT_ONCE = 1_000;
/** A checkpoint is signed after so many events, or so long after the last one where anything came since. */
const CHECKPOINT_EVENTS = 10_000n;
const CHECKPOINT_MS = 60_000;

/**
 * Gives committed events one order over all streams, without gaps. Whoever locks the head row in its transaction is the sequencer;
 * a process that dies gives the place back with its connection.
 */
export class Sequencer {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;
  private lookedAt = -Infinity;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly parts: SequencerParts) {}

  start(): void {
    this.stopped = false;
    this.plan();
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Called after events of this or another process may have got their places. @returns how to stop listening */
  onProgress(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Sequences up to a thousand events. @returns how many there were; 0 also where another process is at it */
  async sequence(): Promise<number> {
    const { pipeline, clock } = this.parts;
    return pipeline.commitCommand(async (tx) => {
      const head = await lockHead(tx);
      if (!head) return { result: 0, outputs: [] };
      const { taken, ...next } = await sequenceNext(tx, head, AT_ONCE);
      const last = await lastCheckpoint(tx);
      const at = clock();
      const news = next.position - (last?.position ?? 0n);
      const old = at.getTime() - (last?.at.getTime() ?? 0) >= CHECKPOINT_MS;
      if (news >= CHECKPOINT_EVENTS || (news > 0n && old)) await this.checkpoint(tx, next, at);
      return { result: taken, outputs: [] };
    });
  }

  private async checkpoint(tx: Parameters<typeof lockHead>[0], { position, chain }: CommitHead, now: Date) {
    const at = now.toISOString();
    const signed = this.parts.keyRing.signForAudit(checkpointText({ position, chain, at }));
    await insertCheckpoint(tx, { position, chain, at }, signed);
    // The log leaves the machine as a rule: what it says cannot be rewritten together with the database.
    this.parts.log.info({ position: String(position), chain, at, ...signed }, 'audit.checkpoint');
  }

  private plan(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.work().finally(() => this.plan());
    }, POLL_MS);
  }

  private async work(): Promise<void> {
    try {
      const checkpointDue = this.parts.clock().getTime() - this.lookedAt >= CHECKPOINT_MS;
      if (checkpointDue || (await hasUnsequenced(this.parts.pool))) {
        while (!this.stopped && (await this.sequence()) === AT_ONCE);
        this.lookedAt = this.parts.clock().getTime();
      }
    } catch (error) {
      // A database that is away: what has no place yet gets it later.
      this.parts.log.warn({ error: (error as Error).message }, 'sequencer.failed');
    }
    for (const listener of this.listeners) listener();
  }
}
