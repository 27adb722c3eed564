import type { ConditionDocument, CorrelationRule, CorrelationRules, NormalizedAlert } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, readCondition } from '../conditions/index.ts';
import { compileRules } from './rules.ts';
import { RestartableStore } from './restartable-store.ts';
import { aConfig, aFact, anAlert, openedBy, openFact, Scenario } from './scenario.ts';
import { correlate, type CorrelationConfig } from './correlate.ts';
import { WorkingSet } from './working-set.ts';

const aRule = (
  name: string,
  conditions: ConditionDocument,
  fields: Partial<CorrelationRule> = {},
): CorrelationRule => ({
  ...{ name, enabled: true, priority: 1, weight: 0.8, appliesTo: 'both', conditions },
  ...fields,
});
const aSet = (rules: CorrelationRule[], fields: Partial<CorrelationRules> = {}): CorrelationRules => ({
  ...{ enabled: true, strategy: 'first', minMatchWeight: 0.5, priorityOrder: 'asc', candidateMaxAgeHours: 24, rules },
  ...fields,
});
const configOf = (set: CorrelationRules, workspace?: CorrelationRules): CorrelationConfig => ({
  ...aConfig(),
  rules: [compileRules(set, 'webhook'), compileRules(workspace, 'workspace')].filter((one) => one !== null),
});
const siteOf = (set: CorrelationRules, workspace?: CorrelationRules) => new Scenario(configOf(set, workspace));

const sameService: ConditionDocument = {
  operator: 'and',
  items: [
    { field: 'services', operator: 'intersects', value: [] },
    { field: 'severity', operator: 'in', value: ['critical', 'high'] },
  ],
};
const sameTag: ConditionDocument = { field: 'tags', operator: 'intersects', value: [] };
const timeouts: ConditionDocument = { field: 'title', operator: 'contains', value: 'timeout' };
const LATER = 60; // minutes: past the time window

