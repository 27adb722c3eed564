import type { Deadline } from '../incident/index.ts';

const MINUTE = 60_000;

/** When alerts are over unless they are heard of again, filed by the minute. */
export class Deadlines {
  private readonly of = new Map<string, Deadline>();
  private readonly minutes = new Map<number, Set<string>>();

  set(alertId: string, deadline: Deadline | null): void {
    const before = this.of.get(alertId);
    if (before) this.minutes.get(this.minuteOf(before))?.delete(alertId);
    this.of.delete(alertId);
    if (!deadline) return;
    this.of.set(alertId, deadline);
    const minute = this.minuteOf(deadline);
    const filed = this.minutes.get(minute);
    if (filed) filed.add(alertId);
    else this.minutes.set(minute, new Set([alertId]));
  }

  /** Those that are over at `now`, in the order of their deadlines; they are forgotten. */
  due(now: string): { alertId: string; deadline: Deadline }[] {
    const minute = Math.floor(Date.parse(now) / MINUTE);
    const due: { alertId: string; deadline: Deadline }[] = [];
    for (const [filed, alertIds] of this.minutes) {
      if (filed > minute) continue;
      for (const alertId of alertIds) {
        const deadline = this.of.get(alertId);
        if (deadline && deadline.at > now) continue; // later in this minute
        if (deadline) due.push({ alertId, deadline });
        this.of.delete(alertId);
        alertIds.delete(alertId);
      }
      if (alertIds.size === 0) this.minutes.delete(filed);
    }
    return due.sort((a, b) => (a.deadline.at < b.deadline.at ? -1 : 1));
  }

  private minuteOf = ({ at }: Deadline): number => Math.floor(Date.parse(at) / MINUTE);
}
