import type { IncidentEvent } from './events.ts';

/** What stands where a text was. */
export const ERASED = '[erased]';

/**
 * Keys of events and alerts that hold ids, and words of our own closed lists. Everything that is not named here is erased: a field that
 * is added later, too.
 */
const ID_KEYS = /^(?:id|scope|alert_ids|.+_id|.+Id)$/;
const WORD_KEYS: ReadonlySet<string> = new Set([
  ...['kind', 'status', 'severity', 'priority', 'role', 'direction', 'outcome', 'policy', 'from', 'to', 'connector'],
  ...['system', 'investigator', 'reason', 'step', 'result', 'dedupKeyOrigin'],
]);
const TIME_KEYS = /^(?:at|until|as_of|.+_at|.+At|.+_until)$/;
/** Texts that may be absent are absent then; others say that they were erased. */
const NULL_KEYS: ReadonlySet<string> = new Set([
  'url',
  'source',
  'assignee',
  'before',
  'note',
  'firing_key',
  'firingKey',
  'incident_type',
  'incidentType',
]);
/** Whatever senders and rules put there, under keys of their own. */
const FREE_KEYS: ReadonlySet<string> = new Set(['custom_fields', 'customFields', 'fields', 'evidence']);

const ID = /^[A-Za-z0-9_-]{1,120}$/;
const WORD = /^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

const isKept = (key: string, text: string): boolean =>
  text === '' ||
  (ID_KEYS.test(key) && ID.test(text)) ||
  (WORD_KEYS.has(key) && WORD.test(text)) ||
  (TIME_KEYS.test(key) && TIME.test(text));

function erased(key: string, value: unknown): unknown {
  if (typeof value === 'string') {
    if (isKept(key, value)) return value;
    return NULL_KEYS.has(key) ? null : ERASED;
  }
  if (Array.isArray(value)) return erasedList(key, value);
  if (typeof value !== 'object' || value === null) return value;
  if (isFree(key, value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, erased(name, one)]));
}

/** `fields` of an edit are fields of the incident; `fields` of an alert are the sender's. */
const isFree = (key: string, value: object): boolean => {
  if (!FREE_KEYS.has(key)) return false;
  return key !== 'fields' || Object.keys(value).some((name) => !EDITABLE.has(name));
};
const EDITABLE: ReadonlySet<string> = new Set(['title', 'description', 'url', 'priority', 'tags', 'services']);

/** Lists of texts become empty, unless they are of ids; lists of objects keep their length. */
const erasedList = (key: string, list: readonly unknown[]): unknown[] =>
  FREE_KEYS.has(key)
    ? []
    : list
        .filter((one) => typeof one !== 'string' || isKept(key, one))
        .map((one) => (typeof one === 'string' ? one : erased(key, one)));

/** The same value without any text that people or senders wrote: ids, times, numbers and words of our own lists stay. Pure and total. */
export const redact = <Value>(value: Value): Value => erased('', value) as Value;

/** An event without the texts in it; what it does to an incident's state, counts and alerts stays the same. */
export const redactEvent = <Event extends IncidentEvent>(event: Event): Event => ({
  ...event,
  data: redact(event.data),
});
