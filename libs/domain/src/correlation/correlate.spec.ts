import { describe, expect, it } from 'vitest';
import { correlate } from './correlate.ts';
import { aConfig, aFact, alertOf, anAlert, minute, openedBy, openFact, Scenario, WEBHOOK } from './scenario.ts';
import { WorkingSet } from './working-set.ts';

const HOUR = 60;
const resolve = { status: 'resolved' } as const;
const ordered = (at: number) => ({ occurredAt: minute(at), occurredAtOrders: true });

describe('nothing is known', () => {
  it('opens an incident whose id comes from the scope and the alert', () => {
    const answer = new Scenario().alert(anAlert('a', 0));
    expect(answer.decision).toEqual({ kind: 'opened', incidentId: openedBy('a') });
    expect(answer.why.reason).toBe('new-alert');
  });

  it('says which steps were tried, in order, and by which configuration', () => {
    const { why } = new Scenario().alert(anAlert('a', 0, { key: 'disk', services: ['db'] }));
    expect(why.configRevision).toBe(7);
    expect(why.tried.map(({ step, result, detail }) => [step, result, detail])).toEqual([
      ['processed', 'miss', undefined],
      ['order', 'miss', 'nothing-remembered'],
      ['dedup', 'miss', 'key-not-held'],
      ['time-window', 'miss', 'no-active-incident'],
      ['open', 'hit', undefined],
    ]);
    expect(why.tried[2]?.evidence).toEqual({ key: 'disk', keyOrigin: 'connector' });
    expect(why.tried[3]?.evidence).toMatchObject({ services: ['db'], windowMinutes: 5, windowStart: minute(-5) });
  });

  it.each(['resolved', 'acknowledged', 'update'] as const)('ignores a source that says %s', (status) => {
    const answer = new Scenario().alert(anAlert('a', 0, { status }));
    expect(answer.decision).toEqual({ kind: 'ignored' });
    expect(answer.why.reason).toBe('no-open-alert');
  });

  it('leaves the state it was given as it was', () => {
    const state = new WorkingSet();
    correlate(state, anAlert('a', 0), aConfig());
    expect(state.changes()).toEqual({ processed: [], keys: [], orders: [], incidents: [], storms: [] });
  });
});

describe('an alert that was answered before', () => {
  it('is skipped, changes nothing and is answered again', () => {
    const answer = new Scenario().given(anAlert('a', 0)).alert(anAlert('a', 9));
    expect(answer).toMatchObject({ decision: { kind: 'skipped' }, why: { reason: 'already-processed' }, changes: [] });
  });
});

