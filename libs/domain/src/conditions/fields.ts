import type { NormalizedAlert } from '@tocsin/contracts';

/** What a condition can look at, as an alert carries it. `fields` is the payload (`metadata.*`). */
export type ConditionSubject = Pick<
  NormalizedAlert,
  | 'title'
  | 'description'
  | 'severity'
  | 'status'
  | 'kind'
  | 'connector'
  | 'webhookId'
  | 'source'
  | 'url'
  | 'services'
  | 'tags'
  | 'customFields'
  | 'fields'
> & {
  /** Services one dependency away from its own; absent where no topology is known. */
  readonly neighbours?: readonly string[];
};

/** An incident's own values. What is left out is not known of incidents: it cannot be compared with. */
export type IncidentSubject = Omit<
  ConditionSubject,
  'description' | 'url' | 'fields' | 'status' | 'kind' | 'connector' | 'webhookId'
> & {
  /** Null where no alert opened it, or it is not known. */
  [Name in 'kind' | 'connector' | 'webhookId']: ConditionSubject[Name] | null;
};

/** What the filter of a subscription can look at: an outbound event in its default envelope. */
export interface EnvelopeSubject {
  envelope: object;
}

/** Fields with one name. `service` means any of the services, `service.neighbours` those next to them. Source: product P10. */
export const plainFields = [
  'title',
  'description',
  'severity',
  'status',
  'kind',
  'connector',
  'webhook_id',
  'source',
  'url',
  'service',
  'services',
  'service.neighbours',
  'tags',
] as const;
export type PlainField = (typeof plainFields)[number];
/** Prefixes of fields with a path behind them. */
export const fieldFamilies = ['custom_fields', 'metadata'] as const;

/** Fields whose words come from Tocsin's own vocabularies: letter case says nothing there. */
const VOCABULARY: ReadonlySet<string> = new Set(['severity', 'status', 'kind', 'connector']);
/** Fields that an incident does not keep. */
const OF_ALERTS_ONLY: ReadonlySet<string> = new Set(['description', 'url', 'status']);
/** How many elements of lists inside of payloads are looked at. */
const ELEMENTS_MAX = 1_000;

/** Where a condition looks. */
export interface FieldRef {
  name: string;
  root: PlainField | (typeof fieldFamilies)[number] | 'envelope' | null;
  /** Below `custom_fields` and `metadata`, or into the envelope. */
  path: readonly string[];
  ignoresCase: boolean;
  isTags: boolean;
  /** Whether incidents have a value of their own for it. */
  ofIncidents: boolean;
}

/** Reads a field's name; `root` is null where there is no such field. */
export function fieldRef(name: string): FieldRef {
  const [first = '', ...path] = name.split('.');
  const family = fieldFamilies.find((one) => one === first && path.length > 0 && path.every((part) => part !== ''));
  const plain = plainFields.find((one) => one === name);
  return {
    name,
    root: plain ?? family ?? null,
    path: family ? path : [],
    ignoresCase: VOCABULARY.has(name),
    isTags: name === 'tags',
    ofIncidents: plain !== undefined ? !OF_ALERTS_ONLY.has(plain) : family === 'custom_fields',
  };
}

const ENVELOPE_KEYS: ReadonlySet<string> = new Set(['id', 'type', 'timestamp', 'workspace_id', 'data']);
const ENVELOPE_VOCABULARY: ReadonlySet<string> = new Set([
  'data.severity',
  'data.status',
  'data.urgency',
  'data.connector',
]);

/** Reads the name of a field of an outbound event, e.g. `data.severity`; `root` is null where envelopes have no such key. */
export function envelopeField(name: string): FieldRef {
  const path = name.split('.');
  const known =
    ENVELOPE_KEYS.has(path[0] ?? '') && path.every((part) => part !== '') && (path[0] === 'data') === path.length > 1;
  return {
    name,
    root: known ? 'envelope' : null,
    path: known ? path : [],
    ignoresCase: ENVELOPE_VOCABULARY.has(name),
    isTags: name === 'data.tags',
    ofIncidents: false,
  };
}

