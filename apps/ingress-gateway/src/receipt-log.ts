import type { AppendRecord, EventLog } from '@tocsin/event-log';
import { Problem, type Logger } from '@tocsin/nest-shell';

/** What a record costs in memory beside its body: headers, promises, driver bookkeeping. */
const RECORD_OVERHEAD_BYTES = 2_048;

export interface ReceiptLogLimits {
  deadlineMs: number;
  inFlightBytes: number;
}

/**
 * Appends receipts within a deadline and with bounded memory. A record counts as in flight until the log itself settles it,
 * also after its sender was told 503: it may still arrive, which is harmless.
 */
export class ReceiptLog {
  private inFlight = 0;
  private away = false;

  constructor(
    private readonly eventLog: Pick<EventLog, 'append'>,
    private readonly limits: ReceiptLogLimits,
    private readonly log: Logger,
  ) {}

  /** Resolves when the record is durable. @throws Problem `unavailable` */
  append(record: AppendRecord): Promise<void> {
    const bytes = record.value.length + RECORD_OVERHEAD_BYTES;
    if (this.inFlight + bytes > this.limits.inFlightBytes) return Promise.reject(unavailable());
    this.inFlight += bytes;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.noteAway('no confirmation within the deadline');
        reject(unavailable());
      }, this.limits.deadlineMs);
      const settle = () => {
        clearTimeout(timer);
        this.inFlight -= bytes;
      };
      this.eventLog.append([record]).then(
        () => {
          settle();
          this.noteBack();
          resolve();
        },
        (error: unknown) => {
          settle();
          this.noteAway(error);
          reject(unavailable());
        },
      );
    });
  }

  /** Bytes that wait for the log's confirmation. */
  inFlightBytes = (): number => this.inFlight;

  /** An outage is one line at its begin and one at its end, however many requests it meets. */
  private noteAway(error: unknown): void {
    if (!this.away) this.log.warn({ err: error, inFlightBytes: this.inFlight }, 'receipts.log-away');
    this.away = true;
  }

  private noteBack(): void {
    if (this.away) this.log.info({ inFlightBytes: this.inFlight }, 'receipts.log-back');
    this.away = false;
  }
}

const unavailable = () =>
  new Problem('unavailable', 'The request could not be stored; nothing is lost if it is sent again.', {
    headers: { 'retry-after': '1' },
  });
