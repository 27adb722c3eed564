import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endpointAfter,
  healthyEndpoint,
  isDisabled,
  isMetaEvent,
  type EndpointFact,
  type EndpointNews,
  type EndpointPolicy,
  type EndpointState,
} from './endpoint.ts';
import { attemptReasons, type AttemptReason } from './outcome.ts';

const DAY = 86_400_000;
const start = Date.parse('2026-01-01T00:00:00.000Z');
const policy: EndpointPolicy = { openAfter: 3, firstPauseMs: 5_000, longestPauseMs: 300_000, disableAfterMs: 4 * DAY };
const middle = () => 0.5;
const news = (reason: AttemptReason, atMs = 0, changes: Partial<EndpointNews> = {}): EndpointNews => ({
  ...{ reason, at: new Date(start + atMs), retryAfterSeconds: null, revision: 1 },
  ...changes,
});
const after = (all: EndpointNews[], before?: EndpointState) => endpointAfter(before, all, policy, middle);
const untilMs = (state: EndpointState | undefined) => (state?.openUntil?.getTime() ?? Number.NaN) - start;
const kinds = (facts: EndpointFact[]) => facts.map(({ kind }) => kind);

describe('the circuit of a receiver', () => {
  it('opens after some failures in a row, for twice as long each time, up to a longest pause', () => {
    expect(after([news('timeout'), news('server-error')]).state?.openUntil).toBeNull();
    let { state } = after([news('timeout'), news('server-error'), news('connection-refused')]);
    expect([untilMs(state), state?.opened]).toEqual([5_000, 1]);
    ({ state } = after([news('timeout', 5_000)], state));
    expect([untilMs(state), state?.opened]).toEqual([15_000, 2]);
    for (let round = 0; round < 40; round += 1) ({ state } = after([news('timeout', untilMs(state))], state));
    const previous = untilMs(state);
    ({ state } = after([news('timeout', previous)], state));
    expect(untilMs(state) - previous).toBe(300_000);
  });

  it('is not opened for longer by what was still in flight when it opened', () => {
    const { state } = after([news('timeout'), news('timeout'), news('timeout')]);
    expect(untilMs(after([news('timeout', 100), news('timeout', 200)], state).state)).toBe(5_000);
  });

  it('is closed and forgotten by one delivered attempt', () => {
    const { state } = after([news('timeout'), news('timeout'), news('timeout')]);
    expect(after([news('delivered', 5_000)], state)).toEqual({ state: undefined, facts: [] });
    expect(after([news('delivered')])).toEqual({ state: undefined, facts: [] });
  });

  it('stays closed for a receiver that is there and refuses', () => {
    const refusing = Array.from({ length: 20 }, () => news('client-error'));
    expect(after(refusing).state).toMatchObject({ failures: 0, openUntil: null, failingSince: new Date(start) });
  });

  it('is held open for as long as the receiver asks, an hour at most', () => {
    expect(untilMs(after([news('rate-limited', 0, { retryAfterSeconds: 90 })]).state)).toBe(90_000);
    expect(untilMs(after([news('server-error', 0, { retryAfterSeconds: 7_200 })]).state)).toBe(3_600_000);
    expect(after([news('client-error', 0, { retryAfterSeconds: 90 })]).state?.openUntil).toBeNull();
  });

  it('is spread so that receivers which went down together are not probed together', () => {
    const failing = [news('timeout'), news('timeout'), news('timeout')];
    expect(untilMs(endpointAfter(undefined, failing, policy, () => 0).state)).toBe(4_000);
    expect(untilMs(endpointAfter(undefined, failing, policy, () => 1).state)).toBe(6_000);
  });

  it.each<AttemptReason>(['proxy-failed', 'secret-unreadable', 'header-not-allowed'])(
    'learns nothing from %s, which is our own trouble',
    (reason) => expect(after([news(reason), news(reason), news(reason), news(reason)]).state).toBeUndefined(),
  );
});

describe('a receiver that fails for long', () => {
  it('is warned of half-way, once, then disabled; one success takes everything back', () => {
    let { state, facts } = after([news('server-error')]);
    expect(facts).toEqual([]);
    ({ state, facts } = after([news('server-error', 2 * DAY)], state));
    expect(facts).toEqual([{ kind: 'failing', since: new Date(start), disablesAt: new Date(start + 4 * DAY) }]);
    ({ state, facts } = after([news('server-error', 3 * DAY)], state));
    expect(facts).toEqual([]);
    ({ state, facts } = after([news('server-error', 4 * DAY, { revision: 7 })], state));
    expect(facts).toEqual([{ kind: 'disabled', since: new Date(start), reason: 'failing' }]);
    expect(state?.disabled).toMatchObject({ reason: 'failing', revision: 7 });
    ({ state, facts } = after([news('delivered', 5 * DAY)], state));
    expect([state, kinds(facts)]).toEqual([undefined, ['recovered']]);
  });

  it('is disabled at once by 410', () => {
    const { state, facts } = after([news('gone')]);
    expect(kinds(facts)).toEqual(['disabled']);
    expect(state?.disabled?.reason).toBe('gone');
  });

  it('is never disabled for time where that is off', () => {
    const never = { ...policy, disableAfterMs: 0 };
    const { state } = endpointAfter(undefined, [news('timeout')], never, middle);
    expect(endpointAfter(state, [news('timeout', 900 * DAY)], never, middle).facts).toEqual([]);
  });

  it('begins anew when its subscription was changed since', () => {
    const { state } = after([news('gone')]);
    const changed = after([news('timeout', 9 * DAY, { revision: 2 })], state);
    expect(changed.facts).toEqual([]);
    expect(changed.state).toMatchObject({ disabled: null, failures: 1, failingSince: new Date(start + 9 * DAY) });
    expect([isDisabled(3, 3), isDisabled(3, 4), isDisabled(null, 1)]).toEqual([true, false, false]);
  });
});

describe('any history of attempts', () => {
  const one = fc.record({
    reason: fc.constantFrom(...attemptReasons),
    wait: fc.nat({ max: DAY }),
    retryAfterSeconds: fc.option(fc.nat({ max: 100_000 })),
  });

  it('gives the same state however it is cut into transactions, and never opens a circuit without an end', () =>
    fc.assert(
      fc.property(fc.array(one, { maxLength: 40 }), fc.nat({ max: 40 }), (steps, cut) => {
        let at = 0;
        const history = steps.map(({ reason, wait, retryAfterSeconds }) =>
          news(reason, (at += wait), { retryAfterSeconds }),
        );
        const whole = after(history);
        const first = after(history.slice(0, cut));
        const second = after(history.slice(cut), first.state);
        expect({ state: second.state, facts: [...first.facts, ...second.facts] }).toEqual(whole);
        const { state } = whole;
        if (state?.openUntil) expect(state.openUntil.getTime() - start - at).toBeLessThanOrEqual(3_600_000);
        if (state) expect(state.failingSince).not.toBeNull();
      }),
    ));
});

describe('what is said of receivers', () => {
  it('is told apart from what is said of incidents', () =>
    expect(
      ['delivery.exhausted', 'subscription.disabled', 'webhook.locked_out', 'incident.created'].map(isMetaEvent),
    ).toEqual([true, true, true, false]));

  it('is nothing for one that works', () => expect(healthyEndpoint()).toMatchObject({ failures: 0, disabled: null }));
});
