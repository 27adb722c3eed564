import type { CorrelatedAlert, Decision, NormalizedAlert } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coalesce } from './coalesce.ts';
import { decide, isRejection, type IncidentCommand } from './decide.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { evolve, fold } from './evolve.ts';
import { publicIncident } from './public-incident.ts';
import { defaultPolicy } from './policy.ts';
import { RecordAlerts } from './record-alerts.ts';
import { exists, initialState, type Incident } from './state.ts';
import type { AlertSettled, World } from './world.ts';

const samples = Object.values(eventSamples).map((versions) => versions.v1);
const anyEvents = fc.array(fc.constantFrom(...samples), { maxLength: 30 });
const commands: IncidentCommand[] = [
  { kind: 'acknowledge', note: null },
  { kind: 'resolve', note: 'done' },
  { kind: 'comment', text: 'seen' },
  { kind: 'reopen', note: null },
  { kind: 'snooze', until: '2026-06-01T01:00:00.000Z', note: null },
  { kind: 'unsnooze', note: null },
  { kind: 'end-snooze', snoozedByVersion: 3 },
  { kind: 'suppress', note: null },
  { kind: 'assign', assignee: 'ada' },
  { kind: 'edit', fields: { title: 'Other', priority: 'P1' }, severity: 'low' },
];
const context = {
  at: '2026-06-01T00:00:00.000Z',
  actor: { kind: 'system' as const, id: null, name: null },
  causeId: 'cmd_x',
  configRevision: 0,
};
const legal: Record<Incident['status'], Incident['status'][]> = {
  none: ['none', 'open'],
  open: ['open', 'acknowledged', 'snoozed', 'suppressed', 'resolved'],
  acknowledged: ['open', 'acknowledged', 'snoozed', 'suppressed', 'resolved'],
  snoozed: ['open', 'acknowledged', 'snoozed', 'suppressed', 'resolved'],
  suppressed: ['open', 'acknowledged', 'snoozed', 'suppressed', 'resolved'],
  resolved: ['resolved', 'open'],
};

/** Leaves out resolves of alerts that are not open: deciders never say them. */
function possible(events: IncidentEvent[]): IncidentEvent[] {
  let state: Incident = initialState('inc_1');
  return events.filter((event) => {
    if (event.type === 'AlertsResolved' && (!exists(state) || state.openAlerts === 0)) return false;
    state = evolve(state, event);
    return true;
  });
}

/** Any history that the store can meet: alerts of a few keys over an hour, with whatever the correlator may have said about them. */
interface Step {
  key: number;
  kind: Decision['kind'];
  minute: number;
  target: number;
  severity: NormalizedAlert['severity'];
  repeatOf: number;
}
const aStep: fc.Arbitrary<Step> = fc.record({
  key: fc.integer({ min: 0, max: 2 }),
  kind: fc.constantFrom<Decision['kind'][]>(
    'opened',
    'deduplicated',
    'correlated',
    'resolved',
    'acknowledged',
    'updated',
    'ignored',
    'skipped',
  ),
  minute: fc.integer({ min: 0, max: 200 }),
  target: fc.integer({ min: 0, max: 3 }),
  severity: fc.constantFrom('critical', 'high', 'medium', 'low', 'info'),
  repeatOf: fc.integer({ min: 0, max: 30 }),
});

function correlatedOf(step: Step, index: number): CorrelatedAlert {
  const receivedAt = new Date(Date.UTC(2026, 5, 1) + step.minute * 60_000).toISOString();
  const incidentId = `inc_${step.target}`;
  const alertId = `alr_${step.repeatOf}`;
  const decision = { kind: step.kind, incidentId, alertId, alertIds: [alertId] } as Decision;
  const alert: NormalizedAlert = {
    ...{
      id: `alr_${index}`,
      index: 0,
      receiptId: `rcv_${index}`,
      workspaceId: 'ws_1',
      webhookId: 'whk_1',
      connector: 'generic',
      kind: 'alert',
    },
    ...{
      status: 'triggered',
      severity: step.severity,
      title: `t${step.key}`,
      description: '',
      services: [`s${step.key}`],
      tags: [],
    },
    ...{
      source: null,
      url: null,
      occurredAt: null,
      occurredAtOrders: false,
      receivedAt,
      dedupKey: `k${step.key}`,
      dedupKeyOrigin: 'mapping',
    },
    ...{
      resolveKey: `k${step.key}`,
      firingKey: null,
      scope: 'ws_1',
      incidentType: null,
      customFields: {},
      fields: {},
      configRevision: 1,
      notes: [],
    },
  };
  return { alert, decision, why: { reason: 'new-alert', tried: [], configRevision: 1 } };
}

