import type { HaltReason, RetryReason } from '@tocsin/contracts';
import type { BatchResult, EventLog, Source } from '@tocsin/event-log';
import type { Pool, QueryResult } from 'pg';
import { dropRepeated, pruneMarks, readMarks } from './consumer-marks.ts';
import { deadLetterOf, declaredDead, isFor } from './dead-letters.ts';
import { failureOf, HandlerContractError } from './errors.ts';
import { isolatePoison, withoutPoison, type Finding, type Suspicion } from './isolate-poison.ts';
import { originOf } from './mark.ts';
import type { OutboxRow } from './outbox.ts';
import type { PartitionState } from './partitions.ts';
import type { Batch, Input, Mark, Stage } from './pipeline.ts';
import { POISON_LIMIT } from './poison-rate.ts';
import { beginFenced, readPosition } from './positions.ts';
import type { Publisher } from './publisher.ts';
import { writeSaid } from './said.ts';
import { together } from './together.ts';
import { inTransaction, rollBack, type RollBack } from './transaction.ts';

export interface BatchDeps {
  pool: Pool;
  schema: string;
  service: string;
  log: EventLog;
  now: () => Date;
  publisher: Publisher;
  laneOf: (source: Source) => string;
  onError: (error: unknown) => void;
}

/** The fence did not match: another owner, an operator or a lost COMMIT moved the position. */
class Overtaken extends Error {}

const retry = (reason: RetryReason, afterMs: number): BatchResult => ({ kind: 'retry', afterMs, reason });
const halt = (reason: HaltReason, detail: string): BatchResult => ({ kind: 'halt', reason, detail });
const detailOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

type Applied = { rows: OutboxRow[]; dead: number; committed: (() => void) | undefined };
type Refused = { tooMuchPoison: number };

/** One call of commitBatch: the rules of commit-batch.md in their order. */
export class BatchRun<Loaded> {
  private readonly source: Source;
  private readonly lane: string;

  constructor(
    private readonly deps: BatchDeps,
    private readonly batch: Batch,
    private readonly stage: Stage<Loaded>,
    private readonly state: PartitionState,
  ) {
    this.source = batch.source;
    this.lane = deps.laneOf(batch.source);
  }

  async run(): Promise<BatchResult> {
    if (this.state.stale) this.forget();
    if (!(await this.deps.publisher.ready(this.lane))) return retry('outbox-blocked', 250);
    try {
      return (await this.holeInLog()) ?? (await this.commit(this.batch.inputs));
    } catch (error) {
      return this.resultOf(error);
    }
  }

  private forget(): void {
    this.stage.forget(this.source);
    this.state.stale = false;
  }

  /** The log handed out records above the position: either offsets that never were, or records that are gone. */
  private async holeInLog(): Promise<BatchResult | undefined> {
    const { expected } = this.state;
    if (expected === undefined || expected >= this.batch.inputs[0]!.offset) return undefined;
    const { partitions } = await this.deps.log.offsets(this.source.topic);
    const first = partitions.find(({ partition }) => partition === this.source.partition)?.first ?? 0n;
    return first > expected ? halt('gap', `position ${expected}, but the log begins at ${first}`) : undefined;
  }

  private async commit(inputs: Input[]): Promise<BatchResult> {
    const { pool, schema } = this.deps;
    const ours = inputs.filter((input) => isFor(this.deps.service, input));
    const { fresh, marks } = dropRepeated(ours, await readMarks(pool, schema, this.source, ours));
    try {
      return await this.apply(inputs, fresh, marks, []);
    } catch (error) {
      const failure = failureOf(error);
      if (error instanceof Overtaken || failure.kind !== 'poison') throw error;
      return this.commitWithoutPoison(inputs, fresh, marks, { reason: failure.reason, detail: detailOf(error) });
    }
  }

  private async commitWithoutPoison(
    inputs: Input[],
    fresh: Input[],
    marks: Mark[],
    suspicion: Suspicion,
  ): Promise<BatchResult> {
    const next = inputs.at(-1)!.offset + 1n;
    const findings = await isolatePoison(fresh, this.stage.parts, suspicion, (some) => this.trial(some, next));
    if (this.state.poison.wouldExceed(findings.length, this.deps.now())) return this.tooMuchPoison();
    if (findings.length > 0) {
      try {
        return await this.apply(inputs, withoutPoison(fresh, findings, this.stage.parts), marks, findings);
      } catch (error) {
        if (error instanceof Overtaken || failureOf(error).kind !== 'poison') throw error;
      }
    }
    // It takes several of them to fail. Committing fewer at a time leads to the one that fails upon what is stored.
    if (inputs.length === 1) return retry('handler-failed', 1_000);
    return this.commit(inputs.slice(0, Math.ceil(inputs.length / 2)));
  }

  /** Applies and takes back, fenced like the real thing. */
  private async trial(inputs: Input[], next: bigint): Promise<Suspicion | undefined> {
    try {
      await this.transaction(inputs, next, async (rows) => rollBack(await rows()));
      return undefined;
    } catch (error) {
      const failure = failureOf(error);
      if (error instanceof Overtaken || failure.kind !== 'poison') throw error;
      return { reason: failure.reason, detail: detailOf(error) };
    }
  }

