/** A sliding window in memory, in slices as the store has them: the slice that is leaving counts with the share still inside. */
export class MemoryWindow {
  private readonly used = new Map<number, number>();

  constructor(
    private readonly sliceMs: number,
    private readonly slices: number,
  ) {}

  add(now: number, cost: number): void {
    const slice = Math.floor(now / this.sliceMs);
    const before = this.used.get(slice);
    this.used.set(slice, (before ?? 0) + cost);
    if (before === undefined) this.forget(slice - this.slices);
  }

  /** 0 where `cost` fits below `limit` now, else the milliseconds until it does. */
  retryMs(now: number, limit: number, cost: number): number {
    const first = Math.floor(now / this.sliceMs) - this.slices;
    this.forget(first);
    const leaving = 1 - (now / this.sliceMs - Math.floor(now / this.sliceMs));
    const shares = [...this.used]
      .sort(([a], [b]) => a - b)
      .map(([slice, used]) => ({ slice, share: slice === first ? used * leaving : used }));
    let missing = cost - (limit - shares.reduce((sum, { share }) => sum + share, 0));
    if (missing <= 1e-9) return 0;
    for (const { slice, share } of shares) {
      const from = Math.max(now, (slice + this.slices) * this.sliceMs);
      const to = (slice + this.slices + 1) * this.sliceMs;
      if (share >= missing) return Math.max(1, Math.ceil(from - now + ((to - from) * missing) / share));
      missing -= share;
    }
    return this.slices * this.sliceMs;
  }

  private forget(first: number): void {
    for (const slice of this.used.keys()) if (slice < first) this.used.delete(slice);
  }
}
