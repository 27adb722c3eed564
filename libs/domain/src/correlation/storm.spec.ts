import type { NormalizedAlert } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
import { RestartableStore } from './restartable-store.ts';
import { aConfig, aFact, anAlert, minute, openFact, openedBy, SCOPE, Scenario } from './scenario.ts';
import { STORM } from './storm.ts';
import { WorkingSet } from './working-set.ts';

const config: CorrelationConfig = { ...aConfig(), storm: { newIncidentsPerMinute: 3 } };
/** `n` alerts of new keys, a second apart from minute `at` on. */
const keys = (name: string, n: number, at = 0, more: Partial<NormalizedAlert> = {}): NormalizedAlert[] =>
  Array.from({ length: n }, (_, index) => anAlert(`${name}${index}`, at + index / 60, more));
const run = (scene: Scenario, alerts: NormalizedAlert[]): Correlated[] => alerts.map((alert) => scene.alert(alert));
const kinds = (answers: Correlated[]): string[] => answers.map(({ decision }) => decision.kind);
const stormOf = ({ why }: Correlated) => why.tried.find(({ step }) => step === 'storm');

describe('new keys above the threshold of a workspace', () => {
  it('roll up into one incident, which the first of them opens, and the why says so', () => {
    const answers = run(new Scenario(config), keys('k', 6));
    expect(kinds(answers)).toEqual(['opened', 'opened', 'opened', 'opened', 'rolled-up', 'rolled-up']);
    expect(answers.map(({ why }) => why.reason)).toEqual([
      ...['new-alert', 'new-alert', 'new-alert', 'storm', 'storm', 'storm'],
    ]);
    expect(answers[3]?.decision).toEqual({ kind: 'opened', incidentId: openedBy('k3'), rollUp: true });
    expect(answers[5]?.decision).toEqual({ kind: 'rolled-up', incidentId: openedBy('k3') });
    expect(stormOf(answers[0]!)).toMatchObject({ result: 'miss', detail: 'below-threshold' });
    expect(stormOf(answers[5]!)).toEqual({
      step: 'storm',
      result: 'hit',
      evidence: {
        ...{ newKeys: 6, seconds: 60, threshold: 3, incidentId: openedBy('k3') },
        lastAboveAt: minute(5 / 60),
      },
    });
  });

  it('keep their key there: repeats count on it, resolves pass', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 6));
    const repeat = scene.alert(anAlert('again', 1, { key: 'key-k5' }));
    expect(repeat.decision).toMatchObject({ kind: 'deduplicated', incidentId: openedBy('k3') });
    const end = scene.alert(anAlert('end', 2, { key: 'key-k5', status: 'resolved' }));
    expect(end.decision).toMatchObject({ kind: 'resolved', incidentId: openedBy('k3') });
  });

  it('do not take in what joins an incident by itself, nor does such an alert join the storm', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 6, 0, { services: ['shop'] })); // all one incident, by service
    const answers = run(scene, [...keys('n', 5, 0.2), anAlert('shop', 0.3, { services: ['shop'] })]);
    expect(kinds(answers)).toEqual(['opened', 'opened', 'opened', 'rolled-up', 'rolled-up', 'correlated']);
    expect(answers[5]?.decision).toMatchObject({ incidentId: openedBy('k0') });
  });

  it('roll up until five minutes after they were last above it; the next storm is another incident', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 6));
    expect(scene.alert(anAlert('calm', 4)).why.reason).toBe('storm');
    expect(scene.alert(anAlert('calmer', 5)).why.reason).toBe('storm');
    expect(scene.alert(anAlert('over', 5.2)).why.reason).toBe('new-alert');
    const next = run(scene, keys('next', 5, 5.3));
    expect(next.at(-1)?.decision).toMatchObject({ kind: 'rolled-up' });
    expect(next.at(-1)?.decision).not.toMatchObject({ incidentId: openedBy('k3') });
  });

  it('open another one where a person has closed the first', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 6));
    scene.fact(aFact(openedBy('k3'), 9, 0.2, { kind: 'closed' }));
    expect(scene.alert(anAlert('later', 0.3)).decision).toEqual({
      ...{ kind: 'opened', incidentId: openedBy('later'), rollUp: true },
    });
    expect(scene.alert(anAlert('last', 0.4)).decision).toMatchObject({ incidentId: openedBy('later') });
  });

  it('are none of the business of a workspace without a threshold', () => {
    const answers = run(new Scenario(), keys('k', 50));
    expect(new Set(kinds(answers))).toEqual(new Set(['opened']));
    expect(answers.every((answer) => stormOf(answer) === undefined)).toBe(true);
  });
});

describe('a key of a storm that was resolved', () => {
  const ended = (): Scenario => {
    const scene = new Scenario(config);
    run(scene, keys('k', 6));
    scene.alert(anAlert('end', 1, { key: 'key-k5', status: 'resolved' }));
    return scene;
  };

  it('comes back to it while the storm goes on', () => {
    expect(ended().alert(anAlert('back', 2, { key: 'key-k5' })).decision).toMatchObject({
      ...{ kind: 'deduplicated', incidentId: openedBy('k3') },
    });
  });

  it('opens its own once the storm is over', () => {
    const { decision, why } = ended().alert(anAlert('back', 6, { key: 'key-k5' }));
    expect(decision).toEqual({ kind: 'opened', incidentId: openedBy('back') });
    expect(why.tried.find(({ step }) => step === 'dedup')).toMatchObject({ result: 'miss', detail: 'storm-over' });
  });

  it('opens its own also where the storm incident is closed by then', () => {
    const scene = ended().fact(aFact(openedBy('k3'), 9, 5, { kind: 'closed' }));
    expect(scene.alert(anAlert('back', 6, { key: 'key-k5' })).decision).toMatchObject({ kind: 'opened' });
  });

  it('that is still firing stays there', () => {
    expect(ended().alert(anAlert('again', 6, { key: 'key-k4' })).decision).toMatchObject({
      ...{ kind: 'deduplicated', incidentId: openedBy('k3') },
    });
  });
});

describe('the incident of a storm', () => {
  it('is joined by nobody by service, also after a fact named its services', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 5));
    scene.fact(aFact(openedBy('k3'), 3, 1, openFact(1, ['shop'])));
    const { decision } = scene.alert(anAlert('shop', 6, { services: ['shop'] }));
    expect(decision).toEqual({ kind: 'opened', incidentId: openedBy('shop') });
    expect(scene.state.incident(SCOPE, openedBy('k3'))?.rollUpOf).toBe(STORM);
  });
});

describe('a restart in the middle of a storm', () => {
  it('goes on with the same incident and the same count', () => {
    const straight = run(new Scenario(config), [...keys('k', 6), ...keys('l', 3, 3)]);
    const store = new RestartableStore();
    let state = new WorkingSet();
    const restarted = [...keys('k', 6), ...keys('l', 3, 3)].map((alert) => {
      state = store.restart(state);
      const answer = correlate(state, alert, config);
      state.apply(answer.changes);
      return answer;
    });
    expect(restarted.map(({ decision, why }) => ({ decision, why }))).toEqual(
      straight.map(({ decision, why }) => ({ decision, why })),
    );
  });

  it('keeps ten numbers at most, whatever comes', () => {
    const scene = new Scenario(config);
    run(scene, keys('k', 600)); // ten minutes, one a second
    expect(scene.state.storm(SCOPE)?.arrivals.length).toBeLessThanOrEqual(10);
  });
});
