import type { CorrelatedAlert, NormalizedAlert } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { defaultPolicy, type AlertPolicy } from './policy.ts';
import { RecordAlerts } from './record-alerts.ts';
import { initialState, type Incident } from './state.ts';
import type { KnownAlert, World } from './world.ts';

const at = (clock: string): string => `2026-03-01T${clock}:00.000Z`;
const opened = eventSamples.IncidentOpened.v1;
const first = opened.data.alert.id;
const historyOf = (id: string, ...events: IncidentEvent[]): Incident => fold(initialState(id), [opened, ...events]);
const merged: IncidentEvent = {
  ...eventSamples.IncidentsMerged.v1,
  data: { role: 'merged', into: { incident_id: 'inc_b', number: 2, title: 'B' }, note: null },
};
const closedAt = (clock: string, reason: string | null): IncidentEvent => ({
  ...{ ...eventSamples.IncidentResolved.v1, at: at(clock), reason },
  data: { note: null, alert_id: null, as_of: at(clock), open_alerts: 1 },
});

const known = (incidentId: string, fields: Partial<KnownAlert> = {}): KnownAlert => ({
  ...{ id: first, incidentId, webhookId: 'whk_1', status: 'resolved', severity: 'medium', occurrences: 1 },
  ...{ firingKey: 'f1', firstSeenAt: at('09:00'), lastSeenAt: at('09:00'), ...fields },
});
const repeat = (clock: string, fields: Partial<NormalizedAlert> = {}): CorrelatedAlert => ({
  alert: {
    ...{ id: 'alr_2', index: 0, receiptId: 'rcv_2', workspaceId: 'ws_1', webhookId: 'whk_1', connector: 'prometheus' },
    ...{
      kind: 'alert',
      status: 'triggered',
      severity: 'medium',
      title: 'Disk',
      description: '',
      services: [],
      tags: [],
    },
    // The firing began long before: that is no time of this record.
    ...{ source: null, url: null, occurredAt: at('08:00'), occurredAtOrders: true, receivedAt: at(clock) },
    ...{ dedupKey: 'db-7/disk', dedupKeyOrigin: 'connector', resolveKey: 'db-7/disk', firingKey: 'f1', scope: 's' },
    ...{ incidentType: null, customFields: {}, fields: {}, configRevision: 1, notes: [], ...fields },
  },
  decision: { kind: 'deduplicated', incidentId: 'inc_a', alertId: first },
  why: { reason: 'same-dedup-key', tried: [], configRevision: 1 },
});

function record(one: CorrelatedAlert, world: Partial<World>, policy: Partial<AlertPolicy> = {}) {
  const recorder = new RecordAlerts({
    ...{ incidents: new Map(), holders: [], alerts: new Map(), settled: new Map(), successors: new Map() },
    policyOf: (_, configRevision) => ({ ...defaultPolicy, ...policy, configRevision }),
    ...world,
  });
  const answer = recorder.record(one);
  const plan = recorder.plan();
  const after = (id: string): Incident => {
    const change = plan.changes.find(({ before }) => before.id === id);
    return change ? fold(change.before, change.events) : (world.incidents?.get(id) ?? initialState(id));
  };
  return { answer, plan, after };
}

describe('an alert whose incident was merged away', () => {
  const incidents = new Map([
    ['inc_a', historyOf('inc_a', merged, closedAt('09:30', 'merged'))],
    ['inc_b', historyOf('inc_b')],
  ]);

  it('reaches the survivor, also where it had changed before the merge', () => {
    const world = { incidents, successors: new Map([['inc_a', 'inc_b']]), alerts: new Map([[first, known('inc_b')]]) };
    const { answer, after } = record(repeat('10:00'), world);
    expect(answer).toMatchObject({ incidentId: 'inc_b', outcome: 'deduplicated' });
    expect(after('inc_b')).toMatchObject({ status: 'open', openAlerts: 2 });
    expect(after('inc_a')).toBe(incidents.get('inc_a'));
  });

  it('reaches it by service, too, and through the next merge', () => {
    const twice = new Map([
      ...incidents,
      ['inc_b', historyOf('inc_b', merged, closedAt('09:40', 'merged'))] as const,
      ['inc_c', historyOf('inc_c')] as const,
    ]);
    const joins: CorrelatedAlert = { ...repeat('10:00'), decision: { kind: 'correlated', incidentId: 'inc_a' } };
    const successors = new Map([
      ['inc_a', 'inc_b'],
      ['inc_b', 'inc_c'],
    ]);
    expect(record(joins, { incidents: twice, successors }).answer).toMatchObject({ incidentId: 'inc_c' });
  });
});

