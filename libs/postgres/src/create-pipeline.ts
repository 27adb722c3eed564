import type { Assigned, EventLog, Source } from '@tocsin/event-log';
import type { Pool } from 'pg';
import { BatchRun, type BatchDeps } from './commit-batch.ts';
import { createCommitCommand } from './commit-command.ts';
import { createCommitTogether } from './joint-batches.ts';
import { LanePublisher } from './lane-publisher.ts';
import { laneNameOf, Partitions } from './partitions.ts';
import { SCHEMA_NAME } from './migrate.ts';
import type { CommitBatch, Pipeline } from './pipeline.ts';
import { ensurePosition } from './positions.ts';
import type { Publisher } from './publisher.ts';
import { SinglePublisher } from './single-publisher.ts';

export interface PipelineOptions {
  /** Role `tocsin_pipeline`. It is not closed with the pipeline. */
  pool: Pool;
  /** The service's schema, migrated. */
  schema: string;
  /** Name of the service, for its dead letters. */
  service: string;
  log: EventLog;
  now: () => Date;
  /**
   * `per-partition`: each partition's owner publishes its own outputs; for services that write in commitBatch only.
   * `single`: one process at a time publishes everything in commit order; for services with REST, timers or other commands.
   */
  publisher: 'per-partition' | 'single';
  /** What is retried or absorbed, for the log. */
  onError?: (error: unknown) => void;
}

const COMMAND_LANE = 'commands';
const SHARED_LANE = 'service';
const HEARTBEAT_MS = 1_000;

function createAssigned(deps: BatchDeps, partitions: Partitions): Assigned {
  return async (source, log) => {
    const position = await ensurePosition(deps.pool, deps.schema, source, log);
    const where = `the position is ${position.next} of log ${position.logId}; log ${log.logId} holds ${log.first} to ${log.end}`;
    if (position.logId !== log.logId || position.next > log.end) return { halt: 'log-behind', detail: where };
    if (position.next < log.first) return { halt: 'gap', detail: where };
    const state = partitions.of(source);
    state.expected = position.next;
    state.stale = true; // somebody else may have owned it since
    deps.publisher.leftovers(deps.laneOf(source));
    return { seek: position.next };
  };
}

/** Says that the batch is still in hand, for as long as it takes. */
function beating(commit: CommitBatch, onError: BatchDeps['onError']): CommitBatch {
  return async (batch, stage) => {
    const beat = setInterval(() => void batch.heartbeat().catch(onError), HEARTBEAT_MS);
    try {
      return await commit(batch, stage);
    } finally {
      clearInterval(beat);
    }
  };
}

/** The exactly-once pipeline of one service (docs: commit-batch). Close it before its pool and its log. */
export function createPipeline(options: PipelineOptions): Pipeline {
  const { pool, schema, service, log, now } = options;
  if (!SCHEMA_NAME.test(schema)) throw new RangeError(`not a schema name: ${schema}`);
  const onError = options.onError ?? (() => undefined);
  const single = options.publisher === 'single';
  const publisher: Publisher = single
    ? new SinglePublisher({ pool, schema, log, onError })
    : new LanePublisher({ pool, schema, log, onError }, COMMAND_LANE);
  const laneOf = single ? (): string => SHARED_LANE : (source: Source): string => laneNameOf(source);
  const deps: BatchDeps = { pool, schema, service, log, now, publisher, laneOf, onError };
  const partitions = new Partitions();
  const alone: CommitBatch = (batch, stage) => new BatchRun(deps, batch, stage, partitions.of(batch.source)).run();
  return {
    commitBatch: beating(alone, onError),
    // Partitions with lanes of their own have transactions of their own.
    commitTogether: beating(single ? createCommitTogether(deps, partitions, alone) : alone, onError),
    commitCommand: createCommitCommand({ pool, schema, publisher, lane: single ? SHARED_LANE : COMMAND_LANE }),
    assigned: createAssigned(deps, partitions),
    flush: () => publisher.flush(),
    close: () => publisher.close(),
  };
}
