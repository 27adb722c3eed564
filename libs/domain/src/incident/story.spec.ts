import { describe, expect, it } from 'vitest';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';
import { nameOf, tell } from './story.ts';

const samples = Object.values(eventSamples).map(({ v1 }): IncidentEvent => v1);

describe('the story of an incident', () => {
  it.each(samples.map((event) => [event.type, event] as const))('tells %s in one sentence', (_type, event) => {
    expect(tell(event)).toMatch(/^[A-Z0-9].*[.]$/s);
    expect(tell(event)).not.toMatch(/undefined|null|\[object/);
  });

  it('names who did it, the other incident, and the note', () => {
    const { IncidentsMerged, IncidentDeclared, AlertsMoved, IncidentResolved } = eventSamples;
    expect(tell(IncidentsMerged.v1)).toBe('Took in #11 “Disk of db-8”, merged by Night shift: “one disk”.');
    const into = { incident_id: 'inc_1', number: 3, title: 'Checkout' };
    expect(tell({ ...IncidentsMerged.v1, data: { role: 'merged', into, note: null } })).toBe(
      'Merged into #3 “Checkout” by Night shift.',
    );
    expect(tell(IncidentDeclared.v1)).toBe('Opened by Night shift: “Customers cannot pay”.');
    expect(tell(AlertsMoved.v1)).toBe('One alert came from another incident, moved by Night shift.');
    const closed = { ...IncidentResolved.v1, data: { ...IncidentResolved.v1.data, note: null } };
    expect(tell({ ...closed, reason: 'merged' })).toBe('Resolved: merged away by Night shift.');
    expect(tell({ ...closed, reason: 'quiet' })).toBe(
      'Resolved: nothing was heard for the time that its webhook sets.',
    );
  });

  it('does not run on', () => {
    const text = 'x'.repeat(5_000);
    expect(tell({ ...eventSamples.CommentAdded.v1, data: { text } }).length).toBeLessThan(300);
  });

  it('calls everybody something', () => {
    expect(nameOf({ kind: 'api-key', id: null, name: null })).toBe('somebody');
    expect(nameOf({ kind: 'system', id: null, name: 'snooze timer' })).toBe('the snooze timer');
    expect(nameOf({ kind: 'webhook', id: 'whk_1', name: null })).toBe('the source');
  });
});
