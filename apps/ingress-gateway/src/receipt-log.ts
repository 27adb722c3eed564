import { EventLogError, type EventLog } from '@tocsin/event-log';
import { Problem, type Logger } from '@tocsin/nest-shell';
import { LogWatch } from './spool/log-watch.ts';
import type { SpoolWriter } from './spool/spool-writer.ts';
import type { Receipt } from './spool/spool-store.ts';

/** What a record costs in memory beside its body: headers, promises, driver bookkeeping. */
const RECORD_OVERHEAD_BYTES = 2_048;
/** How long the spool may take; less where the log was waited for before (500 ms by default), so that a sender is answered within a second. */
const SPOOL_MS = 600;
const SPOOL_AFTER_LOG_MS = 400;
/** The log and the spool in turns, where each says to try the other. */
const TRIES_MAX = 4;

export interface ReceiptLogLimits {
  /** Milliseconds for the log to confirm. */
  deadlineMs: number;
  inFlightBytes: number;
}

/** Where receipts go while the log is away. */
export interface Spool {
  put: SpoolWriter['put'];
  state: SpoolWriter['state'];
  /** Receipts may be in there, of any gateway, so that what follows them must go there, too. */
  isOpen(): boolean;
  /** The log went away or came back. */
  logChanged(): void;
}

interface Pending {
  receipt: Receipt;
  bytes: number;
  since: number;
  tries: number;
  triedLog: boolean;
  resolve: () => void;
  reject: (problem: Problem) => void;
}

/**
 * Makes receipts durable within a deadline and with bounded memory: in the log, and in the spool while the log is away or anything is left
 * in the spool, so that the order of a webhook is kept (decision 21). A record counts as in flight until the log itself settles it, also
 * after its sender was answered: it may still arrive, which is harmless.
 */
export class ReceiptLog {
  /** Of the log: why it is away, and whether it is. */
  readonly watch: LogWatch;
  private readonly pending = new Set<Pending>();
  private inFlight = 0;
  private timer: NodeJS.Timeout | undefined;
  private outage: { since: number; spooled: number; refused: number; drained: number } | undefined;

  constructor(
    private readonly eventLog: Pick<EventLog, 'append' | 'offsets'>,
    private readonly limits: ReceiptLogLimits,
    private readonly log: Logger,
    private readonly spool?: Spool,
  ) {
    this.watch = new LogWatch(spool && eventLog, () => {
      this.review();
      spool?.logChanged();
    });
  }

  /** Resolves when the receipt is durable. @throws Problem `unavailable` */
  append(receipt: Receipt): Promise<void> {
    return new Promise((resolve, reject) => {
      const bytes = receipt.record.value.length + RECORD_OVERHEAD_BYTES;
      this.route({ receipt, bytes, since: 0, tries: 0, triedLog: false, resolve, reject });
    });
  }

  /** Whether receipts can be taken: by the log, or by the spool in its place. */
  canAccept = (): boolean =>
    this.spool?.state() === 'ready' || (!this.watch.isAway() && this.spool?.state() !== 'full');

  /** Bytes that wait for the log's confirmation. */
  inFlightBytes = (): number => this.inFlight;

  /** The spool was emptied by so much. */
  drained(count: number): void {
    if (this.outage) this.outage.drained += count;
  }

  /** An outage is one line at its begin and one at its end, however many requests it meets. */
  review(): void {
    const out = this.watch.isAway() || this.spool?.isOpen() === true;
    if (out && !this.outage) {
      this.outage = { since: performance.now(), spooled: 0, refused: 0, drained: 0 };
      const noticedBy = this.watch.isAway() ? 'this gateway' : 'another gateway';
      const spool = this.spool?.state() ?? 'none';
      this.log.warn({ err: this.watch.reason(), noticedBy, inFlightBytes: this.inFlight, spool }, 'receipts.log-away');
    } else if (!out && this.outage) {
      const { since, ...counts } = this.outage;
      this.outage = undefined;
      const seconds = Math.round(performance.now() - since) / 1_000;
      this.log.info({ seconds, ...counts, inFlightBytes: this.inFlight }, 'receipts.log-back');
    }
  }

