import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCondition } from '../conditions/index.ts';
import { correlate, type CorrelationConfig } from './correlate.ts';
import { learn } from './learn.ts';
import { aConfig, aFact, alertOf, anAlert, openedBy, openFact, Scenario } from './scenario.ts';
import { RestartableStore } from './restartable-store.ts';
import { WorkingSet } from './working-set.ts';

const over = { overLimit: true } as const;
const HOUR = 60;

describe('alerts above the limit', () => {
  const rolled = () => new Scenario().given(anAlert('a', 0, { services: ['db'], ...over }));

  it('share one incident, which the first of them opens', () => {
    const scenario = new Scenario();
    expect(scenario.alert(anAlert('a', 0, over))).toMatchObject({
      decision: { kind: 'opened', incidentId: openedBy('a'), rollUp: true },
      why: { reason: 'over-limit' },
    });
    const joined = scenario.alert(anAlert('b', 700, over));
    expect(joined).toMatchObject({
      decision: { kind: 'rolled-up', incidentId: openedBy('a') },
      why: { reason: 'over-limit' },
    });
    expect(joined.why.tried.at(-1)).toMatchObject({ step: 'over-limit', evidence: { incidentId: openedBy('a') } });
  });

  it('have an incident per webhook', () => {
    const answer = rolled().alert(anAlert('b', 1, { webhookId: 'whk_other', ...over }));
    expect(answer.decision).toMatchObject({ kind: 'opened', rollUp: true });
  });

  it('are duplicates where their key is held, in whichever incident', () => {
    const scenario = rolled().given(anAlert('n', 1, { key: 'normal' }), anAlert('b', 2, { key: 'k', ...over }));
    const repeat = (key: string, receipt: string) => scenario.alert(anAlert(receipt, 3, { key, ...over })).decision;
    expect(repeat('normal', 'x')).toEqual({ kind: 'deduplicated', incidentId: openedBy('n'), alertId: alertOf('n') });
    expect(repeat('k', 'y')).toEqual({ kind: 'deduplicated', incidentId: openedBy('a'), alertId: alertOf('b') });
  });

  it('resolve their own alert', () => {
    const scenario = rolled().given(anAlert('b', 2, { key: 'k', ...over }));
    const answer = scenario.alert(anAlert('c', 3, { key: 'k', status: 'resolved', ...over }));
    expect(answer.decision).toEqual({ kind: 'resolved', incidentId: openedBy('a'), alertIds: [alertOf('b')] });
  });

  it('count on in the same incident when a window has passed', () => {
    const scenario = rolled().given(anAlert('b', 1, { key: 'k', ...over }));
    expect(scenario.alert(anAlert('c', 30 * HOUR, { key: 'k', ...over })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: openedBy('a'),
      alertId: alertOf('b'),
    });
  });

  it('take in no alert within the limit, whatever its service, before and after a fact', () => {
    const scenario = rolled();
    expect(scenario.alert(anAlert('b', 1, { services: ['db'] })).decision.kind).toBe('opened');
    const fact = aFact(openedBy('a'), 1, 2, openFact(2, ['web']));
    expect(scenario.fact(fact).alert(anAlert('c', 3, { services: ['web'] })).decision.kind).toBe('opened');
  });

  it('open a new incident once theirs is closed', () => {
    const scenario = rolled().fact(aFact(openedBy('a'), 2, 1, { kind: 'closed' }));
    expect(scenario.alert(anAlert('b', 2, over)).decision).toMatchObject({ incidentId: openedBy('b'), rollUp: true });
    expect(scenario.alert(anAlert('c', 3, over)).decision).toMatchObject({
      kind: 'rolled-up',
      incidentId: openedBy('b'),
    });
  });
});

describe('with alerts above the limit, recorded ones and facts', () => {
  const read = readCondition({ field: 'severity', operator: 'not_equals', value: 'low' });
  const config: CorrelationConfig = { ...aConfig(), openWhen: read.ok ? read.condition : null };
  const steps = fc.array(
    fc.record({
      status: fc.constantFrom('triggered' as const, 'triggered' as const, 'resolved' as const),
      key: fc.constantFrom('k1', 'k2', 'k3', 'k4'),
      severity: fc.constantFrom('low' as const, 'high' as const),
      overLimit: fc.boolean(),
      pause: fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 0, max: 7 }) },
        { weight: 1, arbitrary: fc.constant(1500) },
      ),
      closes: fc.boolean(),
      restarts: fc.boolean(),
    }),
    { minLength: 1, maxLength: 50 },
  );

  it('answers each alert, and decides the same when the state is stored and loaded between any two inputs', () =>
    fc.assert(
      fc.property(steps, (list) => {
        const running = new WorkingSet();
        const store = new RestartableStore();
        let stored = new WorkingSet();
        let at = 0;
        list.forEach(({ closes, restarts, pause, ...fields }, index) => {
          const alert = anAlert(`r${index}`, (at += pause), fields);
          const expected = correlate(running, alert, config);
          running.apply(expected.changes);
          const actual = correlate(stored, alert, config);
          stored.apply(actual.changes);
          expect(actual).toEqual(expected);
          expect(fields.status === 'triggered' ? actual.decision.kind : 'opened').not.toBe('ignored');
          const { decision } = actual;
          if (closes && 'incidentId' in decision) {
            const fact = aFact(decision.incidentId, index + 1, at, { kind: 'closed' });
            running.apply(learn(running, fact));
            stored.apply(learn(stored, fact));
          }
          if (restarts) stored = store.restart(stored);
        });
      }),
      { numRuns: 300 },
    ));
});
