import type { AlertStatus } from '@tocsin/contracts';
import { isEmpty, isObject, type JsonObject, textOf, valueAt } from '@tocsin/domain/mapping';

/** Where scripts put the record: at the root, or under one of these, or under two of them. */
const WRAPPERS = ['result', 'incident', 'record', 'body', 'data'] as const;

const looksLikeRecord = (value: unknown): value is JsonObject =>
  isObject(value) && ['sys_id', 'number', 'short_description'].some((field) => !isEmpty(valueAt(value, field)));

/** The records of a payload; a list of the table API holds several. */
export function recordsOf(root: unknown, depth = 0): readonly unknown[] {
  if (Array.isArray(root)) return root;
  if (!isObject(root) || looksLikeRecord(root) || depth === 2) return [root];
  const inner = WRAPPERS.map((key) => valueAt(root, key)).find((value) => isObject(value) || Array.isArray(value));
  return inner === undefined ? [root] : recordsOf(inner, depth + 1);
}

export const isRecord = (value: unknown): boolean => looksLikeRecord(value);

/** What is stored: a code, a sys_id, a time in UTC. With `sysparm_display_value=all` a field is an object of both forms. */
export function storedOf(record: unknown, field: string): string | undefined {
  const value = valueAt(record, field);
  return isObject(value) ? textOf(valueAt(value, 'value')) : textOf(value);
}

/** What people see: a label, a name. Display times are in a user's zone, so times are never read here. */
export function shownOf(record: unknown, field: string): string | undefined {
  const value = valueAt(record, field);
  if (!isObject(value)) return textOf(value);
  return textOf(valueAt(value, 'display_value')) ?? textOf(value);
}

const SYS_ID = /^[0-9a-f]{32}$/i;

export const isSysId = (text: string | undefined): boolean => text !== undefined && SYS_ID.test(text);

/** The label of a field, unless it is only a reference. */
export function nameOf(record: unknown, field: string): string | undefined {
  const shown = shownOf(record, field);
  return isSysId(shown) ? undefined : shown;
}

const TABLE_OF_NUMBER: Readonly<Record<string, string>> = {
  INC: 'incident',
  PRB: 'problem',
  CHG: 'change_request',
  ALERT: 'em_alert',
};
const TABLE_OF_LABEL: Readonly<Record<string, string>> = { alert: 'em_alert', change: 'change_request' };

/** The table of a record, from its class or the letters of its number; incident where nothing says so. */
export function tableOf(record: unknown): string {
  const stated = (storedOf(record, 'sys_class_name') ?? shownOf(record, 'sys_class_name') ?? '')
    .trim()
    .toLowerCase()
    .replaceAll(' ', '_');
  if (stated !== '') return Object.hasOwn(TABLE_OF_LABEL, stated) ? (TABLE_OF_LABEL[stated] ?? stated) : stated;
  const letters = /^[A-Za-z]+/.exec(storedOf(record, 'number') ?? '')?.[0].toUpperCase();
  if (letters === undefined) return 'incident';
  return Object.hasOwn(TABLE_OF_NUMBER, letters) ? (TABLE_OF_NUMBER[letters] ?? 'task') : 'task';
}

type Codes = Readonly<Record<string, AlertStatus>>;

/** `open/work/done` codes of a state column. */
const codes = (open: readonly number[], work: readonly number[], done: readonly number[]): Codes =>
  Object.fromEntries([
    ...open.map((code) => [code, 'triggered'] as const),
    ...work.map((code) => [code, 'acknowledged'] as const),
    ...done.map((code) => [code, 'resolved'] as const),
  ]);

/** The same number means another state in another table. */
const STATE_CODES: Readonly<Record<string, Codes>> = {
  incident: codes([1], [2, 3, 4, 5], [6, 7, 8]),
  problem: codes([101], [102, 103, 104], [106, 107]),
  change_request: codes([-5, -4, -3, -2], [-1, 0], [3, 4]),
  task: codes([-5, 1], [2], [3, 4, 7]),
};

const STATE_FIELDS = ['state', 'incident_state', 'stage'] as const;

/** A status by the code of the record's table, else the state's label for the vocabulary. */
export function stateOf(record: unknown): string | undefined {
  const table = tableOf(record);
  const known = (Object.hasOwn(STATE_CODES, table) ? STATE_CODES[table] : STATE_CODES['task']) ?? {};
  for (const field of STATE_FIELDS) {
    const stored = storedOf(record, field)?.trim();
    if (stored !== undefined && Object.hasOwn(known, stored)) return known[stored];
    const shown = shownOf(record, field) ?? stored;
    if (shown !== undefined) return shown;
  }
  return undefined;
}

/** States that are no word of the common vocabulary, lower case. */
export const stateWords: Readonly<Record<string, AlertStatus>> = {
  pending: 'triggered',
  assess: 'triggered',
  authorize: 'triggered',
  scheduled: 'triggered',
  flapping: 'triggered',
  implement: 'acknowledged',
  review: 'acknowledged',
  'awaiting user info': 'acknowledged',
  'awaiting problem': 'acknowledged',
  'awaiting vendor': 'acknowledged',
  'work in progress': 'acknowledged',
  'root cause analysis': 'acknowledged',
  'fix in progress': 'acknowledged',
  'closed complete': 'resolved',
  'closed incomplete': 'resolved',
  'closed skipped': 'resolved',
};

/** Severity of an event-management alert; on other tables the column of that name is a different, three-step scale. */
const ALERT_SEVERITY = ['info', 'critical', 'high', 'medium', 'low', 'info'] as const;

const digitOf = (record: unknown, field: string): number | undefined => {
  const digit = /^\s*([0-9])\b/.exec(storedOf(record, field) ?? shownOf(record, field) ?? '')?.[1];
  return digit === undefined ? undefined : Number(digit);
};

/** `priority`, else what the vendor's own table makes of impact and urgency (1 and 1 = 1 … 3 and 3 = 5). */
export function priorityOf(record: unknown): string | undefined {
  if (tableOf(record) === 'em_alert') {
    const severity = digitOf(record, 'severity');
    if (severity !== undefined) return ALERT_SEVERITY[severity];
  }
  const priority = storedOf(record, 'priority') ?? shownOf(record, 'priority');
  if (priority !== undefined) return priority;
  const impact = digitOf(record, 'impact');
  const urgency = digitOf(record, 'urgency');
  return impact === undefined || urgency === undefined ? undefined : String(Math.min(impact + urgency - 1, 5));
}

/** The page of a record, where the payload says which instance it came from (its own field, or the link of a reference). */
export function pageOf(record: unknown, root: unknown): string | undefined {
  const id = storedOf(record, 'sys_id');
  const origin = instanceOf(record) ?? instanceOf(root);
  if (origin === undefined || id === undefined || !SYS_ID.test(id)) return undefined;
  return `${origin}/nav_to.do?uri=${encodeURIComponent(tableOf(record).toWellFormed())}.do?sys_id=${id}`;
}

function instanceOf(holder: unknown): string | undefined {
  const stated = textOf(valueAt(holder, 'instance_url')) ?? textOf(valueAt(holder, 'instance'));
  if (stated !== undefined) return originOf(/^[\w-]+$/.test(stated) ? `https://${stated}.service-now.com` : stated);
  if (!isObject(holder)) return undefined;
  for (const value of Object.values(holder).slice(0, 300)) {
    const link = textOf(valueAt(value, 'link'));
    const origin = link === undefined ? undefined : originOf(link);
    if (origin !== undefined) return origin;
  }
  return undefined;
}

function originOf(text: string): string | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url.origin : undefined;
}