  private route(pending: Pending): void {
    if (++pending.tries > TRIES_MAX) return this.refuse(pending);
    if (this.spool && (this.watch.isAway() || this.spool.isOpen())) this.toSpool(pending, this.spool);
    else this.toLog(pending);
  }

  private toLog(pending: Pending): void {
    if (this.inFlight + pending.bytes > this.limits.inFlightBytes) {
      if (!this.spool || pending.triedLog) return this.refuse(pending);
      this.watch.failed(new Error(`${this.inFlight} bytes wait for the log already`));
      return this.toSpool(pending, this.spool);
    }
    this.inFlight += pending.bytes;
    pending.triedLog = true;
    pending.since = performance.now();
    this.pending.add(pending);
    this.timer ??= setTimeout(() => this.sweep(), this.limits.deadlineMs);
    this.eventLog.append([pending.receipt.record]).then(
      () => {
        this.settled(pending);
        this.watch.worked();
        pending.resolve();
      },
      (error: unknown) => this.failed(pending, error),
    );
  }

  private settled(pending: Pending): void {
    this.inFlight -= pending.bytes;
    this.pending.delete(pending);
  }

  private failed(pending: Pending, error: unknown): void {
    const waits = this.pending.has(pending);
    this.settled(pending);
    // What was answered before says nothing about the log of now.
    if (!waits) return;
    if (error instanceof EventLogError && error.code === 'record-too-large') return this.refuse(pending);
    this.watch.failed(error);
    if (!this.spool) return this.refuse(pending);
    this.toSpool(pending, this.spool);
    this.handOver();
  }

  /** One timer for all: the oldest comes first. */
  private sweep(): void {
    this.timer = undefined;
    const due = performance.now() - this.limits.deadlineMs;
    const late = new Error('no confirmation within the deadline');
    for (const pending of this.pending) {
      if (pending.since > due) {
        this.timer = setTimeout(() => this.sweep(), Math.max(1, pending.since - due));
        return;
      }
      this.watch.failed(late);
      if (this.spool) return this.handOver();
      this.pending.delete(pending);
      this.refuse(pending);
    }
  }

  /** What waits for the log goes to the spool at once and in order, before anything that comes later. */
  private handOver(): void {
    const { spool } = this;
    if (!spool) return;
    const waiting = [...this.pending];
    this.pending.clear();
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const pending of waiting) this.toSpool(pending, spool);
  }

  private toSpool(pending: Pending, spool: Spool): void {
    if (spool.state() !== 'ready') return this.withoutSpool(pending, spool);
    spool.put(pending.receipt, pending.triedLog ? SPOOL_AFTER_LOG_MS : SPOOL_MS).then(
      (answer) => {
        if (answer === 'closed') return this.route(pending);
        if (this.outage) this.outage.spooled += 1;
        pending.resolve();
      },
      () => this.withoutSpool(pending, spool),
    );
  }

  /** Without its database the spool keeps nobody from the log; a full or a slow one does: what is in it comes first. */
  private withoutSpool(pending: Pending, spool: Spool): void {
    if (spool.state() === 'away' && !this.watch.isAway() && !pending.triedLog) this.toLog(pending);
    else this.refuse(pending);
  }

  private refuse(pending: Pending): void {
    if (this.outage) this.outage.refused += 1;
    pending.reject(unavailable());
  }

  /** Ends what runs in the background. */
  close(): void {
    this.watch.close();
    clearTimeout(this.timer);
  }
}

const unavailable = () =>
  new Problem('unavailable', 'The request could not be stored; nothing is lost if it is sent again.', {
    headers: { 'retry-after': '1' },
  });