describe('a rule', () => {
  it('joins an alert to the incident that it fits, long after the time window, and says why', () => {
    const site = siteOf(aSet([aRule('Same Service', sameService)])).given(anAlert('a', 0, { services: ['db', 'web'] }));
    const { decision, why } = site.alert(anAlert('b', LATER, { services: ['db'] }));
    expect(decision).toEqual({ kind: 'correlated', incidentId: openedBy('a') });
    expect(why.reason).toBe('rule');
    expect(why.tried.at(-1)).toMatchObject({
      ...{ step: 'rule', result: 'hit' },
      evidence: {
        ...{ rulesOf: 'webhook', rule: 'Same Service', weight: 0.8, incidentId: openedBy('a') },
        matched: [
          { conditions: [{ field: 'services', found: ['db'], incident: ['db', 'web'] }, { field: 'severity' }] },
        ],
      },
    });
  });

  it('joins an alert to an incident that a person opened, or that succeeds a closed one, by what that one is about', () => {
    const own = {
      ...{ title: 'timeout of checkout', connector: null, webhookId: null, source: null },
      ...{ tags: ['team:payments'], customFields: { region: 'eu' } },
    };
    const fact = { ...openFact(0), own };
    for (const conditions of [
      timeouts,
      sameTag,
      { field: 'custom_fields.region', operator: 'equals', value: { incident: 'custom_fields.region' } } as const,
    ]) {
      const site = siteOf(aSet([aRule('About the same', conditions)])).given(aFact('inc_by_hand', 1, 0, fact));
      const alert = anAlert('b', LATER, {
        ...{ title: 'timeout of a call', tags: ['team:payments'], customFields: { region: 'eu' } },
      });
      expect(site.alert(alert).decision).toEqual({ kind: 'correlated', incidentId: 'inc_by_hand' });
    }
  });

  it('names the nearest miss and the condition that failed', () => {
    const site = siteOf(aSet([aRule('Timeouts', timeouts), aRule('Same Service', sameService)])).given(
      anAlert('a', 0, { services: ['db'], severity: 'low' }),
    );
    const { decision, why } = site.alert(anAlert('b', LATER, { services: ['db'] }));
    expect(decision.kind).toBe('opened');
    expect(why.tried.find(({ step }) => step === 'rule')).toMatchObject({
      ...{ result: 'miss', detail: 'no-rule-matched' },
      evidence: {
        nearest: {
          ...{ rule: 'Same Service', incidentId: openedBy('a'), held: 1, of: 2 },
          failed: [{ field: 'severity', of: 'incident', found: ['low'] }],
        },
      },
    });
  });

  it.each([
    ['0 first', 'asc', 'low number'],
    ['the greatest first where asked', 'desc', 'high number'],
  ] as const)('goes in the order of priorities: %s', (_what, priorityOrder, winner) => {
    const rules = [aRule('high number', sameTag, { priority: 9 }), aRule('low number', sameService, { priority: 0 })];
    const site = siteOf(aSet(rules, { priorityOrder })).given(anAlert('a', 0, { services: ['db'], tags: ['x'] }));
    const { why } = site.alert(anAlert('b', LATER, { services: ['db'], tags: ['x'] }));
    expect(why.tried.at(-1)?.evidence).toMatchObject({ rule: winner });
  });

  it('counts only with enough weight, and says that where it did not', () => {
    const site = siteOf(aSet([aRule('Weak', sameTag, { weight: 0.3 })])).given(anAlert('a', 0, { tags: ['x'] }));
    const { decision, why } = site.alert(anAlert('b', LATER, { tags: ['x'] }));
    expect(decision.kind).toBe('opened');
    expect(why.tried.find(({ step }) => step === 'rule')?.evidence).toMatchObject({
      nearest: { weightBelowMinimum: 0.3 },
    });
  });

  it('adds weights up where the strategy is sum, and takes the incident with the most', () => {
    const rules = [aRule('tag', sameTag, { weight: 0.3 }), aRule('service', sameService, { weight: 0.3 })];
    const site = siteOf(aSet(rules, { strategy: 'sum' })).given(
      anAlert('a', 0, { services: ['db'], tags: ['x'] }),
      anAlert('b', LATER, { tags: ['y'] }),
    );
    const { decision, why } = site.alert(anAlert('c', 2 * LATER, { services: ['db'], tags: ['x', 'y'] }));
    expect(decision).toEqual({ kind: 'correlated', incidentId: openedBy('a') });
    expect(why.tried.at(-1)?.evidence).toMatchObject({ weight: 0.6, matched: [{ rule: 'tag' }, { rule: 'service' }] });
  });

  it('asks constants of the alert alone where it applies to the alert', () => {
    const rule = aRule('Timeouts', timeouts, { appliesTo: 'alert' });
    const alert = anAlert('b', LATER, { title: 'a timeout' });
    expect(
      siteOf(aSet([rule]))
        .given(anAlert('a', 0))
        .alert(alert).decision.kind,
    ).toBe('correlated');
    expect(
      siteOf(aSet([{ ...rule, appliesTo: 'both' }]))
        .given(anAlert('a', 0))
        .alert(alert).decision.kind,
    ).toBe('opened');
  });

  it('takes the most recently active incident, and none that has been quiet for too long', () => {
    const site = () => siteOf(aSet([aRule('tag', sameTag)])).given(anAlert('a', 0, { tags: ['env:x'] }));
    const two = site().given(anAlert('b', 10, { tags: ['other'], key: 'other' }), anAlert('c', 20, { tags: ['x'] }));
    expect(two.alert(anAlert('d', 30, { tags: ['x'] })).decision).toMatchObject({ incidentId: openedBy('a') });
    expect(site().alert(anAlert('e', 25 * 60, { tags: ['x'] })).decision.kind).toBe('opened');
    const any = siteOf(aSet([aRule('tag', sameTag)], { candidateMaxAgeHours: 0 })).given(
      anAlert('a', 0, { tags: ['x'] }),
    );
    expect(any.alert(anAlert('e', 25 * 60, { tags: ['x'] })).decision.kind).toBe('correlated');
  });

  it('finds no incident that is closed', () => {
    const site = siteOf(aSet([aRule('tag', sameTag)])).given(anAlert('a', 0, { tags: ['x'] }));
    site.fact(aFact(openedBy('a'), 2, 1, { kind: 'closed' }));
    expect(site.alert(anAlert('b', 2, { tags: ['x'] })).decision.kind).toBe('opened');
  });

  it("of the webhook goes before the workspace's", () => {
    const site = () => siteOf(aSet([aRule('own', sameTag)]), aSet([aRule('shared', sameService, { priority: 0 })]));
    const both = site().given(anAlert('a', 0, { services: ['db'], tags: ['x'] }));
    const ruleOf = (alert: NormalizedAlert) => both.alert(alert).why.tried.at(-1)?.evidence;
    expect(ruleOf(anAlert('b', LATER, { services: ['db'], tags: ['x'] }))).toMatchObject({ rule: 'own' });
    expect(ruleOf(anAlert('c', 2 * LATER, { services: ['db'] }))).toMatchObject({
      rule: 'shared',
      rulesOf: 'workspace',
    });
  });

  it('that is switched off, in a set that is, or with correlation off joins nothing', () => {
    const alerts = () => [anAlert('a', 0, { tags: ['x'] }), anAlert('b', LATER, { tags: ['x'] })] as const;
    const kindIn = (config: CorrelationConfig) => {
      const [first, second] = alerts();
      return new Scenario(config).given(first).alert(second).decision.kind;
    };
    expect(kindIn(configOf(aSet([aRule('tag', sameTag, { enabled: false })])))).toBe('opened');
    expect(kindIn(configOf(aSet([aRule('tag', sameTag)], { enabled: false })))).toBe('opened');
    const off = { ...configOf(aSet([aRule('tag', sameTag)])), correlation: { enabled: false, windowMinutes: 5 } };
    expect(kindIn(off)).toBe('opened');
  });
});

