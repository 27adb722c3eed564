import {
  EVENT_ALERTS_MAX,
  type AlertsAttached,
  type AlertsResolved,
  type CountedAlert,
  type Held,
  type IncidentEvent,
} from './events.ts';
import type { OccurrencesCounted, SeverityChanged } from './events.ts';

/**
 * Folds the events that a batch brought to one incident into plural ones: a storm of 500 repeats is one event.
 * Between two events that change the status, attaching, counting, severity and alert resolves commute, so each kind is gathered;
 * the state after the result is the state after the input, apart from the number of events.
 */
export function coalesce(events: readonly IncidentEvent[]): IncidentEvent[] {
  const out: IncidentEvent[] = [];
  let run: Run = emptyRun();
  for (const event of events) {
    if (take(run, event)) continue;
    out.push(...flush(run), event);
    run = emptyRun();
  }
  return [...out, ...flush(run)];
}

interface Run {
  attached: AlertsAttached[];
  counted: OccurrencesCounted[];
  severity: SeverityChanged[];
  resolved: AlertsResolved[];
}
const emptyRun = (): Run => ({ attached: [], counted: [], severity: [], resolved: [] });

function take(run: Run, event: IncidentEvent): boolean {
  switch (event.type) {
    case 'AlertsAttached':
      run.attached.push(event);
      return true;
    case 'OccurrencesCounted':
      run.counted.push(event);
      return true;
    case 'SeverityChanged':
      run.severity.push(event);
      return true;
    case 'AlertsResolved':
      run.resolved.push(event);
      return true;
    default:
      return false;
  }
}

/** Pieces of at most `size`. */
export function* chunks<Item>(items: readonly Item[], size: number): Generator<Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

/** Envelope of the first (its cause names the event), time of the latest. */
function merged<Event extends IncidentEvent>(events: readonly Event[], data: Event['data']): Event {
  const [first] = events as [Event];
  const at = events.reduce((last, event) => (last < event.at ? event.at : last), first.at);
  const configRevision = Math.max(...events.map((event) => event.configRevision));
  return { ...first, at, configRevision, data };
}

/** Each fine event holds one alert, so a chunk of events is a chunk of alerts. */
function flush(run: Run): IncidentEvent[] {
  const out: IncidentEvent[] = [];
  for (const part of chunks(run.attached, EVENT_ALERTS_MAX))
    out.push(merged(part, { alerts: part.flatMap((e) => e.data.alerts), ...heldOf(part) }));
  for (const part of chunks(run.counted, EVENT_ALERTS_MAX))
    out.push(merged(part, { ...countedData(part), ...heldOf(part) }));
  const [first] = run.severity;
  const last = run.severity.at(-1);
  if (first && last && first.data.from !== last.data.to)
    out.push(merged(run.severity, { ...withoutHold(last.data), from: first.data.from, ...heldOf(run.severity) }));
  for (const part of chunks(run.resolved, EVENT_ALERTS_MAX))
    out.push(merged(part, { alerts: part.flatMap((e) => e.data.alerts), ...heldOf(part) }));
  return out;
}

/** Told at once where any of it is; else when the first hold ends. */
function heldOf(events: readonly { data: Held }[]): Held {
  const untils = events.flatMap(({ data }) => data.hold_until ?? []).sort();
  return untils.length === events.length && untils[0] !== undefined ? { hold_until: untils[0] } : {};
}
const withoutHold = <Data extends Held>({ hold_until: _, ...data }: Data) => data;

function countedData(events: readonly OccurrencesCounted[]): OccurrencesCounted['data'] {
  const byAlert = new Map<string, CountedAlert>();
  for (const alert of events.flatMap((event) => event.data.alerts)) {
    const known = byAlert.get(alert.alert_id);
    if (!known) byAlert.set(alert.alert_id, { ...alert, alert_ids: [...alert.alert_ids] });
    else {
      known.count += alert.count;
      known.alert_ids.push(...alert.alert_ids);
      if (known.last_seen_at < alert.last_seen_at) known.last_seen_at = alert.last_seen_at;
    }
  }
  return { count: events.reduce((sum, event) => sum + event.data.count, 0), alerts: [...byAlert.values()] };
}
