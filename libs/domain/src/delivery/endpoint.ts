import type { AttemptReason } from './outcome.ts';

/**
 * What is known of a receiver in trouble. One that works has none of this: its state is forgotten with the first delivered attempt.
 * All workers share it, so that a receiver that is down is probed by one of them and left alone by the others.
 */
export interface EndpointState {
  /** Attempts in a row that say the receiver is down. */
  failures: number;
  /** How often in a row the circuit opened; each pause is twice the last. */
  opened: number;
  /** Nothing is sent before; null = the circuit is closed. */
  openUntil: Date | null;
  /** The first attempt that failed after the last that was delivered. */
  failingSince: Date | null;
  /** When its owner was told that it is about to be disabled. */
  noticedAt: Date | null;
  disabled: {
    at: Date;
    reason: DisabledReason;
    /** Of the subscription: a newer one enables it again. */ revision: number;
  } | null;
}
export const disabledReasons = ['gone', 'failing'] as const;
export type DisabledReason = (typeof disabledReasons)[number];

export const healthyEndpoint = (): EndpointState => ({
  ...{ failures: 0, opened: 0, openUntil: null },
  ...{ failingSince: null, noticedAt: null, disabled: null },
});

/** One attempt, as it speaks of the receiver. */
export interface EndpointNews {
  reason: AttemptReason;
  at: Date;
  retryAfterSeconds: number | null;
  /** Of the subscription under which it was made. */
  revision: number;
}

export interface EndpointPolicy {
  /** Failures in a row that open the circuit. */
  openAfter: number;
  /** First pause; it doubles up to `longestPauseMs`. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** Failing for so long, the receiver is disabled; 0 = never. */
  disableAfterMs: number;
}

/** What others are told of a receiver. */
export type EndpointFact =
  | { kind: 'failing'; since: Date; disablesAt: Date }
  | { kind: 'disabled'; since: Date; reason: DisabledReason }
  | { kind: 'recovered'; since: Date };

/** Ours, not the receiver's: says nothing about it. */
const neutral = new Set<AttemptReason>(['proxy-failed', 'secret-unreadable', 'header-not-allowed']);
/** The receiver is there and refuses: sending less often would not change that. */
const refusals = new Set<AttemptReason>(['client-error', 'redirect', 'gone', 'address-not-allowed', 'url-not-allowed']);
const SPREAD = 0.2;
/** A receiver that asks for more is asked again after so long. */
const HELD_AT_MOST_MS = 3_600_000;

/**
 * The receiver after some attempts, in their order; undefined when nothing is wrong with it. `random` (0 ≤ r < 1) spreads the probes of
 * receivers that went down together.
 */
export function endpointAfter(
  before: EndpointState | undefined,
  news: readonly EndpointNews[],
  policy: EndpointPolicy,
  random: () => number,
): { state: EndpointState | undefined; facts: EndpointFact[] } {
  const facts: EndpointFact[] = [];
  let state = before;
  for (const one of news) {
    if (neutral.has(one.reason)) continue;
    if (one.reason === 'delivered') {
      if (state && (state.noticedAt || state.disabled)) facts.push({ kind: 'recovered', since: one.at });
      state = undefined;
    } else state = failed(enabledBy(state, one) ?? healthyEndpoint(), one, { policy, random, facts });
  }
  return { state, facts };
}

/** A disabled receiver whose subscription was changed since begins anew. */
const enabledBy = (state: EndpointState | undefined, { revision }: EndpointNews): EndpointState | undefined =>
  state?.disabled && revision > state.disabled.revision ? undefined : state;

interface Failing {
  policy: EndpointPolicy;
  random: () => number;
  facts: EndpointFact[];
}

function failed(state: EndpointState, one: EndpointNews, { policy, random, facts }: Failing): EndpointState {
  const since = state.failingSince ?? one.at;
  const next = { ...state, failingSince: since, ...circuitAfter(state, one, policy, random) };
  if (next.disabled) return next;
  const reason = disabledBy(one, since, policy);
  if (reason) {
    facts.push({ kind: 'disabled', since, reason });
    return { ...next, disabled: { at: one.at, reason, revision: one.revision } };
  }
  if (policy.disableAfterMs === 0 || next.noticedAt || one.at.getTime() - since.getTime() < policy.disableAfterMs / 2)
    return next;
  facts.push({ kind: 'failing', since, disablesAt: new Date(since.getTime() + policy.disableAfterMs) });
  return { ...next, noticedAt: one.at };
}

function disabledBy(one: EndpointNews, since: Date, { disableAfterMs }: EndpointPolicy): DisabledReason | undefined {
  if (one.reason === 'gone') return 'gone';
  return disableAfterMs > 0 && one.at.getTime() - since.getTime() >= disableAfterMs ? 'failing' : undefined;
}

function circuitAfter(
  state: EndpointState,
  one: EndpointNews,
  policy: EndpointPolicy,
  random: () => number,
): Pick<EndpointState, 'failures' | 'opened' | 'openUntil'> {
  const { failures, opened, openUntil } = state;
  if (one.retryAfterSeconds !== null && (one.reason === 'rate-limited' || one.reason === 'server-error')) {
    const until = new Date(one.at.getTime() + Math.min(one.retryAfterSeconds * 1000, HELD_AT_MOST_MS));
    return { failures: failures + 1, opened: Math.max(1, opened), openUntil: later(openUntil, until) };
  }
  if (refusals.has(one.reason)) return { failures: 0, opened: 0, openUntil: null };
  // What was in flight when the circuit opened comes back one by one: that is the same outage, not a longer one.
  if (openUntil && one.at < openUntil) return { failures: failures + 1, opened, openUntil };
  if (failures + 1 < policy.openAfter) return { failures: failures + 1, opened, openUntil: null };
  const pause = Math.min(policy.firstPauseMs * 2 ** Math.min(opened, 30), policy.longestPauseMs);
  const spread = 1 + SPREAD * (2 * random() - 1);
  return {
    failures: failures + 1,
    opened: opened + 1,
    openUntil: new Date(one.at.getTime() + Math.round(pause * spread)),
  };
}

const later = (a: Date | null, b: Date): Date => (a && a > b ? a : b);

/** Whether a receiver is disabled for a subscription of this revision. */
export const isDisabled = (disabledRevision: number | null, revision: number): boolean =>
  disabledRevision !== null && disabledRevision >= revision;

/** Product P13: said of receivers, and about whose own delivery nothing more is said. */
export const isMetaEvent = (eventType: string): boolean => /^(delivery|subscription|webhook)\./.test(eventType);
