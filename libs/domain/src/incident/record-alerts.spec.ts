import {
  eventIdOf,
  successorIncidentIdOf,
  type CorrelatedAlert,
  type Decision,
  type NormalizedAlert,
} from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { fold } from './evolve.ts';
import { defaultPolicy, type AlertPolicy } from './policy.ts';
import { RecordAlerts } from './record-alerts.ts';
import { initialState, type Incident } from './state.ts';
import type { AlertSettled, BatchPlan, KeyHolder, KnownAlert, World } from './world.ts';

const at = (clock: string): string => `2026-05-04T${clock}:00.000Z`;

function anAlert(id: string, overrides: Partial<NormalizedAlert> = {}): NormalizedAlert {
  return {
    ...{
      id,
      index: 0,
      receiptId: `rcv_${id}`,
      workspaceId: 'ws_1',
      webhookId: 'whk_1',
      connector: 'generic',
      kind: 'alert' as const,
    },
    ...{
      status: 'triggered' as const,
      severity: 'medium' as const,
      title: 'Disk full',
      description: 'db-7',
      services: ['db'],
      tags: [],
    },
    ...{ source: null, url: null, occurredAt: null, occurredAtOrders: false, receivedAt: at('10:00'), dedupKey: 'k1' },
    ...{ dedupKeyOrigin: 'mapping' as const, resolveKey: 'k1', firingKey: null, scope: 'ws_1', incidentType: null },
    ...{ customFields: {}, fields: {}, configRevision: 3, notes: [] },
    ...overrides,
  };
}
const correlated = (
  alert: NormalizedAlert,
  decision: Decision,
  reason: CorrelatedAlert['why']['reason'] = 'new-alert',
): CorrelatedAlert => ({
  alert,
  decision,
  why: { reason, tried: [], configRevision: 3 },
});
const opened = (alert: NormalizedAlert, incidentId: string) => correlated(alert, { kind: 'opened', incidentId });
const repeated = (alert: NormalizedAlert, incidentId: string, alertId: string) =>
  correlated(alert, { kind: 'deduplicated', incidentId, alertId }, 'same-dedup-key');
const joins = (alert: NormalizedAlert, incidentId: string) =>
  correlated(alert, { kind: 'correlated', incidentId }, 'time-window');
const over = (alert: NormalizedAlert, incidentId: string, ...alertIds: string[]) =>
  correlated({ ...alert, status: 'resolved' }, { kind: 'resolved', incidentId, alertIds }, 'alert-resolved');

/** Plays batches against a world that is kept between them, as the store keeps it. */
function play(policy: Partial<AlertPolicy> = {}) {
  const incidents = new Map<string, Incident>();
  let holders: KeyHolder[] = [];
  const alerts = new Map<string, KnownAlert>();
  const settled = new Map<string, AlertSettled>();
  const successors = new Map<string, string>();
  const policyOf = (_: string, configRevision: number): AlertPolicy => ({
    ...defaultPolicy,
    ...policy,
    configRevision,
  });

  function keep(plan: BatchPlan): void {
    for (const { before, events } of plan.changes)
      incidents.set(before.id, fold(incidents.get(before.id) ?? initialState(before.id), events));
    holders = holders.filter(
      (h) => !plan.releasedAlerts.includes(h.alertId) && !plan.releasedIncidents.includes(h.incidentId),
    );
    holders.push(...plan.acquired);
    for (const one of plan.settled) settled.set(one.alertId, one);
    for (const one of plan.successors) successors.set(one.incidentId, one.successorId);
    for (const { alertId, ...rest } of plan.activity) {
      const counted = plan.settled.filter(
        (s) => s.countedOn === alertId && (s.outcome === 'deduplicated' || s.alertId === alertId),
      ).length;
      const known = alerts.get(alertId);
      alerts.set(alertId, {
        status: 'open',
        severity: 'medium',
        webhookId: 'whk_1',
        ...rest,
        id: alertId,
        occurrences: (known?.occurrences ?? 0) + counted,
      });
    }
    for (const alert of alerts.values()) {
      const incident = incidents.get(alert.incidentId);
      const held = holders.some((holder) => holder.alertId === alert.id);
      if (incident?.status === 'resolved' || !held) alerts.set(alert.id, { ...alert, status: 'resolved' });
    }
  }
  return {
    incidents,
    holders: () => holders,
    resolveByPerson(id: string, clock: string) {
      const actor = { kind: 'api-key' as const, id: 'tsk_1', name: null };
      const data = { note: null, alert_id: null, as_of: at(clock), open_alerts: 1 };
      const envelope = {
        schemaVersion: 1 as const,
        at: at(clock),
        actor,
        causeId: `cmd_${clock}`,
        reason: null,
        configRevision: 0,
      };
      incidents.set(id, fold(incidents.get(id) ?? initialState(id), [{ ...envelope, type: 'IncidentResolved', data }]));
      holders = holders.filter((holder) => holder.incidentId !== id);
      for (const alert of alerts.values())
        if (alert.incidentId === id) alerts.set(alert.id, { ...alert, status: 'resolved' });
    },
    batch(...items: CorrelatedAlert[]) {
      const world: World = { incidents, holders, alerts, settled, successors, policyOf };
      const recorder = new RecordAlerts(world);
      const answers = items.map((item) => recorder.record(item));
      const plan = recorder.plan();
      keep(plan);
      const types = plan.changes.map(({ before, events }) => [before.id, ...events.map((event) => event.type)]);
      return {
        answers,
        plan,
        types,
        told: answers.map(({ outcome, reason, incidentId, occurrenceCount }) => [
          outcome,
          reason,
          incidentId,
          occurrenceCount,
        ]),
      };
    },
  };
}

