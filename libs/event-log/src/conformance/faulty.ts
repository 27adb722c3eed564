import { randomUUID } from 'node:crypto';
import type {
  AppendRecord,
  BatchHandler,
  BatchResult,
  ConsumeOptions,
  EventLog,
  LogBatch,
  LogConsumer,
} from '../port.ts';
import { endOf } from './recorder.ts';

/** One wrong way to drive a log, by the conformance case that has to find it. */
export interface Fault {
  append?(log: EventLog, records: readonly AppendRecord[]): Promise<void>;
  consume?(log: EventLog, options: ConsumeOptions, handler: BatchHandler): Promise<LogConsumer>;
  lag?: EventLog['lag'];
  ensureTopics?: EventLog['ensureTopics'];
  reopened?(log: EventLog): EventLog;
}

const doneWith = (batch: LogBatch): BatchResult => ({ kind: 'committed', next: endOf(batch) });
const handling =
  (change: (handler: BatchHandler, batch: LogBatch) => Promise<BatchResult>): NonNullable<Fault['consume']> =>
  (log, options, handler) =>
    log.consume(options, (batch) => change(handler, batch));
/** Takes the result for another one. */
const mistaking = (kind: BatchResult['kind']): NonNullable<Fault['consume']> =>
  handling(async (handler, batch) => {
    const result = await handler(batch);
    return result.kind === kind ? doneWith(batch) : result;
  });
const deaf: NonNullable<Fault['consume']> = (log, options, handler) =>
  log.consume({ ...options, onAssigned: () => Promise.resolve('group-offset') }, handler);
const oneAtATime = (): NonNullable<Fault['consume']> => {
  let turn: Promise<unknown> = Promise.resolve();
  return handling((handler, batch) => {
    const mine = turn.then(() => handler(batch));
    turn = mine.catch(() => undefined);
    return mine;
  });
};
const impatient = handling(async (handler, batch) => {
  const again = setTimeout(() => void handler(batch).catch(() => undefined), 1_000);
  const result = await handler(batch);
  clearTimeout(again);
  return result;
});

/** Each key is the name of a conformance case. */
export const faults: Record<string, Fault> = {
  'has every record when append resolves': {
    append: (log, records) => (
      void setTimeout(() => void log.append(records).catch(() => undefined), 200),
      Promise.resolve()
    ),
  },
  'still has everything when it is opened again, and is the same log': {
    reopened: (log) => ({
      ...bound(log),
      offsets: async (topic) => ({ ...(await log.offsets(topic)), logId: randomUUID() }),
    }),
  },
  'refuses a topic with another number of partitions': { ensureTopics: () => Promise.resolve() },
  'refuses an unknown topic and a record that is too large, and takes the next one': {
    append: (log, records) =>
      log.append(records.filter(({ value }) => value.length < 1_000_000)).catch(() => undefined),
  },
  'delivers every record once and in the order of its key': {
    consume: handling((handler, batch) => handler({ ...batch, records: [...batch.records].reverse() })),
  },
  'delivers key, value, headers and a time as they were appended': {
    append: (log, records) => log.append(records.map((one) => ({ ...one, headers: {} }))),
  },
  'hands the same records again while a dependency is away, and none after them': { consume: mistaking('retry') },
  'hands the records again when the handler throws': {
    consume: handling((handler, batch) => handler(batch).catch(() => doneWith(batch))),
  },
  'goes on inside a batch: one bad record among 500 is settled alone': { consume: mistaking('committed') },
  'goes on where another owner has got to': { consume: mistaking('overtaken') },
  'halts one partition for good and goes on with the others': { consume: mistaking('halt') },
  'does not let a slow partition hold up the others': {
    consume: (log, options, handler) => oneAtATime()(log, options, handler),
  },
  'lets the batch in hand finish when it closes, and counts it': {
    consume: async (log, options, handler) => ({
      ...consumerOf(await log.consume(options, handler)),
      close: () => Promise.resolve(),
    }),
  },
  'asks for the position until there is an answer, and delivers nothing before': { consume: deaf },
  'starts at the stored position': { consume: deaf },
  'tells its id, first and end, so that a gap can be seen': {
    consume: (log, options, handler) =>
      log.consume(
        { ...options, onAssigned: (source, state) => options.onAssigned!(source, { ...state, end: state.end + 1n }) },
        handler,
      ),
  },
  'halts where the position asks for it': { consume: deaf },
  'halts on a position that the log has not reached, instead of starting anywhere': { consume: deaf },
  'counts the records that a group has not done': { lag: () => Promise.resolve([]) },
  'counts from the stored position, also while nothing new comes': { consume: deaf },
  'goes on where the group was when it comes back': {
    consume: (log, options, handler) =>
      log.consume({ ...options, onAssigned: (_, { first }) => Promise.resolve({ seek: first }) }, handler),
  },
  'shares the partitions between two members, and gives all to the one that stays': {
    consume: (log, options, handler) => log.consume({ ...options, group: randomUUID() }, handler),
  },
  'waits for the batch in hand before its partition gets a new owner': {
    consume: (log, options, handler) => log.consume({ ...options, group: randomUUID() }, handler),
  },
  'keeps the membership of a slow handler: nobody else gets its records': { consume: impatient },
  'broadcasts to every instance what comes after its start, without trying again': {
    consume: (log, options, handler) => log.consume({ ...options, mode: 'group' }, handler),
  },
};

/** A log with one fault. */
export function faulty(log: EventLog, fault: Fault): EventLog {
  return {
    ...bound(log),
    ...(fault.append ? { append: (records) => fault.append!(log, records) } : {}),
    ...(fault.consume ? { consume: (options, handler) => fault.consume!(log, options, handler) } : {}),
    ...(fault.lag ? { lag: fault.lag } : {}),
    ...(fault.ensureTopics ? { ensureTopics: fault.ensureTopics } : {}),
  };
}

const bound = (log: EventLog): EventLog => ({
  kind: log.kind,
  append: (records) => log.append(records),
  consume: (options, handler) => log.consume(options, handler),
  offsets: (topic) => log.offsets(topic),
  ensureTopics: (table) => log.ensureTopics(table),
  lag: (group, topics) => log.lag(group, topics),
  close: () => log.close(),
});

const consumerOf = (consumer: LogConsumer): LogConsumer => ({
  status: () => consumer.status(),
  close: () => consumer.close(),
});
