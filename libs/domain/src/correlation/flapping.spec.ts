import type { NormalizedAlert } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
import { RestartableStore } from './restartable-store.ts';
import { aConfig, aFact, anAlert, minute, Scenario } from './scenario.ts';
import { WorkingSet } from './working-set.ts';

let count = 0;
const fires = (at: number, key = 'a'): NormalizedAlert => anAlert(`f${count++}`, at, { key });
const ends = (at: number, key = 'a'): NormalizedAlert => anAlert(`e${count++}`, at, { key, status: 'resolved' });
/** Fires and ends in turn, once a minute from minute 0. */
const turns = (n: number, key = 'a'): NormalizedAlert[] =>
  Array.from({ length: n }, (_, at) => (at % 2 === 0 ? fires(at, key) : ends(at, key)));
const stepOf = ({ why }: Correlated) => why.tried.find(({ step }) => step === 'flapping');

describe('a key that changes four times in ten minutes', () => {
  it('flaps: what it does is told five minutes later, and the why says so', () => {
    const scene = new Scenario().given(...turns(4));
    const fourth = scene.alert(fires(4));
    expect(fourth.holdUntil).toBe(minute(9));
    expect(stepOf(fourth)).toEqual({
      step: 'flapping',
      result: 'hit',
      evidence: { toggles: 4, of: 4, windowMinutes: 10, firstToggleAt: minute(1), holdUntil: minute(9) },
    });
  });

  it('is not said to flap before that', () => {
    const scene = new Scenario();
    const answers = turns(4).map((alert) => scene.alert(alert));
    expect(answers.map(({ holdUntil }) => holdUntil)).toEqual([undefined, undefined, undefined, undefined]);
    expect(stepOf(answers[3]!)).toMatchObject({
      result: 'miss',
      detail: 'few-toggles',
      evidence: { toggles: 3, of: 4 },
    });
    expect(stepOf(answers[0]!)).toBeUndefined();
  });

  it('keeps the end of its hold while it goes on, so that somebody hears of a key that never rests; then it holds again', () => {
    const scene = new Scenario().given(...turns(4));
    const untils = [4, 5, 6, 7, 8, 9, 10].map((at) => scene.alert(at % 2 === 0 ? fires(at) : ends(at)).holdUntil);
    expect(untils).toEqual([9, 9, 9, 9, 9, 14, 14].map((at) => minute(at)));
  });

  it('holds repeats, too, and nothing once it has rested', () => {
    const scene = new Scenario().given(...turns(5));
    expect(scene.alert(fires(6)).holdUntil).toBe(minute(9));
    expect(scene.alert(fires(9)).holdUntil).toBeUndefined();
    expect(scene.alert(fires(30)).holdUntil).toBeUndefined();
    expect(scene.alert(ends(31)).holdUntil).toBeUndefined();
  });

  it('does not hold other keys, of the same incident either', () => {
    const scene = new Scenario().given(...turns(5));
    expect(scene.alert(fires(5, 'b')).holdUntil).toBeUndefined();
  });

  it('still flaps where each firing opens an incident of its own', () => {
    const scene = new Scenario(aConfig({ reopenMinutes: 0 }));
    const answers: Correlated[] = [];
    turns(5).forEach((alert, at) => {
      const answer = scene.alert(alert);
      answers.push(answer);
      if (answer.decision.kind === 'resolved')
        scene.fact(aFact(answer.decision.incidentId, 2, at, { kind: 'closed' }, ['a']));
    });
    expect(answers.map(({ decision }) => decision.kind)).toEqual([
      'opened',
      'resolved',
      'opened',
      'resolved',
      'opened',
    ]);
    expect(answers[4]?.holdUntil).toBe(minute(9));
  });

  it('changes at a slower pace do not count', () => {
    const scene = new Scenario();
    const slow = Array.from({ length: 12 }, (_, n) => (n % 2 === 0 ? fires(n * 4) : ends(n * 4)));
    expect(slow.map((alert) => scene.alert(alert).holdUntil).every((until) => until === undefined)).toBe(true);
  });

  it('a close by a person is no change of the source', () => {
    const scene = new Scenario().given(fires(0));
    const first = scene.state.changes().incidents[0]?.incidentId ?? '';
    for (let at = 1; at < 9; at++) {
      scene.fact(aFact(first, at + 1, at, { kind: 'closed' }, ['a']));
      expect(scene.alert(fires(at)).holdUntil).toBeUndefined();
    }
  });
});

describe('the policy of a workspace', () => {
  const withPolicy = (holdMinutes: number, toggles = 4): CorrelationConfig => ({
    ...aConfig(),
    flapping: { toggles, windowMinutes: 10, holdMinutes },
  });

  it('says how many changes, and for how long', () => {
    const scene = new Scenario(withPolicy(2, 2)).given(...turns(2));
    expect(scene.alert(fires(2)).holdUntil).toBe(minute(4));
  });

  it('of no minutes never holds', () => {
    const scene = new Scenario(withPolicy(0));
    const answers = turns(9).map((alert) => scene.alert(alert));
    expect(answers.every((answer) => answer.holdUntil === undefined && stepOf(answer) === undefined)).toBe(true);
  });
});

describe('a restart in the middle of a flap', () => {
  it('at any point changes no decision, no hold and no why', () => {
    const steps = fc.array(
      fc.record({
        gap: fc.integer({ min: 0, max: 4 }),
        status: fc.constantFrom('triggered' as const, 'resolved' as const),
        key: fc.constantFrom('a', 'b'),
        restart: fc.boolean(),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (history) => {
        let at = 0;
        const alerts = history.map(({ gap, status, key, restart }, index) => {
          at += gap;
          return { alert: anAlert(`r${index}`, at, { key, status }), restart };
        });
        const run = (restarts: boolean): unknown[] => {
          const store = new RestartableStore();
          let state = new WorkingSet();
          return alerts.map(({ alert, restart }) => {
            if (restarts && restart) state = store.restart(state);
            const { changes, ...answer } = correlate(state, alert, aConfig());
            state.apply(changes);
            return answer;
          });
        };
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 300 },
    );
  });

  it('goes on with the hold that was running', () => {
    const store = new RestartableStore();
    const scene = new Scenario().given(...turns(5));
    const state = store.restart(scene.state);
    const { holdUntil, decision } = correlate(state, ends(6), aConfig());
    expect([holdUntil, decision.kind]).toEqual([minute(9), 'resolved']);
  });
});
