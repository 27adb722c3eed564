import type { NormalizedAlert } from '@tocsin/contracts';
import { tagForms, type IncidentSubject } from '../conditions/index.ts';
import { boundedText } from './moments.ts';

/** An incident's own values that rules compare with, as its alerts said; its services are kept beside. */
export type IncidentFacets = Omit<IncidentSubject, 'services' | 'neighbours'>;

const MAX = { tags: 100, fields: 20, text: 1_000, terms: 60 } as const;

/** What no text column or JSON of PostgreSQL can hold becomes U+FFFD; long texts are cut. */
const storable = (text: string): string => text.slice(0, MAX.text).toWellFormed().replaceAll('\u0000', '\ufffd');

/** The facets of an incident that this alert opens. Of custom fields only plain values, and lists of them. */
export function facetsOf(alert: NormalizedAlert): IncidentFacets {
  const { title, severity, kind, connector, webhookId, source, tags, customFields } = alert;
  const fields = Object.entries(customFields).slice(0, MAX.fields);
  return {
    title: storable(title),
    severity,
    kind,
    connector,
    webhookId,
    source: source === null ? null : storable(source),
    tags: tagsOf(tags),
    customFields: Object.fromEntries(
      fields.flatMap(([name, value]) => (isPlain(value) ? [[storable(name), plain(value)]] : [])),
    ),
  };
}

const tagsOf = (tags: readonly string[]): string[] => [...new Set(tags.map(storable))].slice(0, MAX.tags);
const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const isPlain = (value: unknown): boolean => isScalar(value) || (Array.isArray(value) && value.every(isScalar));
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.slice(0, MAX.fields).map(plain) : typeof value === 'string' ? storable(value) : value;

/** The facets after another alert has joined: its tags come along. */
export const joinedFacets = (facets: IncidentFacets | null, alert: NormalizedAlert): IncidentFacets | null =>
  facets && { ...facets, tags: tagsOf([...facets.tags, ...alert.tags]) };

/** Under which terms the index lists every open incident. */
export const ANY_TERM = 'any';
export const tagTerm = (tag: string): string => `tag ${boundedText(tag)}`;
export const serviceTerm = (service: string): string => `service ${boundedText(service)}`;
export const groupTerm = (group: string): string => `group ${boundedText(group)}`;
export const valueTerm = (field: string, value: string): string => `${field} ${boundedText(value)}`;

/** Alertmanager's group, where the payload names one. */
export const groupOf = ({ fields }: Pick<NormalizedAlert, 'fields'>): string | null =>
  typeof fields['groupKey'] === 'string' && fields['groupKey'] !== '' ? fields['groupKey'] : null;

/** Terms by which an incident is found, beside its services: its tags with and without key, its group, its plain values. */
export function termsOf(facets: IncidentFacets | null, group: string | null, known: readonly string[] = []): string[] {
  const terms = new Set<string>([ANY_TERM, ...known.filter((term) => term.startsWith('group '))]);
  if (group !== null) terms.add(groupTerm(group));
  if (!facets) return [...terms];
  terms.add(valueTerm('title', facets.title));
  if (facets.source !== null) terms.add(valueTerm('source', facets.source));
  for (const [name, value] of Object.entries(facets.customFields))
    for (const text of Array.isArray(value) ? value : [value])
      terms.add(valueTerm(`custom_fields.${name}`, String(text)));
  for (const form of tagForms(facets.tags)) terms.add(tagTerm(form));
  return [...terms].slice(0, MAX.terms);
}
