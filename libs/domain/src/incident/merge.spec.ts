import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectAlerts, type AlertRowChanges } from './alert-projection.ts';
import { isRejection } from './decide.ts';
import { declareIncident } from './declare.ts';
import { eventSamples } from './event-samples.ts';
import type { AlertRole, IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { mergeIncidents, type MergeSource } from './merge.ts';
import { moveAlerts } from './move-alerts.ts';
import type { MovableAlert } from './moving.ts';
import { publicIncident } from './public-incident.ts';
import { exists, initialState, type ExistingIncident } from './state.ts';
import type { IncidentChange } from './world.ts';

const opened = eventSamples.IncidentOpened.v1;
const context = {
  at: '2026-03-01T10:00:00.000Z',
  actor: { kind: 'api-key' as const, id: 'tsk_1', name: 'desk' },
  causeId: 'cmd_1',
  configRevision: 0,
};

/** An incident with these alerts, each with its number of occurrences: the first has opened it, the others joined. */
function incidentOf(id: string, occurrences: readonly number[], others: IncidentEvent[] = []): MergeSource {
  const alertOf = (index: number, role: AlertRole) => ({
    ...opened.data.alert,
    ...{ id: `alr_${id}_${index}`, dedup_key: `${id}-${index}`, role, services: [`${id}-service`], tags: [] },
  });
  const history = occurrences.flatMap((count, index): IncidentEvent[] => {
    const alert = alertOf(index, index === 0 ? 'opening' : 'correlated');
    const counted = { alert_id: alert.id, count: count - 1, last_seen_at: context.at, alert_ids: [] };
    return [
      index === 0
        ? { ...opened, data: { ...opened.data, alert, number: 7, title: `Incident ${id}`, services: alert.services } }
        : { ...eventSamples.AlertsAttached.v1, data: { alerts: [alert] } },
      ...(count > 1 ? [{ ...eventSamples.OccurrencesCounted.v1, data: { count: count - 1, alerts: [counted] } }] : []),
    ];
  });
  const events = [...history, ...others];
  const incident = fold(initialState(id), events);
  if (!exists(incident)) throw new Error('a history must open');
  return { incident, alerts: rowsOf(projectAlerts(events)) };
}

const rowsOf = ({ inserted }: AlertRowChanges): MovableAlert[] =>
  [...inserted.values()].map(({ alert, status, occurrences, resolvedAt, lastSeenAt }) => ({
    ...{ alert, role: alert.role, status, occurrences, resolvedAt, lastSeenAt },
  }));

const after = ({ before, events }: IncidentChange): ExistingIncident => {
  const state = fold(before, events);
  if (!exists(state)) throw new Error('nothing is there');
  return state;
};
const changesOf = (decided: ReturnType<typeof mergeIncidents>): IncidentChange[] => {
  if (isRejection(decided)) throw new Error(`refused: ${decided.rejected}`);
  return decided;
};
const merge = (sources: MergeSource[], survivor: ExistingIncident, survivorWentTo: string[] = []) =>
  mergeIncidents({ sources, survivor, survivorWentTo, note: 'one cause' }, context);

describe('a merge', () => {
  it('moves every alert with its repeats, closes what is merged away and points to the survivor', () => {
    const [source, target] = [incidentOf('inc_a', [3, 2]), incidentOf('inc_b', [1])];
    const [gone, stays] = changesOf(merge([source], target.incident)) as [IncidentChange, IncidentChange];
    expect(gone.events.map(({ type }) => type)).toEqual(['AlertsMoved', 'IncidentsMerged', 'IncidentResolved']);
    expect(after(gone)).toMatchObject({
      ...{ status: 'resolved', mergedInto: 'inc_b', occurrences: 0, correlated: 0, openAlerts: 0, byTimer: false },
    });
    expect(publicIncident(after(gone))).toMatchObject({ merged_into: 'inc_b', webhook_occurrence_count: 0 });
    // Both come as correlated ones: each once, and 2 + 1 repeats.
    expect(after(stays)).toMatchObject({ occurrences: 1 + 3, correlated: 2, openAlerts: 3, mergedFrom: ['inc_a'] });
    expect(after(stays).services).toEqual(['inc_b-service', 'inc_a-service']);
    const reasons = [...gone.events, ...stays.events].map(({ reason }) => reason);
    expect(new Set(reasons)).toEqual(new Set(['merged']));
  });

  it('raises the survivor to what was worse in those that were open', () => {
    const critical: IncidentEvent = {
      ...eventSamples.SeverityChanged.v1,
      data: { ...eventSamples.SeverityChanged.v1.data, to: 'critical' },
    };
    const worse = incidentOf('inc_a', [1], [critical]);
    const [, stays] = changesOf(merge([worse], incidentOf('inc_b', [1]).incident)) as [IncidentChange, IncidentChange];
    expect(stays.events.at(-1)).toMatchObject({ type: 'SeverityChanged', data: { from: 'medium', to: 'critical' } });
    const over = incidentOf('inc_a', [1], [critical, eventSamples.IncidentResolved.v1]);
    const [, calm] = changesOf(merge([over], incidentOf('inc_b', [1]).incident)) as [IncidentChange, IncidentChange];
    expect(after(calm).severity).toBe('medium');
  });

  it('takes in one that is resolved, without resolving it again', () => {
    const source = incidentOf('inc_a', [2], [eventSamples.IncidentResolved.v1]);
    const [gone, stays] = changesOf(merge([source], incidentOf('inc_b', [1]).incident)) as [
      IncidentChange,
      IncidentChange,
    ];
    expect(gone.events.map(({ type }) => type)).toEqual(['AlertsMoved', 'IncidentsMerged']);
    expect(after(gone)).toMatchObject({ status: 'resolved', mergedInto: 'inc_b' });
    expect(after(stays)).toMatchObject({ openAlerts: 1, correlated: 1 });
  });

  it('is refused in a circle, however long, into what is closed, of what went already, and over scopes', () => {
    const [a, b] = [incidentOf('inc_a', [1]), incidentOf('inc_b', [1])];
    const gone = after(changesOf(merge([a], b.incident))[0]!);
    expect(merge([a], a.incident)).toEqual({ rejected: 'merge-cycle', incidentId: 'inc_a' });
    expect(merge([b], gone, ['inc_b'])).toEqual({ rejected: 'merge-cycle', incidentId: 'inc_b' });
    expect(merge([b], gone, ['inc_c', 'inc_b'])).toEqual({ rejected: 'merge-cycle', incidentId: 'inc_b' });
    expect(merge([incidentOf('inc_d', [1])], gone, ['inc_b'])).toMatchObject({
      ...{ rejected: 'wrong-state', incidentId: 'inc_a', mergedInto: 'inc_b' },
    });
    expect(merge([{ incident: gone, alerts: [] }], b.incident)).toMatchObject({
      ...{ rejected: 'wrong-state', incidentId: 'inc_a' },
    });
    const closed = incidentOf('inc_c', [1], [eventSamples.IncidentResolved.v1]).incident;
    expect(merge([a], closed)).toMatchObject({ rejected: 'wrong-state', incidentId: 'inc_c', status: 'resolved' });
    const foreign: MergeSource = { ...a, incident: { ...a.incident, scope: 'another' } };
    expect(merge([foreign], b.incident)).toEqual({ rejected: 'other-scope', incidentId: 'inc_a' });
  });
});

describe('moving alerts', () => {
  const source = incidentOf('inc_a', [3, 2, 1]);
  const move = (
    ids: number[],
    target: Parameters<typeof moveAlerts>[0]['target'],
    named: { title?: string; severity?: 'low' } = {},
  ) =>
    changesOf(
      moveAlerts(
        {
          ...{ source: source.incident, alerts: ids.map((index) => source.alerts[index]!), target },
          ...{ title: named.title, severity: named.severity, note: null },
        },
        context,
      ),
    );

  it('takes counts along, and leaves the rest as it is', () => {
    const [from, to] = move([0, 2], incidentOf('inc_b', [1]).incident) as [IncidentChange, IncidentChange];
    expect(after(from)).toMatchObject({ status: 'open', occurrences: 1, correlated: 1, openAlerts: 1 });
    expect(after(to)).toMatchObject({ occurrences: 1 + 2, correlated: 2, openAlerts: 3 });
  });

  it('opens an incident for them, named after the first and as severe as the worst unless a person says otherwise', () => {
    const [, to] = move([1, 2], initialState('inc_n')) as [IncidentChange, IncidentChange];
    expect(to.events.map(({ type }) => type)).toEqual(['IncidentDeclared', 'AlertsMoved']);
    expect(after(to)).toMatchObject({
      ...{ title: opened.data.alert.title, severity: 'medium', occurrences: 2, correlated: 1, openAlerts: 2 },
      ...{ openingAlertId: 'alr_inc_a_1', services: ['inc_a-service'], connector: 'generic' },
    });
    const [, named] = move([1], initialState('inc_n'), { title: 'Another thing', severity: 'low' }) as [
      IncidentChange,
      IncidentChange,
    ];
    expect(after(named)).toMatchObject({ title: 'Another thing', severity: 'low' });
  });

  it('is refused into what is closed', () => {
    const closed = incidentOf('inc_c', [1], [eventSamples.IncidentResolved.v1]).incident;
    const { incident, alerts } = source;
    const named = { title: undefined, severity: undefined, note: null };
    expect(moveAlerts({ source: incident, alerts, target: closed, ...named }, context)).toMatchObject({
      ...{ rejected: 'wrong-state', incidentId: 'inc_c' },
    });
  });
});

describe('whatever is moved', () => {
  const total = (incidents: readonly ExistingIncident[]) => ({
    alerts: incidents.reduce((sum, { occurrences, correlated }) => sum + occurrences + correlated, 0),
    open: incidents.reduce((sum, { openAlerts }) => sum + openAlerts, 0),
  });
  const counts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 12 });

  it('no alert is lost or counted twice, and each stream alone says what its incident holds', () => {
    fc.assert(
      fc.property(fc.array(counts, { minLength: 1, maxLength: 4 }), counts, (sources, target) => {
        const from = sources.map((occurrences, index) => incidentOf(`inc_${index}`, occurrences));
        const survivor = incidentOf('inc_z', target);
        const changes = changesOf(merge(from, survivor.incident));
        expect(total(changes.map(after))).toEqual(total([...from.map(({ incident }) => incident), survivor.incident]));
        const rows = rowsOf(projectAlerts(changes.at(-1)!.events));
        expect(rows.map(({ alert }) => alert.id)).toEqual(
          from.flatMap(({ alerts }) => alerts.map((one) => one.alert.id)),
        );
        const held = [...survivor.alerts, ...rows];
        expect(after(changes.at(-1)!).openAlerts).toBe(held.filter(({ status }) => status === 'open').length);
        for (const [index, { alerts }] of from.entries())
          expect([...projectAlerts(changes[index]!.events).removed]).toEqual(alerts.map((one) => one.alert.id));
      }),
    );
  });

  it('goes in events of at most 200 alerts', () => {
    const big = incidentOf(
      'inc_a',
      Array.from({ length: 450 }, () => 1),
    );
    const [gone, stays] = changesOf(merge([big], incidentOf('inc_b', [1]).incident)) as [
      IncidentChange,
      IncidentChange,
    ];
    const sizes = (events: IncidentEvent[]) =>
      events.flatMap((event) => (event.type === 'AlertsMoved' ? [event.data.alerts.length] : []));
    expect([sizes(gone.events), sizes(stays.events)]).toEqual([
      [200, 200, 50],
      [200, 200, 50],
    ]);
  });
});

describe('an incident by hand', () => {
  it('is open without an alert, and takes some in', () => {
    const { number: _number, ...draft } = eventSamples.IncidentDeclared.v1.data;
    const event = declareIncident(draft, context);
    expect(event).toMatchObject({ reason: 'opened-by-hand', actor: context.actor });
    const incident = after({ before: initialState('inc_h'), events: [event] });
    expect(publicIncident(incident)).toMatchObject({
      ...{ status: 'open', priority: 'P1', last_alert_at: null, webhook_occurrence_count: 0, merged_into: null },
    });
    const joined = fold(incident, [eventSamples.AlertsAttached.v1]);
    expect(joined).toMatchObject({ lastAlertAt: '2026-03-01T09:00:00.000Z', correlated: 1, openAlerts: 1 });
  });
});