describe('a key with an open alert', () => {
  const held = () => new Scenario().given(anAlert('a', 0, { key: 'disk', services: ['db'] }));

  it('counts a repeat on its holder, with the window in the evidence', () => {
    const answer = held().alert(anAlert('b', 10, { key: 'disk' }));
    expect(answer.decision).toEqual({ kind: 'deduplicated', incidentId: openedBy('a'), alertId: alertOf('a') });
    expect(answer.why).toMatchObject({ reason: 'same-dedup-key' });
    expect(answer.why.tried.at(-1)).toMatchObject({
      step: 'dedup',
      result: 'hit',
      evidence: {
        key: 'disk',
        windowStart: minute(0),
        windowEnd: minute(24 * HOUR),
        windowFrom: 'last',
        incidentId: openedBy('a'),
      },
    });
  });

  it('is not the key of another webhook', () =>
    expect(held().alert(anAlert('b', 1, { key: 'disk', webhookId: 'whk_other' })).decision.kind).toBe('opened'));

  it('still counts on the last millisecond of the window', () =>
    expect(held().alert(anAlert('b', 24 * HOUR, { key: 'disk' })).decision.kind).toBe('deduplicated'));

  it('is taken over by a new incident once the window has passed, not joined to the old one by service', () => {
    const scenario = held();
    const after = scenario.alert(anAlert('b', 24 * HOUR + 1, { key: 'disk', services: ['db'] }));
    expect(after.decision).toEqual({ kind: 'opened', incidentId: openedBy('b') });
    expect(after.why.reason).toBe('window-passed');
    expect(scenario.alert(anAlert('c', 24 * HOUR + 2, { key: 'disk' })).decision).toMatchObject({
      incidentId: openedBy('b'),
    });
  });

  it('counts the window from the last occurrence, or from the first where the webhook says so', () => {
    const repeats = [anAlert('a', 0, { key: 'disk' }), anAlert('b', 20 * HOUR, { key: 'disk' })];
    const late = anAlert('c', 30 * HOUR, { key: 'disk' });
    expect(new Scenario().given(...repeats).alert(late).decision.kind).toBe('deduplicated');
    expect(new Scenario(aConfig({ windowFrom: 'first' })).given(...repeats).alert(late).why.reason).toBe(
      'window-passed',
    );
  });

  it('is resolved by its key', () => {
    const answer = held().alert(anAlert('b', 1, { key: 'disk', ...resolve }));
    expect(answer.decision).toEqual({ kind: 'resolved', incidentId: openedBy('a'), alertIds: [alertOf('a')] });
    expect(answer.why.reason).toBe('alert-resolved');
  });

  it('is resolved once: the second resolve finds nothing open', () => {
    const scenario = held().given(anAlert('b', 1, { key: 'disk', ...resolve }));
    expect(scenario.alert(anAlert('c', 2, { key: 'disk', ...resolve })).why.reason).toBe('no-open-alert');
  });

  it('is acknowledged and updated by its source', () => {
    expect(held().alert(anAlert('b', 1, { key: 'disk', status: 'acknowledged' }))).toMatchObject({
      decision: { kind: 'acknowledged', incidentId: openedBy('a'), alertId: alertOf('a') },
      why: { reason: 'source-acknowledged' },
    });
    expect(held().alert(anAlert('b', 1, { key: 'disk', status: 'update' }))).toMatchObject({
      decision: { kind: 'updated', incidentId: openedBy('a'), alertId: alertOf('a') },
      why: { reason: 'source-updated' },
    });
  });

  it('fires again after its resolve while the incident is open, on the same alert', () => {
    const scenario = held().given(anAlert('b', 1, { key: 'disk', ...resolve }));
    expect(scenario.alert(anAlert('c', 2, { key: 'disk' })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: openedBy('a'),
      alertId: alertOf('a'),
    });
    expect(scenario.alert(anAlert('d', 3, { key: 'disk', ...resolve })).decision).toMatchObject({
      kind: 'resolved',
      alertIds: [alertOf('a'), alertOf('c')],
    });
  });

  it('names its newest occurrence to follow-ups: it may be counted on an alert that the correlator has not heard of', () => {
    const scenario = held().given(anAlert('b', 1, { key: 'disk' }));
    expect(scenario.alert(anAlert('k', 2, { key: 'disk', status: 'acknowledged' })).decision).toMatchObject({
      alertId: alertOf('b'),
    });
    expect(scenario.alert(anAlert('r', 3, { key: 'disk', ...resolve })).decision).toMatchObject({
      alertIds: [alertOf('a'), alertOf('b')],
    });
  });
});

describe('a repeat that its source marks as the same firing', () => {
  const firing = { key: 'disk', firingKey: 'f1', services: ['db'] };

  it('is counted as same-firing and is no activity of the incident', () => {
    const scenario = new Scenario().given(anAlert('a', 0, firing));
    expect(scenario.alert(anAlert('b', 4, firing))).toMatchObject({
      decision: { kind: 'deduplicated' },
      why: { reason: 'same-firing' },
    });
    expect(scenario.alert(anAlert('c', 6, { services: ['db'] })).decision.kind).toBe('opened');
  });

  it('keeps the dedup window running', () => {
    const scenario = new Scenario().given(anAlert('a', 0, firing), anAlert('b', 20 * HOUR, firing));
    expect(scenario.alert(anAlert('c', 40 * HOUR, firing)).why.reason).toBe('same-firing');
  });

  it('is an ordinary repeat when the firing is another one', () =>
    expect(
      new Scenario().given(anAlert('a', 0, firing)).alert(anAlert('b', 1, { ...firing, firingKey: 'f2' })).why.reason,
    ).toBe('same-dedup-key'));
});

