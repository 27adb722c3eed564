import type { NormalizedAlert } from '@tocsin/contracts';
import { bareTag, type IncidentSubject } from '../conditions/index.ts';
import { boundedText } from './moments.ts';
import type { KnownIncident } from './state.ts';

/** An incident's own values that rules compare with, as its alerts said; its services are kept beside. */
export type IncidentFacets = Omit<IncidentSubject, 'services' | 'neighbours'>;

const MAX = { tags: 100, fields: 20, text: 1_000, terms: 60 } as const;

/** What no text column or JSON of PostgreSQL can hold becomes U+FFFD; long texts are cut. */
const storable = (text: string): string =>
  text.length <= MAX.text && text.isWellFormed() && !text.includes('\u0000')
    ? text
    : text.slice(0, MAX.text).toWellFormed().replaceAll('\u0000', '\ufffd');

/** The facets of an incident that has these values, e.g. those of the alert that opens it. Of custom fields only plain values, and lists of them. */
export function facetsOf(opener: Omit<IncidentFacets, 'services'>): IncidentFacets {
  const { title, severity, kind, connector, webhookId, source, tags, customFields } = opener;
  return {
    title: storable(title),
    severity,
    kind,
    connector,
    webhookId,
    source: source === null ? null : storable(source),
    tags: withMore([], tags),
    customFields: plainFields(customFields),
  };
}

function plainFields(customFields: IncidentFacets['customFields']): IncidentFacets['customFields'] {
  const names = Object.keys(customFields);
  if (names.length === 0) return {};
  const kept: [string, unknown][] = [];
  for (const name of names.slice(0, MAX.fields)) {
    const value = customFields[name];
    if (isPlain(value)) kept.push([storable(name), plain(value)]);
  }
  return Object.fromEntries(kept);
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
const isPlain = (value: unknown): boolean => isScalar(value) || (Array.isArray(value) && value.every(isScalar));
const plain = (value: unknown): unknown =>
  Array.isArray(value) ? value.slice(0, MAX.fields).map(plain) : typeof value === 'string' ? storable(value) : value;

/**
 * The facets and terms after another alert has joined: its tags and its group come along. Where it brings nothing new they stay as
 * they are, so that nothing is worked out or listed anew.
 */
export function joinedFacets(
  { facets, terms }: Pick<KnownIncident, 'facets' | 'terms'>,
  alert: NormalizedAlert,
): Pick<KnownIncident, 'facets' | 'terms'> {
  const group = groupOf(alert);
  const hasRoom = facets !== null && facets.tags.length < MAX.tags;
  const bringsTags = hasRoom && !alert.tags.every((tag) => facets.tags.includes(tag));
  const bringsGroup = group !== null && !terms.includes(groupTerm(group));
  if (!bringsTags && !bringsGroup && terms.length > 0) return { facets, terms };
  const joined = bringsTags ? { ...facets, tags: withMore(facets.tags, alert.tags) } : facets;
  if (!joined || bringsGroup || terms.length === 0) return { facets: joined, terms: termsOf(joined, group, terms) };
  return { facets: joined, terms: withTags(terms, joined.tags.slice(facets?.tags.length)) };
}

function withMore(known: readonly string[], tags: readonly string[]): string[] {
  const all = [...known];
  for (const tag of tags) {
    const text = storable(tag);
    if (all.length < MAX.tags && !all.includes(text)) all.push(text);
  }
  return all;
}

/** Tags come last among the terms, so that new ones are added behind. */
function withTags(terms: readonly string[], tags: readonly string[]): string[] {
  const all = [...terms];
  const add = (term: string): void => {
    if (all.length < MAX.terms && !all.includes(term)) all.push(term);
  };
  for (const tag of tags) {
    add(tagTerm(tag));
    const bare = bareTag(tag);
    if (bare !== undefined) add(tagTerm(bare));
  }
  return all;
}

/** Under which terms the index lists every open incident. */
export const ANY_TERM = 'any';
export const tagTerm = (tag: string): string => `tag ${boundedText(tag)}`;
/** The term that was made last: mostly an alert has one service, which is asked for in several places. */
let lastService: string | undefined;
let lastServiceTerm = '';
export function serviceTerm(service: string): string {
  if (service === lastService) return lastServiceTerm;
  lastService = service;
  return (lastServiceTerm = `service ${boundedText(service)}`);
}
/** The sort of value that a term names, as a bit: sorts differ in their second letter, of which a shift takes the lower five bits. */
export const sortOf = (term: string): number => 1 << term.charCodeAt(1);
export const groupTerm = (group: string): string => `group ${boundedText(group)}`;
export const valueTerm = (field: string, value: string): string => `${field} ${boundedText(value)}`;

/** Alertmanager's group, where the payload names one. */
export const groupOf = ({ fields }: Pick<NormalizedAlert, 'fields'>): string | null =>
  typeof fields['groupKey'] === 'string' && fields['groupKey'] !== '' ? fields['groupKey'] : null;

/** Terms by which an incident is found, beside its services: its tags with and without key, its group, its plain values. */
export function termsOf(facets: IncidentFacets | null, group: string | null, known: readonly string[] = []): string[] {
  const terms = [ANY_TERM];
  const add = (term: string): void => {
    if (!terms.includes(term)) terms.push(term); // a list of so few is looked through sooner than a set is made
  };
  for (const term of known) if (term.startsWith('group ')) add(term);
  if (group !== null) add(groupTerm(group));
  if (!facets) return terms;
  for (const term of ofValues(facets)) if (terms.length < MAX.terms) add(term);
  return withTags(terms, facets.tags).slice(0, MAX.terms);
}

function ofValues({ title, source, customFields }: IncidentFacets): string[] {
  const terms = [valueTerm('title', title)];
  if (source !== null) terms.push(valueTerm('source', source));
  for (const name of Object.keys(customFields)) {
    const value = customFields[name];
    const field = `custom_fields.${name}`;
    if (!Array.isArray(value)) terms.push(valueTerm(field, String(value)));
    else for (const text of value) terms.push(valueTerm(field, String(text)));
  }
  return terms;
}
