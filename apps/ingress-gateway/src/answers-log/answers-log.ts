import { encodeRecord, type RequestsAnswered } from '@tocsin/contracts';
import { headerNames, type AppendRecord, type EventLog } from '@tocsin/event-log';
import type { Logger } from '@tocsin/nest-shell';
import { markOf } from '@tocsin/postgres';
import { AnswerTally, type AcceptedAnswer, type Answering, type RefusedAnswer } from './answer-tally.ts';

const FLUSH_MS = 1_000;
/** How long a shutdown waits for the event log. */
const LAST_FLUSH_MS = 2_000;
/** Refusals per record: each may come with headers of some kilobytes. */
const REFUSED_PER_RECORD = 50;

export interface AnswersLogParts {
  eventLog: Pick<EventLog, 'append'>;
  log: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Names this run of this gateway. */
  runId: string;
}

/**
 * Says what was answered for each webhook, about once a second and in one append. Best effort: it never delays a request. What could
 * not be appended is appended again as it was, under the same mark, so that a reader that keeps marks counts nothing twice.
 */
export class AnswersLog {
  private readonly tally = new AnswerTally();
  private readonly timer: NodeJS.Timeout;
  private waiting: AppendRecord[] = [];
  private flushes = 0;
  private running: Promise<void> | undefined;
  private away = false;

  constructor(private readonly parts: AnswersLogParts) {
    this.timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  accepted(webhook: Answering, answer: AcceptedAnswer): void {
    this.tally.accepted(webhook, answer);
  }

  refused(webhook: Answering, answer: RefusedAnswer): void {
    this.tally.refused(webhook, answer);
  }

  /** One append at a time: while the log does not answer, counts wait in the tally. */
  flush(): Promise<void> {
    this.running ??= this.append().finally(() => (this.running = undefined));
    return this.running;
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    const ending = Promise.withResolvers<void>();
    const timer = setTimeout(ending.resolve, LAST_FLUSH_MS);
    // One may be running with what was there when it began; the second one takes the rest.
    await Promise.race([this.flush().then(() => this.flush()), ending.promise]);
    clearTimeout(timer);
  }

  private async append(): Promise<void> {
    try {
      if (this.waiting.length === 0) this.waiting = this.drained();
      if (this.waiting.length === 0) return;
      await this.parts.eventLog.append(this.waiting);
      this.waiting = [];
      this.away = false;
    } catch (error) {
      if (!this.away) this.parts.log.warn({ err: error }, 'answers.not-appended');
      this.away = true;
    }
  }

  private drained(): AppendRecord[] {
    const { log, now } = this.parts;
    const values = this.tally.drain(now()).flatMap(inRecords);
    const lost = this.tally.takeLost();
    if (lost > 0) log.warn({ requests: lost }, 'answers.not-counted');
    if (values.length > 0) this.flushes += 1;
    return values.map((value, ordinal) => this.record(value, ordinal));
  }

  private record(value: RequestsAnswered, ordinal: number): AppendRecord {
    const origin = `ingress-gateway/${this.parts.runId}`;
    return {
      topic: 'webhook.outcomes',
      key: value.webhookId,
      value: encodeRecord('requests.answered.v1', value),
      headers: {
        [headerNames.type]: 'requests.answered.v1',
        [headerNames.mark]: markOf({ origin, offset: BigInt(this.flushes), ordinal }),
      },
    };
  }
}

/** Cut so that a record stays far below what a log takes at once. */
function inRecords(value: RequestsAnswered): RequestsAnswered[] {
  const { rejected, ...rest } = value;
  const [first = [], ...others] = Array.from({ length: Math.ceil(rejected.length / REFUSED_PER_RECORD) }, (_, n) =>
    rejected.slice(n * REFUSED_PER_RECORD, (n + 1) * REFUSED_PER_RECORD),
  );
  return [{ ...rest, rejected: first }, ...others.map((some) => ({ ...rest, answered: [], rejected: some }))];
}