describe('changes that arrive in another order than they happened', () => {
  it('answers a trigger that is older than the last resolve as stale, also when the resolve found nothing', () => {
    const scenario = new Scenario();
    expect(scenario.alert(anAlert('r', 10, { key: 'disk', ...resolve, ...ordered(9) })).why.reason).toBe(
      'no-open-alert',
    );
    const late = scenario.alert(anAlert('t', 11, { key: 'disk', ...ordered(5) }));
    expect(late.decision).toEqual({ kind: 'ignored' });
    expect(late.why.reason).toBe('stale');
    expect(late.why.tried.at(-1)).toMatchObject({
      step: 'order',
      result: 'hit',
      evidence: {
        resolveKey: 'disk',
        eventTime: minute(5),
        timeFrom: 'occurredAt',
        closedAt: minute(9),
        closedBy: 'resolved',
      },
    });
  });

  it('answers the late trigger of an acknowledge that found nothing as stale', () => {
    const scenario = new Scenario().given(anAlert('k', 10, { key: 'disk', status: 'acknowledged', ...ordered(9) }));
    expect(scenario.alert(anAlert('t', 11, { key: 'disk', ...ordered(5) })).why.reason).toBe('stale');
    expect(scenario.alert(anAlert('u', 12, { key: 'disk', ...ordered(10) })).decision.kind).toBe('opened');
  });

  it('hears no acknowledge where the webhook does not listen to them: neither now nor for a late trigger', () => {
    const scenario = new Scenario(aConfig({ ackFromSource: false }));
    const early = scenario.alert(anAlert('k', 10, { key: 'disk', status: 'acknowledged', ...ordered(9) }));
    expect(early).toMatchObject({
      decision: { kind: 'ignored' },
      why: {
        reason: 'ack-from-source-off',
        tried: [{}, { step: 'acknowledge', result: 'not-applicable', detail: 'ack-from-source-off' }],
      },
    });
    expect(scenario.alert(anAlert('t', 11, { key: 'disk', ...ordered(5) })).decision.kind).toBe('opened');
    const held = scenario.alert(anAlert('l', 12, { key: 'disk', status: 'acknowledged', ...ordered(12) }));
    expect(held.why.reason).toBe('ack-from-source-off');
  });

  it('answers a resolve that is older than the last trigger as stale, and keeps the alert open', () => {
    const scenario = new Scenario().given(anAlert('t', 10, { key: 'disk', ...ordered(10) }));
    expect(scenario.alert(anAlert('r', 11, { key: 'disk', ...resolve, ...ordered(9) })).why.reason).toBe('stale');
    expect(scenario.alert(anAlert('s', 12, { key: 'disk', ...resolve, ...ordered(12) })).decision.kind).toBe(
      'resolved',
    );
  });

  it.each(['acknowledged', 'update'] as const)('answers %s of an earlier firing as stale', (status) => {
    const scenario = new Scenario().given(
      anAlert('a', 1, { key: 'disk', ...ordered(1) }),
      anAlert('b', 5, { key: 'disk', ...resolve, ...ordered(5) }),
      anAlert('c', 8, { key: 'disk', ...ordered(8) }),
    );
    expect(scenario.alert(anAlert('d', 9, { key: 'disk', status, ...ordered(3) })).why.reason).toBe('stale');
    expect(scenario.alert(anAlert('e', 9, { key: 'disk', status, ...ordered(9) })).decision.kind).toBe(
      status === 'update' ? 'updated' : status,
    );
  });

  it('gives a tie to the later position in the log', () => {
    const at = ordered(5);
    expect(
      new Scenario()
        .given(anAlert('r', 6, { key: 'disk', ...resolve, ...at }))
        .alert(anAlert('t', 7, { key: 'disk', ...at })).decision.kind,
    ).toBe('opened');
    expect(
      new Scenario()
        .given(anAlert('t', 6, { key: 'disk', ...at }))
        .alert(anAlert('r', 7, { key: 'disk', ...resolve, ...at })).decision.kind,
    ).toBe('resolved');
  });

  it('orders by receipt where the source time does not order', () => {
    const scenario = new Scenario().given(anAlert('r', 10, { key: 'disk', ...resolve }));
    expect(
      scenario.alert(anAlert('t', 11, { key: 'disk', occurredAt: minute(5), occurredAtOrders: false })).decision.kind,
    ).toBe('opened');
  });

  it('orders by the time of the change where it stands beside the time of occurrence', () => {
    const closing = { occurredAt: minute(1), occurredAtOrders: true, changedAt: minute(8) };
    const scenario = new Scenario().given(anAlert('r', 10, { key: 'disk', ...resolve, ...closing }));
    expect(scenario.alert(anAlert('t', 11, { key: 'disk', ...ordered(7) })).why.reason).toBe('stale');
    expect(scenario.alert(anAlert('u', 12, { key: 'disk', ...ordered(8) })).decision.kind).toBe('opened');
  });

  it('never trusts a source time after the receipt', () => {
    const scenario = new Scenario().given(anAlert('r', 10, { key: 'disk', ...resolve, ...ordered(900) }));
    expect(scenario.alert(anAlert('t', 11, { key: 'disk', ...ordered(11) })).decision.kind).toBe('opened');
  });

  it('forgets a closing when the dedup window after it is over', () => {
    const scenario = new Scenario(aConfig({ windowHours: 1 })).given(
      anAlert('r', 0, { key: 'disk', ...resolve, ...ordered(0) }),
    );
    expect(scenario.alert(anAlert('t', HOUR, { key: 'disk', ...ordered(-1) })).why.reason).toBe('stale');
    expect(scenario.alert(anAlert('u', HOUR + 1, { key: 'disk', ...ordered(-1) })).decision.kind).toBe('opened');
  });
});