describe('an alert whose target does not exist', () => {
  it('opens it under the given id and holds its key', () => {
    const store = play();
    const { told, types } = store.batch(opened(anAlert('a1'), 'inc_1'));
    expect(told).toEqual([['created', 'new-alert', 'inc_1', 1]]);
    expect(types).toEqual([['inc_1', 'IncidentOpened']]);
    expect(store.holders()).toMatchObject([{ dedupKey: 'k1', incidentId: 'inc_1', alertId: 'a1' }]);
  });

  it('opens it although the correlator thought that it joins one', () => {
    const { told } = play().batch(joins(anAlert('a1'), 'inc_lost'));
    expect(told).toEqual([['created', 'new-alert', 'inc_lost', 1]]);
  });
});

describe('an open incident', () => {
  it('counts repeats of a batch in one event and raises the severity to the highest', () => {
    const store = play();
    const repeats = ['a2', 'a3', 'a4'].map((id) =>
      repeated(anAlert(id, { severity: id === 'a3' ? 'high' : 'low' }), 'inc_1', 'a1'),
    );
    const { told, types } = store.batch(opened(anAlert('a1'), 'inc_1'), ...repeats);
    expect(told.at(-1)).toEqual(['deduplicated', 'same-dedup-key', 'inc_1', 4]);
    expect(types).toEqual([['inc_1', 'IncidentOpened', 'OccurrencesCounted', 'SeverityChanged']]);
    expect(store.incidents.get('inc_1')).toMatchObject({
      status: 'open',
      occurrences: 4,
      severity: 'high',
      version: 3,
    });
  });

  it('takes alerts of other keys in as correlated and resolves with the last of them', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'), joins(anAlert('a2', { dedupKey: 'k2', resolveKey: 'k2' }), 'inc_1'));
    const first = store.batch(over(anAlert('r1', { receivedAt: at('10:05') }), 'inc_1', 'a1'));
    expect(first.told).toEqual([['resolved', 'other-alerts-open', 'inc_1', 1]]);
    const last = store.batch(over(anAlert('r2', { receivedAt: at('10:06') }), 'inc_1', 'a2'));
    expect(last.told).toEqual([['resolved', 'all-alerts-resolved', 'inc_1', 1]]);
    expect(last.types).toEqual([['inc_1', 'AlertsResolved', 'IncidentResolved']]);
    expect(store.incidents.get('inc_1')).toMatchObject({
      status: 'resolved',
      correlated: 1,
      occurrences: 1,
      resolvedAt: at('10:06'),
    });
    expect(store.holders()).toEqual([]);
  });

  it('resolves with the first of them under the policy any, and never under never', () => {
    const any = play({ resolvePolicy: 'any' });
    any.batch(opened(anAlert('a1'), 'inc_1'), joins(anAlert('a2', { dedupKey: 'k2' }), 'inc_1'));
    any.batch(over(anAlert('r1'), 'inc_1', 'a1'));
    expect(any.incidents.get('inc_1')).toMatchObject({ status: 'resolved', openAlerts: 0 });
    const never = play({ resolvePolicy: 'never' });
    never.batch(opened(anAlert('a1'), 'inc_1'));
    never.batch(over(anAlert('r1'), 'inc_1', 'a1'));
    expect(never.incidents.get('inc_1')).toMatchObject({ status: 'open', openAlerts: 0 });
  });

  it('writes no event for a repeat of the same firing', () => {
    const store = play();
    store.batch(opened(anAlert('a1', { firingKey: 'f1' }), 'inc_1'));
    const again = store.batch(repeated(anAlert('a2', { firingKey: 'f1', receivedAt: at('11:00') }), 'inc_1', 'a1'));
    expect(again.told).toEqual([['repeated', 'same-firing', 'inc_1', 1]]);
    expect(again.types).toEqual([]);
    expect(again.plan.activity).toMatchObject([{ alertId: 'a1', lastSeenAt: at('11:00') }]);
  });

  it('answers an alert that comes twice with its first outcome and does nothing', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'));
    const again = store.batch(
      correlated(anAlert('a1'), { kind: 'skipped' }, 'already-processed'),
      opened(anAlert('a1'), 'inc_1'),
    );
    expect(again.told).toEqual([
      ['created', 'new-alert', 'inc_1', 1],
      ['created', 'new-alert', 'inc_1', 1],
    ]);
    expect(again.plan).toMatchObject({ changes: [], settled: [], acquired: [] });
  });

  it('is acknowledged by its source once', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'));
    const ack = (id: string) =>
      correlated(anAlert(id), { kind: 'acknowledged', incidentId: 'inc_1', alertId: 'a1' }, 'source-acknowledged');
    const { told } = store.batch(ack('b1'), ack('b2'));
    expect(told.map(([outcome, reason]) => [outcome, reason])).toEqual([
      ['acknowledged', 'source-acknowledged'],
      ['ignored', 'already-acknowledged'],
    ]);
  });

  it('takes a new title from its opening alert', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'));
    const update = correlated(
      anAlert('u1', { title: 'Disk fuller' }),
      { kind: 'updated', incidentId: 'inc_1', alertId: 'a1' },
      'source-updated',
    );
    expect(store.batch(update).types).toEqual([['inc_1', 'IncidentEdited']]);
    expect(store.incidents.get('inc_1')).toMatchObject({ title: 'Disk fuller' });
  });
});

