import { type MappingSplit, type NormalizedAlert, severities, type Severity } from '@tocsin/contracts';
import { alertLimits, limitFields, limitList, Notes } from '@tocsin/domain/mapping';
import type { Omitted } from './compile.ts';
import type { IgnoreReason } from './source-connector.ts';

/** What one element of a payload became. */
export interface Read<Change> {
  alert?: NormalizedAlert;
  omitted?: Omitted;
  change?: Change;
}

/**
 * What the webhook makes of the elements of one payload (product, "split all | first | group"). Every element that becomes no alert of its
 * own stays accounted for, as ignored with its reason.
 */
export function combined<Change>(split: Exclude<MappingSplit, 'all'>, reads: readonly Read<Change>[]): Read<Change>[] {
  if (split === 'first') return reads.map((read, index) => (index === 0 ? read : leftOut(read, 'only-first')));
  const alerts = reads.flatMap(({ alert }) => alert ?? []);
  if (alerts.length < 2) return [...reads];
  const group = groupOf(alerts);
  return reads.map((read) => {
    if (read.alert === undefined) return read;
    return read.alert.index === group.index ? { ...read, alert: group } : leftOut(read, 'grouped');
  });
}

const DETAIL = {
  'only-first': 'this webhook takes the first element of each payload (mapping.split first)',
  grouped: 'part of the one alert of this payload (mapping.split group)',
} as const;

function leftOut<Change>(
  { alert, omitted, change }: Read<Change>,
  reason: IgnoreReason & keyof typeof DETAIL,
): Read<Change> {
  const index = alert?.index ?? omitted?.index ?? 0;
  // What is ignored or broken for a reason of its own keeps that reason.
  const said: Omitted = omitted ?? { index, outcome: 'ignored', reason, detail: DETAIL[reason] };
  return { omitted: said, ...(change === undefined ? {} : { change }) };
}

/** One alert of several: it fires while any of them does, with the highest severity among those. */
function groupOf(alerts: readonly NormalizedAlert[]): NormalizedAlert {
  const [first = undefined] = alerts;
  const lead = alerts.find(({ status }) => status === 'triggered') ?? first;
  if (first === undefined || lead === undefined) throw new RangeError('a group has alerts');
  const alike = alerts.filter(({ status }) => status === lead.status);
  const notes = new Notes();
  const services = limitList(
    alike.flatMap((alert) => alert.services),
    notes,
    'services',
  );
  const tags = limitList(
    alike.flatMap((alert) => alert.tags),
    notes,
    'tags',
  );
  const members = alerts
    .slice(0, alertLimits.items)
    .map(({ title, status, severity }) => ({ title, status, severity }));
  const fields = limitFields({ ...lead.fields, grouped_alerts: members }, notes);
  const { changedAt: _none, ...base } = lead;
  return {
    ...base,
    ...keysOf(first, lead),
    severity: alike.map(({ severity }) => severity).reduce(higher),
    ...{ services, tags, fields },
    occurredAt: earliest(alike),
    // Times of members are not those of a change of the group.
    occurredAtOrders: false,
    notes: [...lead.notes, ...notes.all()],
  };
}

const higher = (one: Severity, other: Severity): Severity =>
  severities.indexOf(other) < severities.indexOf(one) ? other : one;

const earliest = (alerts: readonly NormalizedAlert[]): string | null =>
  alerts.flatMap(({ occurredAt }) => occurredAt ?? []).sort()[0] ?? null;

/** The user's key, else the group's as the source names it, else that of the first element; never one firing's. */
function keysOf(
  first: NormalizedAlert,
  lead: NormalizedAlert,
): Pick<NormalizedAlert, 'dedupKey' | 'dedupKeyOrigin' | 'resolveKey' | 'firingKey'> {
  const { dedupKey, dedupKeyOrigin, resolveKey } = first;
  const group = lead.fields['groupKey'];
  if (dedupKeyOrigin === 'mapping' || typeof group !== 'string' || group === '' || group.length > MAX_GROUP_KEY)
    return { dedupKey, dedupKeyOrigin, resolveKey, firingKey: null };
  return { dedupKey: group, dedupKeyOrigin: 'connector', resolveKey: group, firingKey: null };
}

/** As for every key: it is indexed. */
const MAX_GROUP_KEY = 512;