describe('alerts with only a recipe key', () => {
  const recipe = (severity: string) => ({
    key: `hash-${severity}`,
    dedupKeyOrigin: 'recipe' as const,
    resolveKey: 'title',
  });
  const two = () => new Scenario().given(anAlert('a', 0, recipe('warning')), anAlert('b', 1, recipe('critical')));

  it('are resolved by the key without severity, the newest open first', () => {
    const scenario = two();
    expect(scenario.alert(anAlert('r', 2, { ...recipe('info'), ...resolve })).decision).toMatchObject({
      alertIds: [alertOf('b')],
    });
    expect(scenario.alert(anAlert('s', 3, { ...recipe('info'), ...resolve })).decision).toMatchObject({
      alertIds: [alertOf('a')],
    });
    expect(scenario.alert(anAlert('t', 4, { ...recipe('info'), ...resolve })).why.reason).toBe('no-open-alert');
  });

  it('are acknowledged and updated the same way, also where the severity equals an older one', () => {
    expect(two().alert(anAlert('k', 2, { ...recipe('warning'), status: 'acknowledged' })).decision).toMatchObject({
      alertId: alertOf('b'),
    });
    expect(two().alert(anAlert('u', 2, { ...recipe('warning'), status: 'update' })).decision).toMatchObject({
      alertId: alertOf('b'),
    });
  });

  it('prefer the exact key where the source gave one', () => {
    const scenario = new Scenario().given(
      anAlert('a', 0, { key: 'one', resolveKey: 'both' }),
      anAlert('b', 1, { key: 'two', resolveKey: 'both' }),
    );
    expect(scenario.alert(anAlert('r', 2, { key: 'one', resolveKey: 'both', ...resolve })).decision).toMatchObject({
      alertIds: [alertOf('a')],
    });
  });
});

