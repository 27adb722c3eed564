import { investigate, suggest } from '@tocsin/domain/rca';
import type { Logger } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { conclude } from './conclude.ts';
import { loadEvidence } from './evidence-store.ts';
import {
  claimDue,
  type DueInvestigation,
  type FinishedInvestigation,
  prune,
  storeFinished,
} from './investigation-store.ts';
import type { AskInvestigators } from './http/ask-investigators.ts';

export interface WorkerParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  clock(): Date;
  log: Logger;
  settleMs: number;
  /** Read each time: the public address is final only once the HTTP server listens. */
  publicUrl(): string;
  /** Investigators of workspaces. */
  asking: Pick<AskInvestigators, 'askDue' | 'idle'>;
}

/** Leftovers of a process that died, and those of other replicas, are found this often; a request of this process wakes at once. */
const POLL_MS = 2_000;
const PRUNE_MS = 3_600_000;
const AT_ONCE = 10;

/** Runs the investigations that were asked for. What it takes it finishes in one transaction: a crash leaves them due. */
export class InvestigationWorker {
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Infinity;
  private running: Promise<void> = Promise.resolve();
  private stopped = true;
  private prunedAt = -Infinity;

  constructor(private readonly parts: WorkerParts) {}

  start(): void {
    this.stopped = false;
    this.plan(0);
  }

  /** Something was asked for: look when it is due. */
  wake(afterMs = this.parts.settleMs): void {
    this.plan(afterMs);
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
    await this.parts.asking.idle();
  }

  /** Investigates up to ten that are due. @returns how many */
  async investigateDue(): Promise<number> {
    const now = this.parts.clock();
    const done = await this.parts.pipeline.commitCommand(async (tx) => {
      const due = await claimDue(tx, now, AT_ONCE);
      const results: { finished: FinishedInvestigation; outputs: Output[] }[] = [];
      for (const one of due) results.push(await this.look(tx, one, now));
      if (results.length > 0)
        await storeFinished(
          tx,
          results.map(({ finished }) => finished),
          now,
        );
      return { result: results.map(({ finished }) => finished), outputs: results.flatMap(({ outputs }) => outputs) };
    });
    for (const { id, status, hypotheses } of done)
      this.parts.log.info({ rca_id: id, status, hypotheses: hypotheses.length }, 'investigation.finished');
    return done.length;
  }

  private plan(afterMs: number): void {
    const at = performance.now() + afterMs;
    if (this.stopped || at >= this.dueAt) return;
    clearTimeout(this.timer);
    this.dueAt = at;
    this.timer = setTimeout(() => {
      this.dueAt = Infinity;
      this.running = this.running.then(() => this.work());
    }, afterMs);
  }

  private async work(): Promise<void> {
    try {
      while (!this.stopped && (await this.investigateDue()) === AT_ONCE);
      if (!this.stopped) await this.parts.asking.askDue();
      await this.pruneHourly();
    } catch (error) {
      // A database that is away: everything that is due stays due.
      this.parts.log.warn({ err: error }, 'investigations.postponed');
    }
    this.plan(POLL_MS);
  }

  private async pruneHourly(): Promise<void> {
    if (this.stopped || performance.now() - this.prunedAt < PRUNE_MS) return;
    this.prunedAt = performance.now();
    const now = this.parts.clock();
    await this.parts.pipeline.commitCommand(async (tx) => {
      await prune(tx, now);
      return { result: undefined, outputs: [] };
    });
  }

  private async look(
    tx: Tx,
    due: DueInvestigation,
    now: Date,
  ): Promise<{ finished: FinishedInvestigation; outputs: Output[] }> {
    const evidence = await loadEvidence(tx, due);
    const finished = this.conclude(due, () => investigate(evidence));
    const drafts = suggest(finished.hypotheses).map((one) => ({ ...one, potentialSavings: null }));
    const told = { now, publicUrl: this.parts.publicUrl() };
    return { finished, outputs: await conclude(tx, due, { finished, drafts }, told) };
  }

  /** A throw of the investigator fails this one investigation, not its neighbours. */
  private conclude(due: DueInvestigation, run: () => ReturnType<typeof investigate>): FinishedInvestigation {
    try {
      return { id: due.id, status: 'completed', ...run() };
    } catch (error) {
      this.parts.log.error({ err: error, rca_id: due.id }, 'investigation.failed');
      return {
        id: due.id,
        status: 'failed',
        summary: 'The investigator failed; the reason is in the log of rca-trigger.',
        hypotheses: [],
      };
    }
  }
}
