import { setTimeout as pause } from 'node:timers/promises';
import type { EventLog } from '@tocsin/event-log';

const AGAIN_MS = 250;

/**
 * Whether this process reaches the event log. Once it does not, the log is asked in the background until it answers; without anything to ask,
 * an append that works is the sign.
 */
export class LogWatch {
  private failure: unknown;
  private asking = false;
  private closed = false;

  constructor(
    private readonly eventLog: Pick<EventLog, 'offsets'> | undefined,
    private readonly onChange: () => void,
  ) {}

  isAway = (): boolean => this.failure !== undefined;

  /** Why it is away. */
  reason = (): unknown => this.failure;

  failed(error: unknown): void {
    const first = this.failure === undefined;
    this.failure ??= error;
    if (!first) return;
    this.onChange();
    void this.ask();
  }

  worked(): void {
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.onChange();
  }

  close(): void {
    this.closed = true;
  }

  private async ask(): Promise<void> {
    const { eventLog } = this;
    if (this.asking || !eventLog) return;
    this.asking = true;
    while (this.isAway() && !this.closed) {
      await pause(AGAIN_MS);
      // The leaders of the partitions have to answer, as for an append.
      await eventLog.offsets('webhook.received').then(
        () => this.worked(),
        () => undefined,
      );
    }
    this.asking = false;
  }
}