describe('a key that another incident holds', () => {
  it('makes an opened alert a duplicate of the holder, and the correlator is told', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'));
    const { told, plan } = store.batch(opened(anAlert('a2'), 'inc_2'));
    expect(told).toEqual([['deduplicated', 'same-dedup-key', 'inc_1', 2]]);
    expect(plan.facts).toMatchObject([{ incidentId: 'inc_1', keys: [{ dedupKey: 'k1', alertId: 'a1' }] }]);
    expect(plan.unopened).toMatchObject([{ incidentId: 'inc_2' }]);
    expect(plan.successors).toEqual([{ incidentId: 'inc_2', successorId: 'inc_1', workspaceId: 'ws_1' }]);
  });

  it('lets later records of the incident that never was find the holder, a resolve of the counted alert too', () => {
    const store = play();
    store.batch(opened(anAlert('a1'), 'inc_1'));
    store.batch(opened(anAlert('a2'), 'inc_2'));
    expect(store.batch(joins(anAlert('a3', { dedupKey: 'k3' }), 'inc_2')).told).toEqual([
      ['correlated', 'time-window', 'inc_1', 1],
    ]);
    expect(store.batch(over(anAlert('r1'), 'inc_2', 'a2')).told).toEqual([
      ['resolved', 'other-alerts-open', 'inc_1', 2],
    ]);
  });

  it('is taken over by a new incident once its window has passed', () => {
    const store = play({ windowHours: 1 });
    store.batch(opened(anAlert('a1'), 'inc_1'));
    const { told, plan } = store.batch(opened(anAlert('a2', { receivedAt: at('11:01') }), 'inc_2'));
    expect(told).toEqual([['created', 'taken-over', 'inc_2', 1]]);
    expect(plan.releasedAlerts).toEqual(['a1']);
    expect(store.holders()).toMatchObject([{ dedupKey: 'k1', incidentId: 'inc_2', alertId: 'a2' }]);
    expect(store.incidents.get('inc_1')?.status).toBe('open');
  });
});

