import { schemaOf } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import type { Assignments, Clock, Logger } from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';

export type PipelineParts = [Pool, EventLog, Clock, Assignments, Logger];

/** The control-plane's way to handle what it hears: position, state and outbox in one transaction of its schema. */
export function pipelineOf(...[pool, log, now, assignments, logger]: PipelineParts): Pipeline {
  const service = 'control-plane';
  const onError = (error: unknown) => logger.error({ err: error, service }, 'pipeline.failed');
  const pipeline = createPipeline({ pool, schema: schemaOf(service), service, log, now, publisher: 'single', onError });
  assignments.register(service, pipeline.assigned);
  return pipeline;
}
