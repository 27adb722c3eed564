import type { SyncLinkDocument } from '@tocsin/contracts';
import { MAX_RETRY_AFTER_SECONDS } from '@tocsin/domain/delivery';
import type { ConfigurationFeed, Logger } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { carryOut, giveUp, NotYet, type CarryParts } from './carry-out.ts';
import { LinkLocks } from './link-locks.ts';
import { closeCircuit, openCircuit, stateOf } from './link-state-store.ts';
import { dueOps, postponeOp, pruneOps, type DueOp } from './op-store.ts';
import { takeOverChanges } from './take-over.ts';
import { SyncFailure, type TicketSystem } from './ticket-system.ts';

export interface SyncWorkerParts {
  pool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  feed: Pick<ConfigurationFeed, 'syncLinks'>;
  systemOf: (link: SyncLinkDocument) => TicketSystem;
  clock: () => Date;
  log: Pick<Logger, 'info' | 'warn'>;
  timing: SyncTiming;
}

export interface SyncTiming {
  tickMs: number;
  /** See `CarryParts.indexedWithinMs`. */
  indexedWithinMs: number;
  /** First pause of a link whose system is away; each further one is twice as long. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** Before each further attempt of an op that was rejected; after the last it is given up. */
  retryMs: readonly number[];
}

export const SYNC_TIMING: SyncTiming = {
  ...{ tickMs: 1_000, indexedWithinMs: 30_000, firstPauseMs: 2_000, longestPauseMs: 300_000 },
  retryMs: [10_000, 60_000, 300_000, 1_800_000],
};

/** Ended ops are kept as long as the outbound log by default, and are looked through this often. */
const KEPT_MS = 30 * 86_400_000;
const PRUNE_EVERY_MS = 60_000;
/** Requests to one system at a time, each for another incident. */
const IN_FLIGHT = 4;

/**
 * Keeps incidents and the issues of linked systems in step: per link first what is to be told, in the order of each incident, then what is new
 * there. A system that does not answer, or refuses us, is left alone for a while; its ops wait and lose no attempt.
 */
export class SyncWorker {
  private readonly locks: LinkLocks;
  private readonly running = new Map<string, Promise<void>>();
  private readonly nextReading = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> | undefined;
  private nextPruning = 0;
  private again = false;
  private stopping = false;

  constructor(private readonly parts: SyncWorkerParts) {
    this.locks = new LinkLocks(parts.pool);
  }

  start(): void {
    this.wake();
  }

  /** Something may be due. */
  wake(): void {
    if (this.stopping) return;
    this.again = true;
    this.ticking ??= this.tick().finally(() => {
      this.ticking = undefined;
      clearTimeout(this.timer);
      if (!this.stopping) this.timer = setTimeout(() => this.wake(), this.parts.timing.tickMs);
    });
  }

  /** Finishes the requests in hand. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.ticking;
    await Promise.all(this.running.values());
    this.locks.close();
  }

  private async tick(): Promise<void> {
    while (this.again && !this.stopping) {
      this.again = false;
      await this.lookAtLinks().catch((error: Error) =>
        this.parts.log.warn({ error: error.message }, 'sync.tick-failed'),
      );
    }
  }

  private async lookAtLinks(): Promise<void> {
    const { pool, clock } = this.parts;
    if (clock().getTime() >= this.nextPruning) {
      this.nextPruning = clock().getTime() + PRUNE_EVERY_MS;
      await pruneOps(pool, new Date(clock().getTime() - KEPT_MS));
    }
    const links = this.parts.feed.syncLinks().filter(({ body }) => body.active);
    await this.locks.keepOnly(new Set(links.map(({ id }) => id)));
    for (const link of links) if (!this.running.has(link.id) && (await this.locks.take(link.id))) this.run(link);
  }

  private run(link: SyncLinkDocument): void {
    const work = this.work(link)
      .catch((error: Error) => this.parts.log.warn({ linkId: link.id, error: error.message }, 'sync.failed'))
      .finally(() => this.running.delete(link.id));
    this.running.set(link.id, work);
  }

  private async work(link: SyncLinkDocument): Promise<void> {
    const { pool, clock } = this.parts;
    const { openUntil, failures } = await stateOf(pool, link.id);
    if (openUntil && openUntil > clock()) return;
    try {
      const system = this.parts.systemOf(link);
      const told = await this.tellAll(link, system);
      const read = await this.readNews(link, system);
      if (failures > 0 && (told || read)) await closeCircuit(pool, link.id);
    } catch (error) {
      if (!(error instanceof SyncFailure) || error.kind === 'given-back') throw error;
      await this.leaveAlone(link, error, failures);
    }
  }

  /** @returns whether the system has answered anything */
  private async tellAll(link: SyncLinkDocument, system: TicketSystem): Promise<boolean> {
    const { pool, clock } = this.parts;
    let any = false;
    while (!this.stopping && this.locks.holds(link.id)) {
      const due = await dueOps(pool, link.id, clock(), IN_FLIGHT);
      if (due.length === 0) break;
      const ended = await Promise.allSettled(due.map((op) => this.tell(op, link, system)));
      any ||= ended.some(({ status }) => status === 'fulfilled');
      const failed = ended.find((one) => one.status === 'rejected');
      if (failed) throw failed.reason;
    }
    return any;
  }

  private async tell(due: DueOp, link: SyncLinkDocument, system: TicketSystem): Promise<void> {
    const { pool, pipeline, clock, timing } = this.parts;
    const parts: CarryParts = { pool, pipeline, link, system, clock, indexedWithinMs: timing.indexedWithinMs };
    const putOff = (error: string, dueAt: Date, counts: boolean): Promise<void> =>
      postponeOp(pool, { ...due, link: link.id }, { error, dueAt, counts, now: clock() });
    try {
      await carryOut(due, parts);
    } catch (error) {
      if (error instanceof NotYet) return putOff(error.message, error.until, false);
      if (!(error instanceof SyncFailure) || error.kind === 'given-back') throw error;
      if (error.kind === 'away' || error.kind === 'refused') {
        await putOff(error.message, clock(), false);
        throw error; // the link as a whole
      }
      const pause = timing.retryMs[due.attempts];
      if (error.kind === 'gone' || pause === undefined) return giveUp(due, parts, error.message);
      await putOff(error.message, new Date(clock().getTime() + pause), true);
    }
  }

  /** @returns whether the system has answered anything */
  private async readNews(link: SyncLinkDocument, system: TicketSystem): Promise<boolean> {
    const { pool, pipeline, clock } = this.parts;
    const now = clock().getTime();
    if (link.body.direction === 'out' || this.stopping || (this.nextReading.get(link.id) ?? 0) > now) return false;
    await takeOverChanges({ pool, pipeline, link, system, clock });
    this.nextReading.set(link.id, now + link.body.pollSeconds * 1000);
    return true;
  }

  private async leaveAlone(link: SyncLinkDocument, failure: SyncFailure, failures: number): Promise<void> {
    const { pool, clock, timing, log } = this.parts;
    const now = clock();
    const own = Math.min(timing.firstPauseMs * 2 ** Math.min(failures, 20), timing.longestPauseMs);
    const pause = Math.max(own, Math.min(failure.retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS) * 1000);
    const until = new Date(now.getTime() + pause);
    await openCircuit(pool, { linkId: link.id, workspaceId: link.workspaceId }, { error: failure.message, until, now });
    log.warn({ linkId: link.id, kind: failure.kind, error: failure.message, pauseMs: pause }, 'sync.left-alone');
  }
}