describe('an incident that a person has resolved at 10:10', () => {
  function closed(policy: Partial<AlertPolicy> = {}) {
    const store = play(policy);
    store.batch(opened(anAlert('a1'), 'inc_1'));
    store.resolveByPerson('inc_1', '10:10');
    return store;
  }

  it('takes in an alert that changed before, and stays closed', () => {
    const store = closed();
    const { told, types } = store.batch(repeated(anAlert('a2', { receivedAt: at('10:09') }), 'inc_1', 'a1'));
    expect(told).toEqual([['deduplicated', 'incident-closed', 'inc_1', 2]]);
    expect(types).toEqual([['inc_1', 'OccurrencesCounted']]);
    const other = store.batch(joins(anAlert('a3', { dedupKey: 'k3', receivedAt: at('10:10') }), 'inc_1'));
    expect(other.told).toEqual([['correlated', 'incident-closed', 'inc_1', 1]]);
    expect(store.incidents.get('inc_1')).toMatchObject({
      status: 'resolved',
      openAlerts: 0,
      occurrences: 2,
      correlated: 1,
    });
    expect(store.holders()).toEqual([]);
  });

  it('goes by the source time of the change where the connector says that it orders', () => {
    const late = anAlert('a2', { occurredAt: at('10:05'), occurredAtOrders: true, receivedAt: at('10:20') });
    expect(closed().batch(repeated(late, 'inc_1', 'a1')).told[0]?.[1]).toBe('incident-closed');
  });

  it('goes by the time of the change where it stands beside the time of occurrence', () => {
    const times = { occurredAt: at('10:05'), occurredAtOrders: true, changedAt: at('10:19'), receivedAt: at('10:20') };
    expect(closed().batch(repeated(anAlert('a2', times), 'inc_1', 'a1')).told[0]?.[0]).toBe('reopened');
  });

  it('reopens for an alert that changed within 30 minutes after it', () => {
    const store = closed();
    const { told, types, plan } = store.batch(repeated(anAlert('a2', { receivedAt: at('10:40') }), 'inc_1', 'a1'));
    expect(told).toEqual([['reopened', 'recurrence', 'inc_1', 1]]);
    expect(types).toEqual([['inc_1', 'IncidentReopened', 'AlertsAttached']]);
    expect(store.incidents.get('inc_1')).toMatchObject({ status: 'open', occurrences: 2, openAlerts: 1 });
    expect(plan.facts).toMatchObject([{ incidentId: 'inc_1', keys: [{ alertId: 'a2' }] }]);
  });

  it('hands over to a successor after that, and later records follow', () => {
    const store = closed();
    const { told, plan } = store.batch(repeated(anAlert('a2', { receivedAt: at('10:41') }), 'inc_1', 'a1'));
    const successor = successorIncidentIdOf('inc_1', eventIdOf('inc_1', 2));
    expect(told).toEqual([['created', 'successor', successor, 1]]);
    expect(plan.facts).toMatchObject([{ incidentId: successor, keys: [{ alertId: 'a2' }] }]);
    expect(store.incidents.get(successor)).toMatchObject({ status: 'open', predecessorId: 'inc_1' });
    const next = store.batch(
      joins(anAlert('a3', { dedupKey: 'k3', receivedAt: at('10:42') }), 'inc_1'),
      joins(anAlert('a4', { dedupKey: 'k4', receivedAt: at('10:09') }), 'inc_1'),
    );
    expect(next.told.map(([, reason, id]) => [reason, id])).toEqual([
      ['time-window', successor],
      ['incident-closed', 'inc_1'],
    ]);
  });

  it('has the same successor when everything happens in one batch', () => {
    const store = play({ reopenMinutes: 5 });
    const { told, types } = store.batch(
      opened(anAlert('a1'), 'inc_1'),
      over(anAlert('r1', { receivedAt: at('10:10') }), 'inc_1', 'a1'),
      repeated(anAlert('a2', { receivedAt: at('10:41') }), 'inc_1', 'a1'),
    );
    const successor = successorIncidentIdOf('inc_1', eventIdOf('inc_1', 3));
    expect(told.map(([outcome]) => outcome)).toEqual(['created', 'resolved', 'created']);
    expect(types).toEqual([
      ['inc_1', 'IncidentOpened', 'AlertsResolved', 'IncidentResolved'],
      [successor, 'IncidentOpened'],
    ]);
  });

  it('ignores a resolve that comes too late', () => {
    expect(closed().batch(over(anAlert('r1'), 'inc_1', 'a1')).told).toEqual([
      ['ignored', 'incident-closed', 'inc_1', null],
    ]);
  });
});
