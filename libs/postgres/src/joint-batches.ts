import type { BatchResult } from '@tocsin/event-log';
import type { BatchDeps } from './commit-batch.ts';
import { dropRepeated, pruneMarks, readMarksOf, writeMarksOf, type MarksOf } from './consumer-marks.ts';
import { isFor } from './dead-letters.ts';
import { HandlerContractError } from './errors.ts';
import { recordsOf, writeOutcome, type OutboxRow } from './outbox.ts';
import type { Partitions, PartitionState } from './partitions.ts';
import type { Batch, CommitBatch, Input, Stage, Tx } from './pipeline.ts';
import { originOf } from './mark.ts';
import { moveTogether } from './positions.ts';
import { together } from './together.ts';
import { inTransaction } from './transaction.ts';

/** Records that one transaction takes at most; a larger batch has one of its own. */
const RECORDS_MAX = 200;

/** These batches do not go together: each is committed alone, and what is the matter is found out there. */
class NotTogether extends Error {}

interface Waiting {
  batch: Batch;
  state: PartitionState;
  resolve: (result: BatchResult | Promise<BatchResult>) => void;
}

/** A batch within its group: what of it is for us and new, and the marks that it moves. */
interface Part extends MarksOf {
  batch: Batch;
  state: PartitionState;
  fresh: Input[];
}

const nextOf = ({ inputs }: Batch): bigint => inputs.at(-1)!.offset + 1n;
const firstOf = ({ inputs }: Batch): bigint => inputs[0]!.offset;

/**
 * Batches of the partitions that one stage reads, in shared transactions: what comes while one is written goes into the next. A batch that
 * finds nothing under way waits for nobody. Nothing is decided here that needs care: whatever a group cannot do at the first go, be it a
 * conflict, a poisonous record or a database that is away, is taken back, and each of its batches goes the way of a single one.
 */
class JointBatches<Loaded> {
  private waiting: Waiting[] = [];
  private running = false;

  constructor(
    private readonly deps: BatchDeps,
    private readonly stage: Stage<Loaded>,
    private readonly alone: CommitBatch,
  ) {}