/** A field's value: whether there is one, and its texts. A list has one text per element, an object none. */
export interface FieldValue {
  present: boolean;
  texts: readonly string[];
}
const ABSENT: FieldValue = { present: false, texts: [] };

type AnySubject = ConditionSubject & EnvelopeSubject;
type Readable = { readonly [Name in keyof AnySubject]?: AnySubject[Name] | null };

/** The value of a field. Missing, null and empty are absent; zero and false are values. */
export function readField(field: FieldRef, subject: Readable): FieldValue {
  if (field.root === null) return ABSENT;
  const value = valueOf(field, subject);
  if (typeof value === 'string') {
    if (value === '') return ABSENT;
    return { present: true, texts: [field.ignoresCase ? value.toLowerCase() : value] };
  }
  if (isListOfTexts(value))
    return { present: true, texts: field.ignoresCase ? value.map((text) => text.toLowerCase()) : value };
  if (!isPresent(value)) return ABSENT;
  const texts: string[] = [];
  textsOf(value, texts);
  return { present: true, texts: field.ignoresCase ? texts.map((text) => text.toLowerCase()) : texts };
}

function valueOf({ root, path }: FieldRef, subject: Readable): unknown {
  switch (root) {
    case 'service':
    case 'services':
      return subject.services;
    case 'service.neighbours':
      return subject.neighbours;
    case 'webhook_id':
      return subject.webhookId;
    case 'custom_fields':
      return within(subject.customFields, path);
    case 'metadata':
      return within(subject.fields, path);
    case 'envelope':
      return within(subject.envelope, path);
    case null:
      return undefined;
    default:
      return subject[root];
  }
}

/** Follows a path; a key that itself holds dots is found as a whole. Lists are entered by index, or element by element. */
function within(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  const [key = '', ...rest] = path;
  if (Array.isArray(value)) {
    if (/^\d{1,6}$/.test(key)) return within(value[Number(key)], rest);
    return value.slice(0, ELEMENTS_MAX).flatMap((element) => {
      const found = typeof element === 'object' && !Array.isArray(element) ? within(element, path) : undefined;
      return found === undefined ? [] : [found];
    });
  }
  const record = value as Record<string, unknown>;
  if (Object.hasOwn(record, key)) {
    const found = within(record[key], rest);
    if (found !== undefined) return found;
  }
  const whole = path.join('.');
  return rest.length > 0 && Object.hasOwn(record, whole) ? record[whole] : undefined;
}

/** Services and tags as nearly all alerts have them: nothing in there is left out. */
function isListOfTexts(list: unknown): list is readonly string[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > ELEMENTS_MAX) return false;
  for (const element of list) if (typeof element !== 'string' || element === '') return false;
  return true;
}

const isPresent = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.slice(0, ELEMENTS_MAX).some(isPresent)
    : value !== undefined && value !== null && value !== '';

/** Texts of scalars: a number as JavaScript writes it, so that 5, 5.0 and "5" are equal. */
function textsOf(value: unknown, texts: string[]): void {
  if (Array.isArray(value)) {
    for (const element of value.slice(0, ELEMENTS_MAX)) if (texts.length < ELEMENTS_MAX) textsOf(element, texts);
  } else if (typeof value === 'string') {
    if (value !== '') texts.push(value);
  } else if (typeof value === 'number' || typeof value === 'boolean') texts.push(String(value));
}

/** A tag without its key: `production` of `env:production`. */
export function bareTag(tag: string): string | undefined {
  const colon = tag.indexOf(':');
  return colon > 0 && colon < tag.length - 1 ? tag.slice(colon + 1) : undefined;
}

/** What a tag answers to: itself, and itself without its key. */
export const tagForms = (tags: readonly string[]): string[] => tags.flatMap((tag) => [tag, bareTag(tag) ?? []].flat());
