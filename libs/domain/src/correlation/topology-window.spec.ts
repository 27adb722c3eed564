import type { ConditionDocument, CorrelationBasis, CorrelationRules, TopologyDocument } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import type { CorrelationConfig } from './correlate.ts';
import { compileRules } from './rules.ts';
import { aConfig, anAlert, openedBy, Scenario } from './scenario.ts';
import { surroundingsOf, withSurroundings } from './surroundings.ts';
import { wantedTerms } from './wanted-terms.ts';

// shop → payments → database ← reports; database → disk (three away from shop)
const topology: Pick<TopologyDocument, 'revision' | 'body'> = {
  revision: 21,
  body: {
    dependencies: [
      { from: 'shop', to: 'payments' },
      { from: 'payments', to: 'database' },
      { from: 'reports', to: 'database' },
      { from: 'database', to: 'disk' },
    ],
  },
};
const configOf = (by: CorrelationBasis, rules: ConditionDocument[] = []): CorrelationConfig => {
  const own = aConfig();
  const document: CorrelationRules = {
    ...{ enabled: true, strategy: 'first', minMatchWeight: 0.5, priorityOrder: 'asc', candidateMaxAgeHours: 24 },
    rules: rules.map((conditions, index) => ({
      ...{ name: `rule ${index}`, enabled: true, priority: index, weight: 1, appliesTo: 'both', conditions },
    })),
  };
  const compiled = compileRules(document, 'webhook');
  const config = { ...own, correlation: { ...own.correlation, by }, rules: compiled ? [compiled] : [] };
  return withSurroundings(config, surroundingsOf(undefined, [], topology));
};
const of = (receipt: string, at: number, ...services: string[]) => anAlert(receipt, at, { services });

describe('a time window by topology', () => {
  it('takes in an alert of a service two dependencies away, in whatever direction, and shows the way', () => {
    const scene = new Scenario(configOf('topology')).given(of('db', 0, 'database'));
    const { decision, why } = scene.alert(of('shop', 1, 'shop'));
    expect(decision).toEqual({ kind: 'correlated', incidentId: openedBy('db') });
    expect(why).toMatchObject({ reason: 'time-window', configRevision: 21 });
    expect(why.tried.at(-1)).toMatchObject({
      step: 'time-window',
      evidence: {
        ...{ by: 'topology', values: ['shop', 'payments', 'database'], matchedValue: 'database', distance: 2 },
        path: ['shop', 'payments', 'database'],
      },
    });
    expect(scene.alert(of('reports', 2, 'reports')).decision.kind).toBe('correlated');
  });

  it('does not reach three away, nor further than it is told', () => {
    const scene = new Scenario(configOf('topology')).given(of('disk', 0, 'disk'));
    expect(scene.alert(of('shop', 1, 'shop')).decision.kind).toBe('opened');
    const near = new Scenario(configOf('topology:1')).given(of('db', 0, 'database'));
    expect(near.alert(of('shop', 1, 'shop')).decision.kind).toBe('opened');
    expect(near.alert(of('payments', 2, 'payments')).decision.kind).toBe('correlated');
  });

  it('prefers the nearest, then the most recently active', () => {
    const { revision: _, ...rest } = configOf('service');
    const apart = new Scenario({ ...rest, revision: 1 }).given(
      of('db', 0, 'database'),
      of('pay', 1, 'payments'),
      of('own', 2, 'shop'),
    );
    const asked = configOf('topology');
    const scene = Object.assign(new Scenario(asked), { state: apart.state });
    scene.given(anAlert('again', 3, { key: 'key-db' })); // the most recently active is two away
    expect(scene.alert(of('new', 4, 'shop')).decision).toMatchObject({ incidentId: openedBy('own') });
  });

  it('without a topology goes by the service alone', () => {
    const { topology: _, ...config } = configOf('topology');
    const scene = new Scenario(config).given(of('db', 0, 'database'));
    expect(scene.alert(of('payments', 1, 'payments')).decision.kind).toBe('opened');
    expect(scene.alert(of('again', 1, 'database')).decision.kind).toBe('correlated');
  });
});

describe('the rule field service.neighbours', () => {
  const scene = (...rules: ConditionDocument[]) => {
    const config = configOf('group', rules); // no alert here has a group: rules alone decide
    return { config, run: new Scenario(config).given(of('db', 0, 'database')) };
  };

  it.each<[string, ConditionDocument, string, boolean]>([
    [
      'its neighbours among the services of the incident',
      { field: 'service.neighbours', operator: 'intersects', value: { incident: 'services' } },
      'payments',
      true,
    ],
    [
      'the same, two away',
      { field: 'service.neighbours', operator: 'intersects', value: { incident: 'services' } },
      'shop',
      false,
    ],
    [
      'its services among the neighbours of the incident',
      { field: 'services', operator: 'intersects', value: { incident: 'service.neighbours' } },
      'reports',
      true,
    ],
    ['a neighbour in common', { field: 'service.neighbours', operator: 'intersects', value: [] }, 'shop', true],
    [
      'a neighbour by name, of both',
      { field: 'service.neighbours', operator: 'equals', value: 'payments' },
      'shop',
      true,
    ],
    [
      'a neighbour by name that the incident has not',
      { field: 'service.neighbours', operator: 'equals', value: 'shop' },
      'payments',
      false,
    ],
  ])('%s', (_what, rule, service, joins) => {
    const { run } = scene(rule);
    const { decision } = run.alert(of('new', 1, service));
    expect(decision.kind).toBe(joins ? 'correlated' : 'opened');
  });

  it('finds its candidates by index, and says what it found', () => {
    const { config, run } = scene({
      field: 'service.neighbours',
      operator: 'intersects',
      value: { incident: 'services' },
    });
    const alert = of('new', 1, 'payments');
    expect(wantedTerms(alert, config).map(({ term }) => term)).toEqual(['service database', 'service shop']);
    expect(run.alert(alert).why.tried.find(({ step }) => step === 'rule')).toMatchObject({
      evidence: { matched: [{ conditions: [{ found: ['database', 'shop'], incident: ['database'] }] }] },
    });
  });
});
