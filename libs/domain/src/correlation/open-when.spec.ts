import type { ConditionDocument } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { readCondition } from '../conditions/index.ts';
import { aConfig, aFact, alertOf, anAlert, openedBy, openFact, Scenario } from './scenario.ts';

const HOUR = 60;
const severe: ConditionDocument = { field: 'severity', operator: 'in', value: ['critical', 'high'] };
const configOf = (document: ConditionDocument, overrides: Parameters<typeof aConfig>[0] = {}) => {
  const read = readCondition(document);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return { ...aConfig(overrides), openWhen: read.condition };
};
const site = (overrides: Parameters<typeof aConfig>[0] = {}) => new Scenario(configOf(severe, overrides));
const low = { severity: 'low' } as const;
const resolve = { status: 'resolved' } as const;

describe('an alert that open_when does not let open', () => {
  it('is recorded, and the why names the condition with the value', () => {
    const answer = site().alert(anAlert('a', 0, { key: 'k', ...low }));
    expect(answer.decision).toEqual({ kind: 'recorded', alertId: alertOf('a'), effect: 'recorded' });
    expect(answer.why.reason).toBe('open-when');
    expect(answer.why.tried.at(-1)).toMatchObject({
      step: 'open-when',
      result: 'miss',
      evidence: { conditions: [{ field: 'severity', operator: 'in', found: ['low'] }] },
    });
  });

  it('holds its key: repeats count on it, and its resolve ends it', () => {
    const scenario = site().given(anAlert('a', 0, { key: 'k', ...low }));
    const again = scenario.alert(anAlert('b', 5, { key: 'k', ...low }));
    expect(again.decision).toEqual({ kind: 'recorded', alertId: alertOf('a'), effect: 'repeated' });
    expect(again.why.reason).toBe('same-dedup-key');
    const over = scenario.alert(anAlert('c', 6, { key: 'k', ...resolve }));
    expect(over.decision).toEqual({ kind: 'recorded', alertId: alertOf('a'), effect: 'resolved' });
    expect(scenario.alert(anAlert('d', 7, { key: 'k', ...resolve })).why.reason).toBe('no-open-alert');
  });

  it('marks a repeat of the same firing as such', () => {
    const firing = { key: 'k', firingKey: 'f', ...low };
    const scenario = site().given(anAlert('a', 0, firing));
    expect(scenario.alert(anAlert('b', 5, firing)).why.reason).toBe('same-firing');
  });

  it('is a new record after the dedup window', () => {
    const scenario = site().given(anAlert('a', 0, { key: 'k', ...low }));
    const answer = scenario.alert(anAlert('b', 25 * HOUR, { key: 'k', ...low }));
    expect(answer.decision).toEqual({ kind: 'recorded', alertId: alertOf('b'), effect: 'recorded' });
  });

  it('does not join an incident of its service, and nobody joins it', () => {
    const scenario = site().given(anAlert('a', 0, { services: ['db'] }));
    expect(scenario.alert(anAlert('b', 1, { services: ['db'], ...low })).decision.kind).toBe('recorded');
    expect(scenario.alert(anAlert('c', 2, { services: ['db'] })).decision.kind).toBe('correlated');
  });

  it.each(['acknowledged', 'update'] as const)('has nothing that its source could %s', (status) => {
    const answer = site()
      .given(anAlert('a', 0, { key: 'k', ...low }))
      .alert(anAlert('b', 1, { key: 'k', status }));
    expect(answer).toMatchObject({ decision: { kind: 'ignored' }, why: { reason: 'open-when' } });
  });

  it('counts on an incident that holds its key, though the window has passed', () => {
    const scenario = site().given(anAlert('a', 0, { key: 'k' }));
    for (const at of [1, 30 * HOUR]) {
      const { decision } = scenario.alert(anAlert(`r${at}`, at, { key: 'k', ...low }));
      expect(decision).toEqual({ kind: 'deduplicated', incidentId: openedBy('a'), alertId: alertOf('a') });
    }
  });

  it('does not reopen a closed incident', () => {
    const closed = aFact(openedBy('a'), 2, 1, { kind: 'closed' });
    const scenario = site().given(anAlert('a', 0, { key: 'k' }), closed);
    expect(scenario.alert(anAlert('b', 2, { key: 'k', ...low })).decision.kind).toBe('recorded');
  });
});

describe('a recorded key', () => {
  it('goes to an incident with the first alert that may open, which names what it takes over from', () => {
    const scenario = site().given(anAlert('a', 0, { key: 'k', ...low }));
    const answer = scenario.alert(anAlert('b', 1, { key: 'k' }));
    expect(answer.decision).toEqual({ kind: 'opened', incidentId: openedBy('b'), supersedes: alertOf('a') });
    expect(scenario.alert(anAlert('c', 2, { key: 'k', ...low })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: openedBy('b'),
      alertId: alertOf('b'),
    });
  });

  it('goes to the incident that its promotion opened: repeats and the resolve follow', () => {
    const promoted = aFact(openedBy('a'), 1, 5, openFact(5), ['k'], alertOf('a'));
    const scenario = site().given(anAlert('a', 0, { key: 'k', ...low }), promoted);
    expect(scenario.alert(anAlert('b', 6, { key: 'k', ...low })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: openedBy('a'),
      alertId: alertOf('a'),
    });
    expect(scenario.alert(anAlert('c', 7, { key: 'k', ...resolve })).decision).toMatchObject({
      kind: 'resolved',
      incidentId: openedBy('a'),
    });
  });
});
