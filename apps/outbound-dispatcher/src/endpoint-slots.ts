/**
 * Who may have how many requests in flight. A receiver that fails keeps two slots until it answers well again, so that
 * many hanging receivers together cannot fill the process either.
 */
export class EndpointSlots {
  private total = 0;
  private readonly busy = new Map<string, number>();
  private readonly failing = new Set<string>();

  constructor(
    private readonly max: number,
    private readonly perEndpoint: number,
  ) {}

  get inFlight(): number {
    return this.total;
  }

  get room(): number {
    return this.max - this.total;
  }

  free(endpoint: string): number {
    const own = this.failing.has(endpoint) ? Math.min(SLOTS_WHILE_FAILING, this.perEndpoint) : this.perEndpoint;
    return Math.max(0, Math.min(own - (this.busy.get(endpoint) ?? 0), this.room));
  }

  take(endpoint: string): void {
    this.total += 1;
    this.busy.set(endpoint, (this.busy.get(endpoint) ?? 0) + 1);
  }

  release(endpoint: string, result: 'good' | 'bad' | 'unknown'): void {
    this.total -= 1;
    const left = (this.busy.get(endpoint) ?? 1) - 1;
    if (left > 0) this.busy.set(endpoint, left);
    else this.busy.delete(endpoint);
    if (result === 'good') this.failing.delete(endpoint);
    if (result === 'bad') this.failing.add(endpoint);
  }
}

const SLOTS_WHILE_FAILING = 2;