const emptyWorld: World = {
  incidents: new Map(),
  holders: [],
  alerts: new Map(),
  settled: new Map(),
  successors: new Map(),
  policyOf: (_, configRevision) => ({ ...defaultPolicy, configRevision }),
};

describe('any history', () => {
  it('folds without a throw, and every transition of the status is legal', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        let state: Incident = initialState('inc_1');
        for (const event of events) {
          const next = evolve(state, event);
          expect(legal[state.status]).toContain(next.status);
          expect(next.version).toBe(next.status === 'none' ? 0 : state.version + 1);
          state = next;
        }
      }),
    );
  });

  it('lets every command decide, and what it decides folds', () => {
    fc.assert(
      fc.property(anyEvents, fc.constantFrom(...commands), (events, command) => {
        const state = fold(initialState('inc_1'), events);
        const decided = decide(command, state, context);
        if (isRejection(decided)) return;
        expect(exists(fold(state, decided))).toBe(true);
      }),
    );
  });

  it('is the same incident after its events were made plural, apart from their number', () => {
    const withoutVersions = ({ version: _v, ...state }: Incident) => ({
      ...state,
      closedByVersion: 0,
      snoozedByVersion: 0,
    });
    fc.assert(
      fc.property(anyEvents, (events) => {
        const history = possible([eventSamples.IncidentOpened.v1, ...events]);
        const plural = coalesce(history);
        expect(plural.length).toBeLessThanOrEqual(history.length);
        expect(withoutVersions(fold(initialState('inc_1'), plural))).toEqual(
          withoutVersions(fold(initialState('inc_1'), history)),
        );
      }),
    );
  });
});

describe('any batch of correlated alerts', () => {
  it('loses no alert: every firing one is counted exactly once, in the answers and in the incidents', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
        const recorder = new RecordAlerts(emptyWorld);
        const answers: AlertSettled[] = steps.map((step, index) => recorder.record(correlatedOf(step, index)));
        const plan = recorder.plan();
        expect(plan.settled).toHaveLength(steps.length);
        const counted = new Map<string, number>();
        for (const answer of answers)
          if (['created', 'deduplicated', 'correlated', 'reopened'].includes(answer.outcome))
            counted.set(answer.incidentId ?? '', (counted.get(answer.incidentId ?? '') ?? 0) + 1);
        const after = plan.changes.map(({ before, events }) => fold(before, events)).filter(exists);
        for (const incident of after)
          expect(incident.occurrences + incident.correlated).toBe(counted.get(incident.id) ?? 0);
        const firing = steps.filter(
          ({ kind }) => kind === 'opened' || kind === 'deduplicated' || kind === 'correlated',
        ).length;
        expect(after.reduce((sum, incident) => sum + incident.occurrences + incident.correlated, 0)).toBe(firing);
        expect(after.map((incident) => publicIncident(incident).webhook_occurrence_count)).not.toContain(0);
      }),
    );
  });

  it('leaves at most one holder per key, and only on live incidents with that many open alerts', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
        const recorder = new RecordAlerts(emptyWorld);
        steps.forEach((step, index) => recorder.record(correlatedOf(step, index)));
        const plan = recorder.plan();
        const live = new Map(plan.changes.map(({ before, events }) => [before.id, fold(before, events)]));
        expect(new Set(plan.acquired.map((holder) => holder.dedupKey)).size).toBe(plan.acquired.length);
        for (const holder of plan.acquired)
          expect(['open', 'acknowledged']).toContain(live.get(holder.incidentId)?.status);
        for (const incident of live.values())
          if (exists(incident))
            expect(incident.openAlerts).toBeGreaterThanOrEqual(
              plan.acquired.filter((holder) => holder.incidentId === incident.id).length,
            );
      }),
    );
  });
});
