import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { isTopic, hears, type ServiceName, type Topic } from '@tocsin/contracts';
import {
  headerNames,
  type BatchResult,
  type ConsumeOptions,
  type EventLog,
  type LogBatch,
  type LogConsumer,
} from '@tocsin/event-log';
import { parseMark, type Batch, type Input } from '@tocsin/postgres';
import { lastValueFrom } from 'rxjs';
import { waitForComponent } from '../boot/wait-for-component.ts';
import type { Logger } from '../tokens.ts';
import type { Assignments } from './assignments.ts';
import { pairOf, patternOf, type HearsOptions } from './hears.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 5_000;

export class LogBootError extends Error {
  readonly code = 'handlers-do-not-fit-topics';
}

interface Pair {
  service: ServiceName;
  topic: Topic;
  handler: MessageHandler;
  options: HearsOptions;
}

const inputOf = (record: LogBatch['records'][number]): Input => {
  const mark = record.headers[headerNames.mark];
  return {
    offset: record.offset,
    key: record.key,
    type: record.headers[headerNames.type] ?? '',
    value: record.value,
    headers: record.headers,
    timestamp: record.timestamp,
    ...(mark === undefined ? {} : { mark: parseMark(mark) }),
  };
};

const isResult = (value: unknown): value is BatchResult =>
  typeof value === 'object' &&
  value !== null &&
  'kind' in value &&
  ['committed', 'overtaken', 'retry', 'halt'].includes(String(value.kind));

/**
 * Nest's transport over the event log: one consumer per `@Hears` pair; the whole batch goes to the door, which is awaited,
 * and its outcome is applied before any offset moves. A handler that throws moves nothing: the batch comes again.
 */
export class LogStrategy extends Server implements CustomTransportStrategy {
  private consumers: LogConsumer[] = [];

  constructor(
    private readonly eventLog: EventLog,
    private readonly assignments: Assignments,
    private readonly running: readonly ServiceName[],
    private readonly log: Logger,
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    this.open().then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  consumerStates() {
    return this.consumers.map((consumer) => consumer.status());
  }

  async close(): Promise<void> {
    const closing = this.consumers;
    this.consumers = [];
    await Promise.all(closing.map((consumer) => consumer.close()));
  }

  on(): never {
    throw new Error('the log strategy has no client events');
  }

  unwrap<T>(): T {
    return this.eventLog as T;
  }

  private async open(): Promise<void> {
    const pairs = this.pairs();
    this.checkComplete(pairs);
    for (const pair of pairs) {
      const onAssigned = this.assignments.of(pair.service);
      const options: ConsumeOptions = {
        topic: pair.topic,
        group: pair.service,
        mode: pair.options.mode ?? 'group',
        ...(onAssigned && pair.options.mode !== 'broadcast-from-end' ? { onAssigned } : {}),
        ...(pair.options.maxRecords ? { maxRecords: pair.options.maxRecords } : {}),
        ...(pair.options.gatherMs ? { gatherMs: pair.options.gatherMs } : {}),
      };
      // A log that is away just now is waited for, as at every other step of the boot.
      this.consumers.push(
        await waitForComponent('event log', this.log, () => this.eventLog.consume(options, this.handlerOf(pair))),
      );
    }
  }

  private pairs(): Pair[] {
    return [...this.messageHandlers].flatMap(([pattern, handler]) => {
      const pair = pairOf(pattern);
      if (!pair) throw new LogBootError(`'${pattern}' was not declared with @Hears`);
      if (!isTopic(pair.topic)) throw new LogBootError(`${pair.service} hears '${pair.topic}', which is no topic`);
      return [{ service: pair.service, topic: pair.topic, handler, options: (handler.extras ?? {}) as HearsOptions }];
    });
  }

  /** A missing handler would silently leave a topic unread; one too many would read what the service must not. */
  private checkComplete(pairs: Pair[]): void {
    const found = new Set(pairs.map((pair) => patternOf(pair.service, pair.topic)));
    for (const service of this.running) {
      for (const topic of hears[service]) {
        if (!found.delete(patternOf(service, topic)))
          throw new LogBootError(`${service} has no handler for '${topic}'`);
      }
    }
    const [extra] = found;
    if (extra) throw new LogBootError(`'${extra}' is not in the table of who hears what`);
  }

  private handlerOf({ service, topic, handler }: Pair) {
    const failures = new Map<number, number>();
    return async (logBatch: LogBatch): Promise<BatchResult> => {
      const { partition } = logBatch.source;
      const batch: Batch = {
        source: logBatch.source,
        logId: logBatch.logId,
        inputs: logBatch.records.map(inputOf),
        heartbeat: () => logBatch.heartbeat(),
      };
      try {
        const answer: unknown = await lastValueFrom(this.transformToObservable(await handler(batch)), {
          defaultValue: undefined,
        });
        if (!isResult(answer))
          return {
            kind: 'halt',
            reason: 'handler-contract',
            detail: `${service} returned no batch result for '${topic}'`,
          };
        failures.delete(partition);
        if (answer.kind === 'halt')
          this.log.error(
            { service, topic, partition, reason: answer.reason, detail: answer.detail },
            'partition.halted',
          );
        if (answer.kind === 'retry')
          this.log.warn({ service, topic, partition, reason: answer.reason, afterMs: answer.afterMs }, 'batch.retried');
        return answer;
      } catch (error) {
        const count = (failures.get(partition) ?? 0) + 1;
        failures.set(partition, count);
        const afterMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(count - 1, 10));
        this.log.error({ err: error, service, topic, partition, afterMs }, 'batch.failed');
        return { kind: 'retry', afterMs, reason: 'handler-failed' };
      }
    };
  }
}