describe('an open incident of the same service', () => {
  const active = () => new Scenario().given(anAlert('a', 0, { services: ['db', 'api'] }));

  it('takes in an alert within five minutes of its last alert, and says which service matched', () => {
    const answer = active().alert(anAlert('b', 5, { services: ['web', 'api'] }));
    expect(answer.decision).toEqual({ kind: 'correlated', incidentId: openedBy('a') });
    expect(answer.why.reason).toBe('time-window');
    expect(answer.why.tried.at(-1)?.evidence).toMatchObject({
      matchedService: 'api',
      incidentId: openedBy('a'),
      windowStart: minute(0),
      incidentLastAlertAt: minute(0),
    });
  });

  it('does not take in an alert after the window, nor one of another service, nor one without', () => {
    expect(active().alert(anAlert('b', 5.001, { services: ['db'] })).decision.kind).toBe('opened');
    expect(active().alert(anAlert('b', 1, { services: ['web'] })).decision.kind).toBe('opened');
    expect(active().alert(anAlert('b', 1)).why.tried.at(-2)).toMatchObject({
      step: 'time-window',
      result: 'not-applicable',
      detail: 'no-services',
    });
  });

  it('moves its window with each alert and repeat, and gains the services of what it took in', () => {
    const scenario = active().given(anAlert('b', 4, { services: ['db', 'web'] }), anAlert('c', 8, { key: 'key-a' }));
    expect(scenario.alert(anAlert('d', 12, { services: ['web'] })).decision).toEqual({
      kind: 'correlated',
      incidentId: openedBy('a'),
    });
  });

  it('takes in nothing more than 24 h after it opened', () => {
    const scenario = active();
    for (let at = 4; at <= 24 * HOUR; at += 4) scenario.alert(anAlert(`m${at}`, at, { services: ['db'] }));
    expect(scenario.alert(anAlert('z', 24 * HOUR + 1, { services: ['db'] })).decision.kind).toBe('opened');
  });

  it('is not looked for where the webhook has correlation off', () => {
    const answer = new Scenario(aConfig({ enabled: false }))
      .given(anAlert('a', 0, { services: ['db'] }))
      .alert(anAlert('b', 1, { services: ['db'] }));
    expect(answer.decision.kind).toBe('opened');
    expect(answer.why.tried.at(-2)).toMatchObject({ step: 'time-window', detail: 'disabled' });
  });

  it('is the most recently active one where several match', () => {
    const scenario = new Scenario().given(
      anAlert('a', 0, { services: ['db'] }),
      anAlert('b', 1, { services: ['web'] }),
    );
    expect(scenario.alert(anAlert('c', 2, { services: ['db', 'web'] })).decision).toMatchObject({
      incidentId: openedBy('b'),
    });
  });

  it('is never one of another scope', () =>
    expect(
      active().alert(anAlert('b', 1, { services: ['db'], scope: 'ws_other', workspaceId: 'ws_other' })).decision.kind,
    ).toBe('opened'));

  it('holds the key of what it took in', () => {
    const scenario = active().given(anAlert('b', 1, { key: 'disk', services: ['db'] }));
    expect(scenario.alert(anAlert('c', 2, { key: 'disk' })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: openedBy('a'),
      alertId: alertOf('b'),
    });
  });
});