  add(batch: Batch, state: PartitionState): Promise<BatchResult> {
    return new Promise((resolve) => {
      this.waiting.push({ batch, state, resolve });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    // After the current turn: partitions that one fetch has brought go together.
    await new Promise<void>((turn) => setImmediate(turn));
    while (this.waiting.length > 0) await this.write(this.nextGroup());
    this.running = false;
  }

  /** The oldest that fit, all of one log. */
  private nextGroup(): Waiting[] {
    const { logId } = this.waiting[0]!.batch;
    let records = 0;
    const end = this.waiting.findIndex(
      ({ batch }) => (records += batch.inputs.length) > RECORDS_MAX || batch.logId !== logId,
    );
    return this.waiting.splice(0, end < 0 ? this.waiting.length : end);
  }

  private async write(group: Waiting[]): Promise<void> {
    const done = await this.together(group).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof NotTogether)) this.deps.onError(error);
        return false;
      },
    );
    for (const { batch, resolve } of group)
      resolve(done ? { kind: 'committed', next: nextOf(batch) } : this.alone(batch, this.stage));
  }

  private async together(group: Waiting[]): Promise<void> {
    const { deps, stage } = this;
    for (const { batch, state } of group) {
      if (state.stale) stage.forget(batch.source);
      state.stale = false;
      // There is a hole before these records: a single batch finds out which.
      if (state.expected !== undefined && state.expected !== firstOf(batch)) throw new NotTogether();
    }
    const lane = deps.laneOf(group[0]!.batch.source);
    if (!(await deps.publisher.ready(lane))) throw new NotTogether();
    const parts = await this.partsOf(group);
    const inputs = parts.flatMap(({ fresh }) => fresh);
    const loaded = inputs.length > 0 ? await stage.load(inputs) : undefined;
    let writes: Promise<unknown> = Promise.resolve();
    const { rows, committed } = await inTransaction(deps.pool, async (tx) => {
      const moved = this.move(tx, parts);
      const [fence, applied] = await Promise.allSettled([moved, this.apply(tx, parts, { loaded, lane })]);
      if (fence.status === 'rejected') throw fence.reason; // what followed failed with it
      if (applied.status === 'rejected') throw applied.reason;
      if (applied.value.writes) writes = applied.value.writes; // COMMIT goes behind it at once; where it fails, the server rolls back
      return applied.value;
    }).catch((error: unknown) => writes.then(() => Promise.reject(error as Error)));
    await writes;
    for (const { state, batch } of parts) state.expected = nextOf(batch);
    this.changeCaches(committed, parts);
    await deps.publisher.committed(lane, rows);
    for (const { state, source } of parts)
      if (state.pruneDue(deps.now())) pruneMarks(deps.pool, deps.schema, source.topic, deps.now()).catch(deps.onError);
  }

  private async partsOf(group: Waiting[]): Promise<Part[]> {
    const { pool, schema, service } = this.deps;
    const ours = group.map(({ batch, state }) => ({
      ...{ batch, state, source: batch.source },
      inputs: batch.inputs.filter((input) => isFor(service, input)),
    }));
    const known = await readMarksOf(pool, schema, ours);
    return ours.map((part, index) => ({ ...part, ...dropRepeated(part.inputs, known[index]!) }));
  }

  /** Fences and marks of all, sent with BEGIN: what the stage sends follows without waiting for the answers. */
  private async move(tx: Tx, parts: Part[]): Promise<void> {
    const { schema } = this.deps;
    const moves = parts.map(({ batch }) => ({
      ...{ source: batch.source, logId: batch.logId },
      ...{ expected: firstOf(batch), next: nextOf(batch) },
    }));
    const today = this.deps.now().toISOString().slice(0, 10);
    const [, moved] = await together(
      tx.query('begin'),
      moveTogether(tx, schema, moves),
      writeMarksOf(tx, schema, parts, today),
    );
    if (moved !== parts.length) throw new NotTogether();
  }

  private async apply(
    tx: Tx,
    parts: Part[],
    { loaded, lane }: { loaded: Loaded | undefined; lane: string },
  ): Promise<{ rows: OutboxRow[]; writes: Promise<unknown> | undefined; committed: (() => void) | undefined }> {
    const { deps, stage } = this;
    const inputs = parts.flatMap(({ fresh }) => fresh);
    if (inputs.length === 0) return { rows: [], writes: undefined, committed: undefined };
    const result = await stage.apply(tx, inputs, loaded as Loaded);
    result.writes?.catch(() => undefined); // waited for below, unless something else fails first
    if (result.verdicts.length !== inputs.length)
      throw new HandlerContractError(`${result.verdicts.length} verdicts for ${inputs.length} inputs`);
    // Dead letters, and outputs that name an input by its offset, belong to one partition.
    if (result.verdicts.some(({ kind }) => kind === 'dead-letter')) throw new NotTogether();
    if (result.lots || result.outputs.some(({ by }) => typeof by.input === 'bigint')) throw new NotTogether();
    const { notify } = deps.publisher;
    const causes = parts.map(({ batch, source, fresh }) => ({ origin: originOf(batch.logId, source), inputs: fresh }));
    const writes = { lane, records: recordsOf(result.outputs, causes) };
    const rows = await writeOutcome(tx, deps.schema, { ...writes, ...(notify === undefined ? {} : { notify }) });
    return { rows, writes: result.writes, committed: result.committed?.bind(result) };
  }

  private changeCaches(committed: (() => void) | undefined, parts: Part[]): void {
    try {
      committed?.();
    } catch (error) {
      this.deps.onError(error);
      for (const { source } of parts) this.stage.forget(source); // half changed: load them again
    }
  }
}

/** `commitBatch` for stages whose partitions may share transactions; `alone` commits one. */
export function createCommitTogether(deps: BatchDeps, partitions: Partitions, alone: CommitBatch): CommitBatch {
  const queues = new WeakMap<object, JointBatches<unknown>>();
  return (batch, stage) => {
    if (batch.inputs.length > RECORDS_MAX) return alone(batch, stage);
    let queue = queues.get(stage);
    if (!queue) queues.set(stage, (queue = new JointBatches(deps, stage, alone)));
    return queue.add(batch, partitions.of(batch.source));
  };
}
