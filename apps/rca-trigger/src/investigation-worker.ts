import { deriveId, type RcaEvent } from '@tocsin/contracts';
import { investigate } from '@tocsin/domain/rca';
import type { Logger } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { loadEvidence } from './evidence-store.ts';
import {
  claimDue,
  type DueInvestigation,
  type FinishedInvestigation,
  prune,
  storeFinished,
} from './investigation-store.ts';
import { rcaOutput } from './rca-facts.ts';
import { recommend } from './recommendations/recommend.ts';
import { recommendationOutput } from './recommendations/recommendation-events.ts';
import { urlOf } from './recommendations/recommendations.ts';
import { workOutputs } from './work-events.ts';

export interface WorkerParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  clock(): Date;
  log: Logger;
  settleMs: number;
  /** Read each time: the public address is final only once the HTTP server listens. */
  publicUrl(): string;
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
  wake(): void {
    this.plan(this.parts.settleMs);
  }

  /** Finishes what is in hand. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
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
    const made = await recommend(tx, due, finished, now);
    const outputs = [
      rcaOutput(finishedEvent(due, finished, now), { stream: due.id, version: 2n }),
      ...workOutputs(due, finished, now),
      ...made.map((one) =>
        recommendationOutput('recommendation.created', one, { url: urlOf(this.parts.publicUrl(), one.id) }),
      ),
    ];
    return { finished, outputs };
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

const finishedEvent = (
  due: DueInvestigation,
  { status, summary, hypotheses }: FinishedInvestigation,
  now: Date,
): RcaEvent => ({
  id: deriveId('evt', due.id, status),
  rca_id: due.id,
  incident_id: due.incidentId,
  workspace_id: due.workspaceId,
  type: status === 'completed' ? 'rca.completed' : 'rca.failed',
  at: now.toISOString(),
  investigator: 'built-in',
  incident_version: due.incidentVersion,
  reason: due.cause,
  summary,
  hypotheses: [...hypotheses],
  config_revision: due.configRevision,
});
