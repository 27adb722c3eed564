import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { projectAlerts, type AlertRowChanges } from './alert-projection.ts';
import { eventSamples } from './event-samples.ts';
import type { IncidentEvent } from './events.ts';

interface Row {
  status: string;
  resolvedAt: string | null;
  occurrences: number;
}
type Step = ['attach' | 'count' | 'resolve' | 'close' | 'reopen', alert: number];

const step: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom('attach', 'count', 'resolve', 'close', 'reopen'), fc.nat(3));
const minute = (n: number): string => new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();

/** A history that a store can hold: only attached alerts are counted and resolved, and each joins once. */
function historyOf(steps: readonly Step[]): IncidentEvent[] {
  const known = new Set<string>();
  return steps.flatMap(([kind, number], n): IncidentEvent[] => {
    const [id, at] = [`alr_${number}`, minute(n)];
    if (kind === 'attach') {
      if (known.has(id)) return [];
      known.add(id);
      const [alert] = eventSamples.AlertsAttached.v1.data.alerts;
      return [{ ...eventSamples.AlertsAttached.v1, at, data: { alerts: [{ ...alert!, id, received_at: at }] } }];
    }
    if (kind === 'close') {
      const { v1 } = eventSamples.IncidentResolved;
      return [{ ...v1, at, data: { ...v1.data, as_of: at } }];
    }
    if (kind === 'reopen') return [{ ...eventSamples.IncidentReopened.v1, at }];
    if (!known.has(id)) return [];
    if (kind === 'count') {
      const counted = { alert_id: id, count: 2, last_seen_at: at, alert_ids: [] };
      return [{ ...eventSamples.OccurrencesCounted.v1, at, data: { count: 2, alerts: [counted] } }];
    }
    const resolved = { alert_id: id, resolved_at: at, by_alert_id: id };
    return [{ ...eventSamples.AlertsResolved.v1, at, data: { alerts: [resolved] } }];
  });
}

/** What the store's statements do, in their order. */
function apply(rows: Map<string, Row>, { closedAt, changed, inserted }: AlertRowChanges): void {
  if (closedAt !== null)
    for (const row of rows.values())
      if (row.status === 'open') Object.assign(row, { status: 'resolved', resolvedAt: closedAt });
  for (const { alertId, added, resolvedAt } of changed.values()) {
    const row = rows.get(alertId);
    if (!row) continue;
    row.occurrences += added;
    if (resolvedAt !== null) Object.assign(row, { status: 'resolved', resolvedAt });
  }
  for (const [id, { status, resolvedAt, occurrences }] of inserted) rows.set(id, { status, resolvedAt, occurrences });
}

function projected(events: readonly IncidentEvent[], cuts: readonly number[]): Map<string, Row> {
  const rows = new Map<string, Row>();
  const ends = [...new Set(cuts.map((cut) => cut % (events.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, events.length]) {
    apply(rows, projectAlerts(events.slice(from, end)));
    from = end;
  }
  return rows;
}

describe('the alerts projection', () => {
  it('is the same in whatever portions the events come', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.array(fc.nat(25), { maxLength: 6 }), (steps, cuts) => {
        const events = historyOf(steps);
        expect(projected(events, cuts)).toEqual(projected(events, []));
      }),
      { numRuns: 500 },
    );
  });

  it('closes at the first of two closings what was there before both', () => {
    const { v1 } = eventSamples.IncidentResolved;
    const closing = (n: number): IncidentEvent => ({ ...v1, data: { ...v1.data, as_of: minute(n) } });
    expect(projectAlerts([closing(1), eventSamples.IncidentReopened.v1, closing(2)]).closedAt).toBe(minute(1));
  });
});
