import type { Logger } from '@tocsin/nest-shell';
import type { LimitedWebhook, LimitKind, LimitStore } from './limit-store.ts';
import { MemoryWindow } from './memory-window.ts';

/** Over the limit: when it is worth to come again. */
export interface Refusal {
  limit: number;
  windowSeconds: number;
  retryMs: number;
}
/** Undefined = go on. */
export type LimitVerdict = Refusal | undefined;

export interface WindowLimiterOptions {
  kind: LimitKind;
  /** A sixtieth of the window, in milliseconds. */
  sliceMs: number;
  /** How long a gateway may sit on what it was granted and has not used. */
  leaseMs: number;
  /** Gateways that share a limit while the store is away. */
  replicas: number;
  now: () => number;
  log: Logger;
}

interface State {
  webhook: LimitedWebhook;
  limit: number;
  tokens: number;
  bucket: string;
  until: number;
  /** Not asked again before; for requests of this cost and dearer ones. */
  blockedUntil: number;
  blockedCost: number;
  retryAt: number;
  debt: number;
  memory: MemoryWindow;
  asking: Promise<void> | undefined;
}

const SLICES = 60;
const WEBHOOKS_MAX = 100_000;
const ASK_DEADLINE_MS = 300;
const AWAY_MS = 1_000;
const BLOCKED_MS = 1_000;

/**
 * A sliding window per webhook that all gateways share. Grants come in chunks, so that most requests cost no query; unused ones go back
 * after `leaseMs`. While the store is away each gateway counts for itself and reports it later: a limit never stops ingestion.
 */
export class WindowLimiter {
  private readonly states = new Map<string, State>();
  private awayUntil = -Infinity;
  private away = false;

  constructor(
    private readonly store: LimitStore | undefined,
    private readonly options: WindowLimiterOptions,
  ) {}

  /** Whether the window is known to be full, without counting anything. */
  full(webhookId: string, limit: number): LimitVerdict {
    const state = this.states.get(webhookId);
    return state && state.limit === limit ? this.refusalFor(state, 1) : undefined;
  }

  /** Counts `cost`; more than the whole limit at once counts as the whole limit, so that it passes an empty window. */
  take(webhook: LimitedWebhook, limit: number, wanted: number): LimitVerdict | Promise<LimitVerdict> {
    const state = this.stateOf(webhook, limit);
    const cost = Math.min(wanted, limit);
    if (this.spend(state, cost)) return undefined;
    return this.refusalFor(state, cost) ?? this.asked(state, cost);
  }

  /** Gives back what was granted and not used in time. */
  async settle(): Promise<void> {
    const now = this.options.now();
    for (const state of this.states.values()) {
      const idle = now >= state.until && (state.tokens > 0 || state.debt > 0);
      if (idle && !state.asking && now >= this.awayUntil) await this.ask(state, 0);
    }
  }

  private async asked(state: State, cost: number): Promise<LimitVerdict> {
    for (;;) {
      if (!this.store || this.options.now() < this.awayUntil) return this.insured(state, cost);
      await (state.asking ?? this.ask(state, cost));
      if (this.spend(state, cost)) return undefined;
      const refusal = this.refusalFor(state, cost);
      if (refusal) return refusal;
    }
  }

  private ask(state: State, cost: number): Promise<void> {
    state.asking = this.refill(state, cost).finally(() => (state.asking = undefined));
    return state.asking;
  }

  private async refill(state: State, wanted: number): Promise<void> {
    const { kind, sliceMs, leaseMs, now } = this.options;
    if (!this.store) return;
    const { tokens, bucket, debt } = state;
    state.tokens = 0;
    state.debt = 0;
    try {
      const want = { kind, limit: state.limit, sliceMs, wanted, spent: debt, returned: { tokens, bucket } };
      const grant = await within(ASK_DEADLINE_MS, this.store.take(state.webhook, want));
      state.tokens = grant.granted;
      state.bucket = grant.bucket;
      state.until = now() + leaseMs;
      if (wanted > 0 && grant.granted === 0) {
        state.blockedCost = wanted;
        state.retryAt = now() + grant.retryMs;
        state.blockedUntil = now() + Math.min(grant.retryMs, BLOCKED_MS);
      } else if (wanted > 0) state.blockedUntil = -Infinity;
      this.noteBack();
    } catch (error) {
      state.debt += debt;
      this.awayUntil = now() + AWAY_MS;
      this.noteAway(error);
    }
  }

  private spend(state: State, cost: number): boolean {
    if (state.tokens < cost || this.options.now() >= state.until) return false;
    state.tokens -= cost;
    state.memory.add(this.options.now(), cost);
    return true;
  }

  private insured(state: State, cost: number): LimitVerdict {
    const now = this.options.now();
    const share = Math.max(1, Math.floor(state.limit / this.options.replicas));
    const retryMs = state.memory.retryMs(now, share, Math.min(cost, share));
    if (retryMs > 0) return this.refusal(state, retryMs);
    state.memory.add(now, cost);
    state.debt += cost;
    return undefined;
  }

  private refusalFor(state: State, cost: number): LimitVerdict {
    const now = this.options.now();
    return now < state.blockedUntil && cost >= state.blockedCost ? this.refusal(state, state.retryAt - now) : undefined;
  }

  private refusal = ({ limit }: State, retryMs: number): Refusal => ({
    limit,
    retryMs,
    windowSeconds: (this.options.sliceMs * SLICES) / 1_000,
  });

  private stateOf(webhook: LimitedWebhook, limit: number): State {
    const known = this.states.get(webhook.id);
    if (known?.limit === limit) return known;
    if (known) return Object.assign(known, { limit, blockedUntil: -Infinity });
    if (this.states.size >= WEBHOOKS_MAX) this.states.clear();
    const fresh: State = {
      webhook: { id: webhook.id, workspaceId: webhook.workspaceId },
      limit,
      tokens: 0,
      bucket: '0',
      until: -Infinity,
      blockedUntil: -Infinity,
      blockedCost: 0,
      retryAt: 0,
      debt: 0,
      memory: new MemoryWindow(this.options.sliceMs, SLICES),
      asking: undefined,
    };
    this.states.set(webhook.id, fresh);
    return fresh;
  }

  private noteAway(error: unknown): void {
    if (!this.away) this.options.log.warn({ err: error, kind: this.options.kind }, 'limits.store-away');
    this.away = true;
  }

  private noteBack(): void {
    if (this.away) this.options.log.info({ kind: this.options.kind }, 'limits.store-back');
    this.away = false;
  }
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined); // a late failure was answered already
  }
}
