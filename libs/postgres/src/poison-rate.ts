const WINDOW_MS = 60_000;
/** More dead letters a minute on one partition mean that not the records are wrong but this service or its database. */
export const POISON_LIMIT = 20;

/** Dead letters of one partition over the last minute. */
export class PoisonRate {
  private at: number[] = [];

  /** Whether `count` more would be too many. */
  wouldExceed(count: number, now: Date): boolean {
    this.at = this.at.filter((time) => time > now.getTime() - WINDOW_MS);
    return this.at.length + count > POISON_LIMIT;
  }

  note(count: number, now: Date): void {
    for (let i = 0; i < count; i++) this.at.push(now.getTime());
  }
}
