/** What the database said of the spool: whether it is open, and how often it has been closed before. */
export interface GateState {
  generation: number;
  spooling: boolean;
}

/** Before anything was heard nothing is refused for being out of date. */
const UNHEARD: GateState = { generation: Number.MAX_SAFE_INTEGER, spooling: false };

/**
 * What this process knows of the gate that all gateways share. Answers come over several connections, so an older one may come later:
 * it changes nothing.
 */
export class SpoolGate {
  private state: GateState = UNHEARD;

  constructor(private readonly onChange: () => void = () => undefined) {}

  /** Whether receipts may be in the spool, so that what follows them must go there, too. */
  isOpen = (): boolean => this.state.spooling;

  get generation(): number {
    return this.state.generation;
  }

  /** @param first the answer on a fresh session holds as it is: the database may be another one, restored from a copy */
  heard(news: GateState, first = false): void {
    const { generation, spooling } = this.state;
    const newer = news.generation > generation || (news.generation === generation && news.spooling && !spooling);
    if (!first && this.state !== UNHEARD && !newer) return;
    const changed = news.spooling !== spooling;
    this.state = news;
    if (changed) this.onChange();
  }
}
