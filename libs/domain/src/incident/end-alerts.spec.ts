import { describe, expect, it } from 'vitest';
import { decide, isRejection } from './decide.ts';
import type { OverdueAlert } from './end-alerts.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { deadlineOf, defaultPolicy, type ResolvePolicy } from './policy.ts';
import { initialState } from './state.ts';

const opened = eventSamples.IncidentOpened.v1;
const attached = eventSamples.AlertsAttached.v1;
const first = opened.data.alert.id;
const second = attached.data.alerts[0]!.id;
const context = {
  at: '2026-03-01T12:00:00.000Z',
  actor: { kind: 'system' as const, id: null, name: 'auto-resolve timer' },
  causeId: 'tmr_1',
  configRevision: 4,
};
const late = (alertId: string, reason: OverdueAlert['deadline']['reason'], clock = '11:00'): OverdueAlert => ({
  alertId,
  deadline: { at: `2026-03-01T${clock}:00.000Z`, reason },
});

function end(overdue: OverdueAlert[], events: IncidentEvent[], resolvePolicy: ResolvePolicy = 'all') {
  const incident = fold(initialState('inc_1'), events);
  const decided = decide({ kind: 'end-alerts', overdue, resolvePolicy }, incident, context);
  return {
    decided: isRejection(decided) ? [] : decided,
    rejected: decided,
    after: fold(incident, isRejection(decided) ? [] : decided),
  };
}

describe('alerts of which nothing was heard', () => {
  it('are over, and the incident with the last one, as of the deadline', () => {
    const { decided, after } = end([late(first, 'end-passed')], [opened]);
    expect(decided).toMatchObject([
      { type: 'AlertsResolved', reason: 'end-passed', data: { alerts: [{ alert_id: first, by_alert_id: first }] } },
      { type: 'IncidentResolved', reason: 'end-passed', data: { as_of: '2026-03-01T11:00:00.000Z', open_alerts: 0 } },
    ]);
    expect(after).toMatchObject({ status: 'resolved', byTimer: true, asOf: '2026-03-01T11:00:00.000Z' });
  });

  it('leave the incident open while others are', () => {
    const { decided, after } = end([late(first, 'quiet')], [opened, attached]);
    expect(decided.map(({ type }) => type)).toEqual(['AlertsResolved']);
    expect(after).toMatchObject({ status: 'open', openAlerts: 1 });
  });

  it('say for each kind of end why, and the incident the reason of the last', () => {
    const overdue = [late(first, 'quiet', '11:30'), late(second, 'end-passed', '11:00')];
    const { decided } = end(overdue, [opened, attached]);
    expect(decided.map(({ type, reason }) => [type, reason])).toEqual([
      ['AlertsResolved', 'end-passed'],
      ['AlertsResolved', 'quiet'],
      ['IncidentResolved', 'quiet'],
    ]);
  });

  it.each<[ResolvePolicy, OverdueAlert['deadline']['reason'], string]>([
    ['never', 'end-passed', 'open'],
    ['never', 'quiet', 'resolved'],
    ['all', 'quiet', 'resolved'],
  ])('follow the policy: %s after %s', (policy, reason, status) => {
    expect(end([late(first, reason)], [opened], policy).after.status).toBe(status);
  });

  it('close an incident of several with the policy any', () => {
    expect(end([late(first, 'end-passed')], [opened, attached], 'any').after).toMatchObject({ status: 'resolved' });
  });

  it('are left alone by a timer that comes too late', () => {
    expect(end([], [opened]).rejected).toEqual({ rejected: 'stale-timer' });
    const closed = [opened, eventSamples.IncidentResolved.v1];
    expect(end([late(first, 'quiet')], closed).rejected).toEqual({ rejected: 'stale-timer' });
  });

  it('go in events of at most 200', () => {
    const overdue = Array.from({ length: 401 }, (_, index) => late(`alr_${index}`, 'quiet'));
    const sizes = end(overdue, [opened]).decided.flatMap((event) =>
      event.type === 'AlertsResolved' ? [event.data.alerts.length] : [],
    );
    expect(sizes).toEqual([200, 200, 1]);
  });
});

describe('a deadline', () => {
  const receivedAt = '2026-03-01T09:00:00.000Z';
  const endsAt = '2026-03-01T09:04:00.000Z';
  it.each([
    ['none', {}, null, null],
    ['the end of the source', { endsAt }, null, { at: endsAt, reason: 'end-passed' }],
    ['the quiet time', {}, 60, { at: '2026-03-01T10:00:00.000Z', reason: 'quiet' }],
    ['the end where it comes first', { endsAt }, 60, { at: endsAt, reason: 'end-passed' }],
    ['the quiet time where it comes first', { endsAt }, 2, { at: '2026-03-01T09:02:00.000Z', reason: 'quiet' }],
  ])('is %s', (_name, stated, autoResolveMinutes, wanted) => {
    expect(deadlineOf({ receivedAt, ...stated }, { ...defaultPolicy, autoResolveMinutes })).toEqual(wanted);
  });
});