describe('facts from the incident-store', () => {
  const opened = () =>
    new Scenario().given(
      anAlert('a', 0, { key: 'disk', services: ['db'] }),
      aFact(openedBy('a'), 1, 0, openFact(0, ['db']), ['disk'], alertOf('a')),
    );

  it('a closed incident is named again by its key within the reopen window: the incident-store decides what becomes of it', () => {
    const scenario = opened().fact(aFact(openedBy('a'), 2, 1, { kind: 'closed' }, ['disk'], alertOf('a')));
    const answer = scenario.alert(anAlert('b', 31, { key: 'disk', services: ['db'] }));
    expect(answer.decision).toEqual({ kind: 'deduplicated', incidentId: openedBy('a'), alertId: alertOf('a') });
    expect(answer.why).toMatchObject({ reason: 'recurrence' });
    expect(answer.why.tried.at(-1)?.evidence).toMatchObject({
      closedAt: minute(1),
      reopenMinutes: 30,
      reopenUntil: minute(31),
    });
    expect(scenario.alert(anAlert('c', 32, { services: ['db'] })).decision.kind).toBe('opened');
    expect(scenario.alert(anAlert('r', 32, { key: 'disk', ...resolve })).decision).toMatchObject({
      alertIds: [alertOf('a'), alertOf('b')],
    });
  });

  it('a closed incident takes in nothing after the reopen window: its key opens a new one', () => {
    const scenario = opened().fact(aFact(openedBy('a'), 2, 1, { kind: 'closed' }, ['disk'], alertOf('a')));
    const answer = scenario.alert(anAlert('b', 31.001, { key: 'disk', services: ['db'] }));
    expect(answer.decision).toEqual({ kind: 'opened', incidentId: openedBy('b') });
    expect(answer.why.tried[2]).toMatchObject({ step: 'dedup', result: 'miss', detail: 'incident-closed' });
  });

  it('a closed incident has no open alert to resolve', () => {
    const scenario = opened().fact(aFact(openedBy('a'), 2, 1, { kind: 'closed' }));
    expect(scenario.alert(anAlert('r', 2, { key: 'disk', ...resolve })).why.reason).toBe('no-open-alert');
  });

  it('an older stream version than the last seen changes nothing', () => {
    const scenario = opened().given(
      aFact(openedBy('a'), 5, 3, openFact(3, ['db'])),
      aFact(openedBy('a'), 4, 2, { kind: 'closed' }),
    );
    expect(scenario.alert(anAlert('b', 4, { key: 'disk' })).decision.kind).toBe('deduplicated');
  });

  it('a successor takes over the key that it names', () => {
    const scenario = opened().given(
      aFact(openedBy('a'), 2, 1, { kind: 'closed' }),
      aFact('inc_successor', 1, 2, openFact(2, ['db']), ['disk'], 'alr_new'),
    );
    expect(scenario.alert(anAlert('b', 3, { key: 'disk' })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: 'inc_successor',
      alertId: 'alr_new',
    });
    expect(scenario.alert(anAlert('c', 4, { services: ['db'] })).decision).toEqual({
      kind: 'correlated',
      incidentId: 'inc_successor',
    });
  });

  it('a recurrence that reopened the old incident withdraws the one that was expected', () => {
    const scenario = opened().given(
      aFact(openedBy('a'), 2, 1, { kind: 'closed' }),
      anAlert('b', 40, { key: 'disk', services: ['db'] }),
      aFact(openedBy('a'), 3, 40, openFact(40, ['db']), ['disk'], alertOf('b')),
    );
    expect(scenario.alert(anAlert('c', 41, { services: ['db'] })).decision).toEqual({
      kind: 'correlated',
      incidentId: openedBy('a'),
    });
    expect(scenario.alert(anAlert('d', 41, { key: 'disk' })).decision).toMatchObject({
      kind: 'deduplicated',
      incidentId: openedBy('a'),
      alertId: alertOf('b'),
    });
  });

  it('a fact that is older than the alert which took the key since leaves the key', () => {
    const scenario = opened().given(
      anAlert('b', 25 * HOUR, { key: 'disk' }),
      aFact(openedBy('a'), 2, 24 * HOUR, openFact(0), ['disk'], alertOf('a')),
    );
    expect(scenario.alert(anAlert('c', 25 * HOUR, { key: 'disk' })).decision).toMatchObject({
      incidentId: openedBy('b'),
    });
  });

  it('a key that only a fact named is held', () => {
    const scenario = new Scenario().fact(aFact('inc_given', 3, 0, openFact(0), ['disk'], 'alr_given'));
    expect(scenario.alert(anAlert('b', 1, { key: 'disk' })).decision).toEqual({
      kind: 'deduplicated',
      incidentId: 'inc_given',
      alertId: 'alr_given',
    });
  });

  it('a fact does not open an alert again that was resolved meanwhile', () => {
    const scenario = opened().given(
      anAlert('r', 1, { key: 'disk', ...resolve }),
      aFact(openedBy('a'), 2, 0, openFact(0), ['disk'], alertOf('a')),
    );
    expect(scenario.alert(anAlert('s', 2, { key: 'disk', ...resolve })).why.reason).toBe('no-open-alert');
  });
});

describe('texts that no index takes', () => {
  it('are held under their hash', () => {
    const key = `${'long '.repeat(2000)}\u0000`;
    const scenario = new Scenario().given(anAlert('a', 0, { key, services: [key] }));
    expect(scenario.state.changes().keys[0]).toMatchObject({
      webhookId: WEBHOOK,
      dedupKey: expect.stringMatching(/^text_[a-z2-7]{26}$/) as string,
    });
    expect(scenario.alert(anAlert('b', 1, { key })).decision.kind).toBe('deduplicated');
    expect(scenario.alert(anAlert('c', 1, { services: [key] })).decision.kind).toBe('correlated');
  });
});
