import type {
  IncidentStatus,
  Severity,
  SyncFieldIn,
  SyncFieldMap,
  SyncLinkBody,
  SyncedIncident,
  SyncedStatus,
} from '@tocsin/contracts';
import { severities, syncFieldsIn } from '@tocsin/contracts';

type Maps = Pick<SyncLinkBody, 'statusOut' | 'statusIn' | 'fieldMap' | 'direction' | 'fields' | 'status'>;
const goes = (direction: SyncLinkBody['direction'], way: 'out' | 'in'): boolean =>
  direction === 'both' || direction === way;

/** Words are compared as people read them: without case and outer spaces. */
const word = (text: string): string => text.trim().toLowerCase();
const lookUp = <Value>(words: Readonly<Record<string, Value>>, text: string): Value | undefined =>
  words[text] ?? Object.entries(words).find(([key]) => word(key) === word(text))?.[1];

/** Status of the other side for a status of ours; undefined where none is told. */
export const statusFor = ({ statusOut }: Pick<Maps, 'statusOut'>, status: IncidentStatus): string | undefined =>
  statusOut[status];

/** Status of ours that a status of theirs means; undefined = it means nothing to us. */
export const statusFrom = ({ statusIn }: Pick<Maps, 'statusIn'>, external: string): SyncedStatus | undefined =>
  lookUp(statusIn, external);

/** Whether their status already says ours: the same word, or another one of the same meaning. */
export function statusIsMet(link: Pick<Maps, 'statusOut' | 'statusIn'>, status: IncidentStatus, external: string) {
  const wanted = statusFor(link, status);
  return wanted === undefined || word(wanted) === word(external) || statusFrom(link, external) === status;
}

/** Field maps that are used on a way. */
export const mapsOf = (link: Maps, way: 'out' | 'in'): SyncFieldMap[] =>
  link.fields && goes(link.direction, way)
    ? link.fieldMap.filter(
        ({ direction, field }) =>
          goes(direction, way) && (way === 'out' || (syncFieldsIn as readonly string[]).includes(field)),
      )
    : [];

const textOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
};

/** A field of an incident in the words of the other side. */
export function valueFor({ field, values }: SyncFieldMap, incident: SyncedIncident): string {
  const text = textOf(incident[field]);
  return lookUp(values, text) ?? text;
}

/** Line ends and outer spaces are the other side's own business. */
export const canonical = (text: string): string => text.replaceAll('\r\n', '\n').trim();
export const sameText = (a: string, b: string): boolean => canonical(a) === canonical(b);

/** Whether their value already says ours: the same text, or another word of the same meaning. */
export function fieldIsMet(map: SyncFieldMap, incident: SyncedIncident, external: string): boolean {
  if (sameText(valueFor(map, incident), external)) return true;
  const back = (syncFieldsIn as readonly string[]).includes(map.field) ? valueFrom(map, external) : undefined;
  return back !== undefined && map.direction === 'both' && sameText(back ?? '', textOf(incident[map.field]));
}

const isSeverity = (text: string): text is Severity => (severities as readonly string[]).includes(text);

/** A value of theirs in our words; null = none; undefined = it cannot be said here. */
export function valueFrom({ field, values, valuesIn }: SyncFieldMap, external: string): string | null | undefined {
  const back = Object.fromEntries(
    Object.entries(values)
      .reverse()
      .map(([ours, theirs]) => [theirs, ours]),
  );
  const text = lookUp(valuesIn, external) ?? lookUp(back, external) ?? external;
  if (field === 'severity') return isSeverity(word(text)) ? word(text) : undefined;
  if (field === 'title') return text.trim() === '' ? undefined : text.trim();
  if (field === 'priority') {
    if (text.trim() === '') return null;
    return /^P[1-5]$/i.test(text.trim()) ? text.trim().toUpperCase() : undefined;
  }
  return field === 'assignee' && text.trim() === '' ? null : text;
}

/** Parts of an `edit` or `assign` out of what the other side says. */
export const asFieldIn = (map: SyncFieldMap): SyncFieldIn => map.field as SyncFieldIn;