it('a repeat of an alert that a person moved goes where the alert is', () => {
  const incidents = new Map([
    ['inc_a', historyOf('inc_a')],
    ['inc_b', historyOf('inc_b')],
  ]);
  const { answer } = record(repeat('10:00'), { incidents, alerts: new Map([[first, known('inc_b')]]) });
  expect(answer).toMatchObject({ incidentId: 'inc_b', outcome: 'deduplicated' });
});

describe('an incident that a timer closed', () => {
  const incidents = (reason: string | null) => new Map([['inc_a', historyOf('inc_a', closedAt('09:30', reason))]]);
  const alerts = new Map([[first, known('inc_a')]]);

  it('opens again when its source still vouches for the firing, whenever that began', () => {
    const { answer, after } = record(repeat('09:45'), { incidents: incidents('end-passed'), alerts });
    expect(answer).toMatchObject({ outcome: 'reopened', incidentId: 'inc_a' });
    expect(after('inc_a')).toMatchObject({ status: 'open' });
  });

  it('but one that a person closed stays closed for the firing that it was closed for', () => {
    const { answer, after } = record(repeat('09:45'), { incidents: incidents(null), alerts });
    expect(answer.outcome).toBe('repeated');
    expect(after('inc_a')).toMatchObject({ status: 'resolved' });
  });
});

describe('deadlines', () => {
  const held = { alerts: new Map([[first, known('inc_a', { status: 'open', lastSeenAt: at('09:10') })]]) };
  const holders = [
    {
      ...{ workspaceId: 'ws_1', scope: 's', webhookId: 'whk_1', dedupKey: 'db-7/disk', resolveKey: 'db-7/disk' },
      ...{ incidentId: 'inc_a', alertId: first },
    },
  ];
  const world = { ...held, holders, incidents: new Map([['inc_a', historyOf('inc_a')]]) };

  it('move on with every refresh, though that writes no event', () => {
    const { plan } = record(repeat('09:20', { endsAt: at('09:24') }), world);
    expect(plan.changes).toEqual([]);
    expect(plan.activity).toMatchObject([
      { alertId: first, lastSeenAt: at('09:20'), deadline: { at: at('09:24'), reason: 'end-passed' } },
    ]);
  });

  it('are not taken back by a record that is older than the newest', () => {
    const { plan } = record(repeat('09:05', { endsAt: at('09:09') }), world);
    expect(plan.activity).toMatchObject([{ lastSeenAt: at('09:10'), deadline: null }]);
  });

  it('are set by a new alert, and of the quiet time where the webhook has one', () => {
    const { plan } = record(
      { ...repeat('09:20'), decision: { kind: 'opened', incidentId: 'inc_n' } },
      {},
      { autoResolveMinutes: 30 },
    );
    expect(plan.activity).toMatchObject([{ alertId: 'alr_2', deadline: { at: at('09:50'), reason: 'quiet' } }]);
  });
});

describe('the severity policy', () => {
  const worse = repeat('09:20', { severity: 'critical', firingKey: null });
  const holders = [
    {
      ...{ workspaceId: 'ws_1', scope: 's', webhookId: 'whk_1', dedupKey: 'db-7/disk', resolveKey: 'db-7/disk' },
      ...{ incidentId: 'inc_a', alertId: first },
    },
  ];
  const world = {
    ...{ holders, alerts: new Map([[first, known('inc_a', { status: 'open' })]]) },
    incidents: new Map([['inc_a', historyOf('inc_a')]]),
  };

  it.each([
    ['highest', 'critical', 'critical', 'hit'],
    ['latest', 'low', 'low', 'hit'],
    ['highest', 'low', 'medium', 'miss'],
    ['first', 'critical', 'medium', 'miss'],
  ] as const)('%s makes of a %s repeat: %s, and says so in the why', (severityPolicy, severity, after, result) => {
    const one = { ...worse, alert: { ...worse.alert, severity } };
    const { answer, after: incidentAfter } = record(one, world, { severityPolicy });
    expect(incidentAfter('inc_a')).toMatchObject({ severity: after });
    expect(answer.why?.tried).toEqual([
      { step: 'severity', result, detail: severityPolicy, evidence: { incident: 'medium', alert: severity, after } },
    ]);
  });
});
