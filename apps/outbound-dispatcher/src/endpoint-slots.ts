/** How an attempt speaks of its receiver. */
export type SlotResult = 'good' | 'slow' | 'bad' | 'unknown';

export interface SlotBounds {
  /** Requests in flight at most. */
  max: number;
  /** … for one receiver that works. */
  perEndpoint: number;
}

interface Endpoint {
  busy: number;
  /** How many it may have: begins low, grows with each good answer, falls with each failure. */
  window: number;
  /** Whether it has answered well and quickly, the last time. */
  proven: boolean;
  /** How long its good answers take, the last ones most. */
  answerMs: number;
}

/** A receiver that nobody knows begins with so many. */
const FIRST_WINDOW = 4;
/** A failing one keeps so many. */
const LAST_WINDOW = 2;
/** Share of all slots that receivers may take together which are not known to answer well. */
const SUSPECTS_SHARE = 0.5;
/** … and those of one workspace. */
const SUSPECTS_SHARE_OF_WORKSPACE = 0.25;
/** … with the first requests of each. */
const FIRSTS_SHARE_OF_WORKSPACE = 0.4;
/** Share of all slots that one workspace may take. */
const WORKSPACE_SHARE = 0.75;

/**
 * Who may have how many requests in flight. Receivers that hang, however many they are and however much they are sent, together take at most
 * half of the slots, and one workspace at most three quarters: there is always room for those that answer.
 */
export class EndpointSlots {
  private total = 0;
  private suspects = 0;
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly ofWorkspace = new Map<string, { busy: number; suspects: number }>();

  constructor(private readonly bounds: SlotBounds) {}

  get max(): number {
    return this.bounds.max;
  }

  get inFlight(): number {
    return this.total;
  }

  get room(): number {
    return this.bounds.max - this.total;
  }

  /** How many more requests a receiver may have. `own` is its own bound, where it has one. */
  free(id: string, workspaceId: string, own: number | null = null): number {
    const { max, perEndpoint } = this.bounds;
    const { busy = 0, window = FIRST_WINDOW, proven = false } = this.endpoints.get(id) ?? {};
    const workspace = this.ofWorkspace.get(workspaceId) ?? { busy: 0, suspects: 0 };
    const bounds = [
      Math.min(window, own ?? perEndpoint, perEndpoint) - busy,
      this.room,
      share(max, WORKSPACE_SHARE) - workspace.busy,
    ];
    if (proven) return Math.max(0, Math.min(...bounds));
    bounds.push(share(max, SUSPECTS_SHARE) - this.suspects);
    // The first request of a receiver has room of its own: else those that hang would keep others from ever being known as good.
    const first = busy === 0 && workspace.suspects < share(max, FIRSTS_SHARE_OF_WORKSPACE) ? 1 : 0;
    bounds.push(Math.max(first, share(max, SUSPECTS_SHARE_OF_WORKSPACE) - workspace.suspects));
    return Math.max(0, Math.min(...bounds));
  }

  /** How many requests a receiver answers within so long, if it goes on as it did; 0 where it is not known to answer well and quickly. */
  within(id: string, ms: number): number {
    const { proven, window, answerMs } = this.endpoints.get(id) ?? fresh();
    return proven ? Math.ceil((window * ms) / Math.max(1, answerMs)) : 0;
  }

  /** Takes a slot. @returns what gives it back, once */
  take(id: string, workspaceId: string): (result: SlotResult, tookMs?: number) => void {
    const endpoint = this.endpoints.get(id) ?? fresh();
    this.endpoints.set(id, endpoint);
    const workspace = this.ofWorkspace.get(workspaceId) ?? { busy: 0, suspects: 0 };
    this.ofWorkspace.set(workspaceId, workspace);
    const suspect = endpoint.proven ? 0 : 1;
    endpoint.busy += 1;
    this.total += 1;
    this.suspects += suspect;
    workspace.busy += 1;
    workspace.suspects += suspect;
    return (result, tookMs = 0) => {
      endpoint.busy -= 1;
      this.total -= 1;
      this.suspects -= suspect;
      workspace.busy -= 1;
      workspace.suspects -= suspect;
      if (workspace.busy === 0) this.ofWorkspace.delete(workspaceId);
      this.learn(endpoint, result, tookMs);
    };
  }

  private learn(endpoint: Endpoint, result: SlotResult, tookMs: number): void {
    if (result === 'unknown') return;
    endpoint.answerMs += (tookMs - endpoint.answerMs) * (endpoint.proven ? 0.1 : 1);
    endpoint.proven = result === 'good';
    if (result === 'bad') endpoint.window = Math.max(LAST_WINDOW, Math.floor(endpoint.window / 2));
    else endpoint.window = Math.min(this.bounds.perEndpoint, endpoint.window + 1);
  }

  /** Forgets receivers of subscriptions that are gone. */
  keep(exists: (id: string) => boolean): void {
    for (const [id, { busy }] of this.endpoints) if (busy === 0 && !exists(id)) this.endpoints.delete(id);
  }
}

const fresh = (): Endpoint => ({ busy: 0, window: FIRST_WINDOW, proven: false, answerMs: 0 });
const share = (max: number, part: number): number => Math.max(1, Math.floor(max * part));
