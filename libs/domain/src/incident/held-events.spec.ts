import type { CorrelatedAlert, Decision, NormalizedAlert } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { coalesce } from './coalesce.ts';
import { defaultPolicy } from './policy.ts';
import { RecordAlerts } from './record-alerts.ts';
import type { World } from './world.ts';

const at = (clock: string): string => `2026-05-04T${clock}:00.000Z`;
const anAlert = (id: string, fields: Partial<NormalizedAlert> = {}): NormalizedAlert => ({
  ...{ id, index: 0, receiptId: `rcv_${id}`, workspaceId: 'ws_1', webhookId: 'whk_1', connector: 'generic' },
  ...{ kind: 'alert', status: 'triggered', severity: 'medium', title: 'Disk full', description: '', services: [] },
  ...{ tags: [], source: null, url: null, occurredAt: null, occurredAtOrders: false, receivedAt: at('10:00') },
  ...{ dedupKey: id, dedupKeyOrigin: 'mapping', resolveKey: id, firingKey: null, scope: 'ws_1', incidentType: null },
  ...{ customFields: {}, fields: {}, configRevision: 3, notes: [], ...fields },
});
type Reason = CorrelatedAlert['why']['reason'];
const decided = (alert: NormalizedAlert, decision: Decision, reason: Reason = 'new-alert'): CorrelatedAlert => ({
  ...{ alert, decision, why: { reason, tried: [], configRevision: 3 } },
});
const emptyWorld = (): World => ({
  ...{ incidents: new Map(), holders: [], alerts: new Map(), settled: new Map(), successors: new Map() },
  policyOf: (_, configRevision) => ({ ...defaultPolicy, configRevision }),
});
const opened = (id: string) => decided(anAlert(id), { kind: 'opened', incidentId: 'inc_1' });
const joins = (id: string) => decided(anAlert(id), { kind: 'correlated', incidentId: 'inc_1' }, 'time-window');
const ends = (id: string) =>
  decided(
    anAlert(`end of ${id}`, { status: 'resolved', receivedAt: at('10:05') }),
    { kind: 'resolved', incidentId: 'inc_1', alertIds: [id] },
    'alert-resolved',
  );
const held = (one: CorrelatedAlert, until: string): CorrelatedAlert => ({ ...one, holdUntil: at(until) });
/** Type and hold of each event of the one incident. */
const holdsOf = (...items: CorrelatedAlert[]) => {
  const recorder = new RecordAlerts(emptyWorld());
  for (const item of items) recorder.record(item);
  return recorder
    .plan()
    .changes.flatMap(({ events }) =>
      events.map(({ type, data }) => [type, 'hold_until' in data ? data.hold_until : null]),
    );
};

describe('an alert whose key flaps', () => {
  it('says in each event that it causes until when nobody is told', () => {
    expect(holdsOf(held(opened('a'), '10:20'), held(ends('a'), '10:20'))).toEqual([
      ['IncidentOpened', at('10:20')],
      ['AlertsResolved', at('10:20')],
      ['IncidentResolved', at('10:20')],
    ]);
  });

  it('in one event with one that does not flap is told at once, with others when the first hold ends', () => {
    expect(holdsOf(opened('a'), held(joins('b'), '10:20'), joins('c'))[1]).toEqual(['AlertsAttached', null]);
    expect(holdsOf(opened('a'), held(joins('b'), '10:20'), held(joins('c'), '10:10'))[1]).toEqual([
      ...['AlertsAttached', at('10:10')],
    ]);
  });

  it('leaves events that nobody held as they were', () => {
    const recorder = new RecordAlerts(emptyWorld());
    recorder.record(opened('a'));
    const [change] = recorder.plan().changes;
    expect(coalesce(change?.events ?? []).some(({ data }) => 'hold_until' in data)).toBe(false);
  });
});

describe('an alert that is silenced', () => {
  const muted = (id: string, mutedBy: 'silence' | 'maintenance-window', effect: 'recorded' | 'repeated' = 'recorded') =>
    decided(
      anAlert(`${id} ${effect}`),
      { kind: 'recorded', alertId: `${id} recorded`, effect, mutedBy },
      mutedBy === 'silence' ? 'silenced' : 'maintenance',
    );

  it('is suppressed, for the reason that kept it, and listed without an incident', () => {
    const recorder = new RecordAlerts(emptyWorld());
    expect(recorder.record(muted('a', 'silence'))).toMatchObject({
      ...{ outcome: 'suppressed', reason: 'silenced', incidentId: null, occurrenceCount: 1 },
    });
    expect(recorder.record(muted('b', 'maintenance-window'))).toMatchObject({
      ...{ outcome: 'suppressed', reason: 'maintenance' },
    });
    expect(recorder.plan()).toMatchObject({ changes: [], recorded: [{ status: 'recorded' }, { status: 'recorded' }] });
  });

  it('counts its repeats', () => {
    const recorder = new RecordAlerts(emptyWorld());
    recorder.record(muted('a', 'silence'));
    expect(recorder.record(muted('a', 'silence', 'repeated'))).toMatchObject({
      ...{ outcome: 'suppressed', reason: 'silenced', occurrenceCount: 2, countedOn: 'a recorded' },
    });
  });
});

describe('the incident of a storm', () => {
  it('is named so, and takes in what rolls up', () => {
    const recorder = new RecordAlerts(emptyWorld());
    recorder.record(decided(anAlert('a'), { kind: 'opened', incidentId: 'inc_1', rollUp: true }, 'storm'));
    const second = recorder.record(decided(anAlert('b'), { kind: 'rolled-up', incidentId: 'inc_1' }, 'storm'));
    expect(second).toMatchObject({ outcome: 'rolled-up', reason: 'storm', incidentId: 'inc_1' });
    const [change] = recorder.plan().changes;
    expect(change?.events[0]).toMatchObject({ reason: 'storm', data: { title: 'Alert storm' } });
  });
});