  private async apply(inputs: Input[], kept: Input[], marks: Mark[], findings: Finding[]): Promise<BatchResult> {
    const { deps, state } = this;
    const next = inputs.at(-1)!.offset + 1n;
    const done = await this.transaction<Applied | Refused>(
      kept,
      next,
      async (rows) => {
        const applied = await rows();
        return state.poison.wouldExceed(applied.dead, deps.now()) ? rollBack({ tooMuchPoison: applied.dead }) : applied;
      },
      { inputs, marks, findings },
    );
    if ('tooMuchPoison' in done) return this.tooMuchPoison();
    state.expected = next;
    state.poison.note(done.dead, deps.now());
    this.changeCaches(done.committed);
    await deps.publisher.committed(this.lane, done.rows);
    this.pruneSometimes();
    return { kind: 'committed', next };
  }

  /** Load, then one transaction: fence, the stage, marks with outputs and dead letters; `end` commits or takes back. */
  private async transaction<T>(
    kept: Input[],
    next: bigint,
    end: (rows: () => Promise<Applied>) => Promise<T | RollBack<T>>,
    whole: { inputs: Input[]; marks: Mark[]; findings: Finding[] } = { inputs: kept, marks: [], findings: [] },
  ): Promise<T> {
    const { deps, batch, stage, source, state } = this;
    const loaded = kept.length > 0 ? await stage.load(kept) : undefined;
    const first = batch.inputs[0]!.offset;
    const expected = state.expected !== undefined && state.expected < first ? state.expected : first;
    return inTransaction(deps.pool, async (tx) => {
      const answers = (await tx.query(
        beginFenced(deps.schema, source, { logId: batch.logId, expected, next }),
      )) as unknown as QueryResult[];
      if (!answers[1]?.rowCount) throw new Overtaken();
      return end(async () => {
        const result: Awaited<ReturnType<Stage<Loaded>['apply']>> =
          kept.length > 0 ? await stage.apply(tx, kept, loaded as Loaded) : { verdicts: [], outputs: [] };
        result.writes?.catch(() => undefined); // waited for below, unless something else fails first
        if (result.verdicts.length !== kept.length) {
          throw new HandlerContractError(`${result.verdicts.length} verdicts for ${kept.length} inputs`);
        }
        const dead = [...whole.findings, ...declaredDead(kept, result.verdicts, whole.inputs)];
        const letters = dead.map((finding) => deadLetterOf(deps.service, source, deps.now(), finding));
        const lots = result.lots ?? [];
        const [, rows] = await together(
          result.writes ?? Promise.resolve(),
          writeSaid(tx, deps.schema, {
            ...{ lane: this.lane, notify: deps.publisher.notify },
            // Dead letters are said in the order of their inputs, among all else.
            ...(dead.length > 0
              ? { outputs: [...result.outputs, ...[...lots].flat(), ...letters], lots: [] }
              : { outputs: result.outputs, lots }),
            cause: { origin: originOf(batch.logId, source), inputs: whole.inputs },
            consumed: { source, marks: whole.marks, today: deps.now().toISOString().slice(0, 10) },
          }),
        );
        return { rows, dead: dead.length, committed: result.committed?.bind(result) };
      });
    });
  }

  private tooMuchPoison(): BatchResult {
    return halt('poison-rate', `more than ${POISON_LIMIT} dead letters within a minute`);
  }

  private changeCaches(committed: (() => void) | undefined): void {
    try {
      committed?.();
    } catch (error) {
      this.deps.onError(error);
      this.forget(); // half changed: load them again
    }
  }

  private resultOf(error: unknown): Promise<BatchResult> | BatchResult {
    if (error instanceof Overtaken) return this.whereItStands(retry('database-conflict', 50));
    const failure = failureOf(error);
    if (failure.kind === 'halt') return halt(failure.reason, detailOf(error));
    this.deps.onError(error);
    if (failure.kind === 'poison') return retry('handler-failed', 1_000);
    const again = retry(failure.reason, failure.afterMs);
    // The session is gone, perhaps in the middle of COMMIT: the same case as being overtaken.
    return failure.reason === 'database-unavailable' ? this.whereItStands(again) : again;
  }

  /** Reads the position and goes on from there; caches and what is known of the outbox are not to be trusted. */
  private async whereItStands(unmoved: BatchResult): Promise<BatchResult> {
    this.forget();
    this.deps.publisher.leftovers(this.lane);
    try {
      const position = await readPosition(this.deps.pool, this.deps.schema, this.source);
      if (!position) return unmoved;
      if (position.logId !== this.batch.logId)
        return halt('log-behind', `the position is of log ${position.logId}, the records are of ${this.batch.logId}`);
      const before = this.state.expected ?? this.batch.inputs[0]!.offset;
      this.state.expected = position.next;
      return position.next === before && before <= this.batch.inputs[0]!.offset
        ? unmoved
        : { kind: 'overtaken', next: position.next };
    } catch {
      return unmoved; // the database is away; the fence of the next attempt will tell
    }
  }

  private pruneSometimes(): void {
    const { deps, state, source } = this;
    if (!state.pruneDue(deps.now())) return;
    pruneMarks(deps.pool, deps.schema, source.topic, deps.now()).catch(deps.onError);
  }
}
