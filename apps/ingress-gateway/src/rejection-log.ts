import type { Logger } from '@tocsin/nest-shell';

const MINUTE_MS = 60_000;
const KEYS_MAX = 10_000;

/** Logs refused requests: the first per webhook, reason and minute, with the count of those left out since (product P7). */
export class RejectionLog {
  private readonly since = new Map<string, { from: number; left: number }>();

  constructor(private readonly log: Logger) {}

  note(webhookId: string, reason: string, now: number): void {
    const key = `${webhookId} ${reason}`;
    const seen = this.since.get(key);
    if (seen && now - seen.from < MINUTE_MS) {
      seen.left += 1;
      return;
    }
    this.log.warn({ webhookId, reason, leftOut: seen?.left ?? 0 }, 'request.rejected');
    if (this.since.size >= KEYS_MAX) this.since.clear();
    this.since.set(key, { from: now, left: 0 });
  }
}