describe('the time window', () => {
  const by = (basis: NonNullable<CorrelationConfig['correlation']['by']>) =>
    new Scenario({ ...aConfig(), correlation: { enabled: true, windowMinutes: 5, by: basis } });
  const kindOf = (basis: Parameters<typeof by>[0], first: Partial<NormalizedAlert>, second: Partial<NormalizedAlert>) =>
    by(basis)
      .given(anAlert('a', 0, first))
      .alert(anAlert('b', 4, second)).decision.kind;

  it('goes by any incident', () => expect(kindOf('any', {}, {})).toBe('correlated'));
  it('goes by a tag', () => {
    expect(kindOf('tag:env', { tags: ['env:x'] }, { tags: ['env:x'] })).toBe('correlated');
    expect(kindOf('tag:env', { tags: ['env:x'] }, { tags: ['env:y'] })).toBe('opened');
    expect(kindOf('tag:env', { tags: ['x'] }, { tags: ['x'] })).toBe('opened');
  });
  it("goes by Alertmanager's group", () => {
    expect(kindOf('group', { fields: { groupKey: 'g' } }, { fields: { groupKey: 'g' } })).toBe('correlated');
    expect(kindOf('group', { fields: { groupKey: 'g' } }, { fields: { groupKey: 'h' } })).toBe('opened');
    expect(kindOf('group', {}, {})).toBe('opened');
  });
});

describe('rules and what the index finds', () => {
  const words = fc.constantFrom('a', 'b', 'env:a', 'env:b');
  const alerts = fc.array(
    fc.record({
      title: words,
      severity: fc.constantFrom('high' as const, 'low' as const),
      services: fc.uniqueArray(words, { maxLength: 2 }),
      tags: fc.uniqueArray(words, { maxLength: 2 }),
      customFields: fc.record({ team: words }),
    }),
    { minLength: 2, maxLength: 25 },
  );
  const leaves: fc.Arbitrary<ConditionDocument> = fc.oneof(
    fc.constantFrom<ConditionDocument>(
      sameTag,
      { field: 'services', operator: 'intersects', value: [] },
      { field: 'title', operator: 'equals', value: { incident: 'title' } },
      { field: 'title', operator: 'equals', value: { incident: 'custom_fields.team' } },
      { field: 'tags', operator: 'intersects', value: { incident: 'services' } },
      { field: 'service', operator: 'not_equals', value: { incident: 'title' } },
      { field: 'severity', operator: 'equals', value: { incident: 'severity' } },
    ),
    fc
      .tuple(fc.constantFrom('tags', 'service', 'title', 'custom_fields.team'), words)
      .map(([field, value]): ConditionDocument => ({ field, operator: 'equals', value })),
  );
  const documents: fc.Arbitrary<ConditionDocument> = fc.oneof(
    leaves,
    fc.record({
      operator: fc.constantFrom('and' as const, 'or' as const),
      items: fc.array(leaves, { minLength: 1, maxLength: 3 }),
    }),
  );
  const applies = fc.constantFrom('both' as const, 'alert' as const);

  it('joins the incident that a scan over all of them would pick, and the same after any restart', () =>
    fc.assert(
      fc.property(
        documents,
        applies,
        alerts,
        fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
        (conditions, appliesTo, list, restarts) => {
          const config = { ...configOf(aSet([aRule('r', conditions, { appliesTo })])) };
          config.correlation = { enabled: true, windowMinutes: 1, by: 'group' }; // rules only
          const read = readCondition(conditions, { incident: true });
          if (!read.ok) throw new Error('not a condition');
          const store = new RestartableStore();
          let state = new WorkingSet();
          const incidents: { id: string; last: number; first: NormalizedAlert; services: string[]; tags: string[] }[] =
            [];
          list.forEach((fields, index) => {
            const alert = anAlert(`r${index}`, index, fields);
            const { decision, changes } = correlate(state, alert, config);
            state.apply(changes);
            const expected = incidents
              .toSorted((a, b) => b.last - a.last)
              .find(
                ({ first, services, tags }) =>
                  evaluate(read.condition, { alert, appliesTo, incident: { ...first, services, tags } }).holds,
              );
            expect('incidentId' in decision && decision.incidentId).toBe(expected?.id ?? openedBy(`r${index}`));
            if (expected) {
              expected.last = index;
              expected.services = [...new Set([...expected.services, ...alert.services])];
              expected.tags = [...new Set([...expected.tags, ...alert.tags])];
            } else {
              const { services, tags } = alert;
              incidents.push({ id: openedBy(`r${index}`), last: index, first: alert, services, tags });
            }
            if (restarts[index]) state = store.restart(state);
          });
        },
      ),
      { numRuns: 500 },
    ));
});
