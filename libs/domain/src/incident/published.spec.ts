import { encodeRecord } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { projectAlerts } from './alert-projection.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { fold } from './evolve.ts';
import { changedBy, cloudEventTypeOf, outboundNameOf, published } from './outbound.ts';
import { publicIncident } from './public-incident.ts';
import { exists, initialState } from './state.ts';

const after = (...events: IncidentEvent[]) => {
  const state = fold(initialState('inc_1'), events);
  if (!exists(state)) throw new Error('the history opens no incident');
  return publicIncident(state);
};
const opened = eventSamples.IncidentOpened.v1;

describe('what subscribers see', () => {
  it('fits the schema after every sample of every event version', () => {
    for (const { v1 } of Object.values(eventSamples)) {
      const incident = v1.type === 'IncidentOpened' ? after(opened) : after(opened, v1);
      expect(() => encodeRecord('incident.state.v1', incident)).not.toThrow();
    }
  });

  it('has a name for every event, and none for notes of an investigation', () => {
    expect(Object.keys(published).sort()).toEqual(Object.keys(eventSamples).sort());
    expect(cloudEventTypeOf('IncidentOpened')).toBe('tocsin.incident.created.v1');
    expect(cloudEventTypeOf('RcaNoted')).toBe('tocsin.incident.noted.v1');
    expect(outboundNameOf('RcaNoted')).toBeNull();
    expect(outboundNameOf('SeverityChanged')).toBe('incident.updated');
  });

  it('names what has changed, and only that', () => {
    const before = after(opened);
    const severity = eventSamples.SeverityChanged.v1;
    expect(changedBy('SeverityChanged', before, after(opened, severity))).toEqual(['severity', 'urgency']);
    expect(changedBy('OccurrencesCounted', before, after(opened, eventSamples.OccurrencesCounted.v1))).toEqual([
      'webhook_occurrence_count',
      'last_alert_at',
    ]);
    expect(changedBy('CommentAdded', before, after(opened, eventSamples.CommentAdded.v1))).toEqual(['comments']);
  });
});

describe('the alerts projection', () => {
  it('adds repeats up and closes every open alert with the incident', () => {
    const rows = projectAlerts([
      opened,
      eventSamples.AlertsAttached.v1,
      eventSamples.OccurrencesCounted.v1,
      eventSamples.IncidentResolved.v1,
    ]);
    expect([...rows.inserted.values()].map(({ occurrences, status }) => [occurrences, status])).toEqual([
      [3, 'resolved'],
      [1, 'resolved'],
    ]);
    expect(rows.closedAt).toBe(eventSamples.IncidentResolved.v1.data.as_of);
  });

  it('changes rows that were there before', () => {
    const rows = projectAlerts([eventSamples.OccurrencesCounted.v1, eventSamples.AlertsResolved.v1]);
    expect([...rows.changed.values()]).toMatchObject([{ added: 2, resolvedAt: '2026-03-01T09:30:00.000Z' }]);
  });
});
