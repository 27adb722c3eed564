import type { ProblemCode } from '@tocsin/contracts';
import type { Problem } from '@tocsin/nest-shell';

/** What the address needs of an event; the connector reads the rest from the untouched body. */
export interface Event {
  /** The path token of the webhook. */
  routingKey: string;
  /** Undefined: the receipt's id becomes the key. */
  dedupKey: string | undefined;
}

export type EventVerdict = { ok: true; event: Event } | { ok: false; errors: readonly string[] };

const ACTIONS = ['trigger', 'acknowledge', 'resolve'];
const SEVERITIES = ['critical', 'error', 'warning', 'info'];
const MAX_KEY = 255;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

const isBlank = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'string' && value.trim() === '');

/** Checks an event as PagerDuty's documentation describes it; every fault is named, not only the first. */
export function readEvent(root: unknown): EventVerdict {
  const fields = fieldsOf(root);
  if (!fields) return { ok: false, errors: ['The event must be a JSON object'] };
  const action = typeof fields.event_action === 'string' ? fields.event_action.trim().toLowerCase() : undefined;
  const errors = [
    ...textFaults('routing_key', fields.routing_key),
    ...wordFaults('event_action', fields.event_action, ACTIONS),
    ...keyFaults(fields.dedup_key, action),
    ...(action === 'trigger' ? payloadFaults(fields.payload) : []),
  ];
  if (errors.length > 0) return { ok: false, errors };
  const { routing_key: routingKey, dedup_key: dedupKey } = fields as { routing_key: string; dedup_key?: string };
  return { ok: true, event: { routingKey: routingKey.trim(), dedupKey: isBlank(dedupKey) ? undefined : dedupKey } };
}

const textFaults = (name: string, value: unknown): string[] => {
  if (isBlank(value)) return [`'${name}' is missing or blank`];
  return typeof value === 'string' ? [] : [`'${name}' must be a string`];
};

function wordFaults(name: string, value: unknown, words: readonly string[]): string[] {
  const faults = textFaults(name, value);
  if (faults.length > 0 || words.includes((value as string).trim().toLowerCase())) return faults;
  return [`'${name}' is invalid (must be one of the following: ${words.map((word) => `'${word}'`).join(', ')})`];
}

/** Only a trigger can do without: the others say which alert they are about. */
function keyFaults(value: unknown, action: string | undefined): string[] {
  if (isBlank(value)) return action === 'acknowledge' || action === 'resolve' ? textFaults('dedup_key', value) : [];
  if (typeof value !== 'string') return [`'dedup_key' must be a string`];
  return value.length > MAX_KEY ? [`Length of 'dedup_key' is incorrect (should be at most ${MAX_KEY} characters)`] : [];
}

function payloadFaults(value: unknown): string[] {
  const payload = fieldsOf(value);
  if (!payload) return [isBlank(value) ? `'payload' is missing or blank` : `'payload' must be an object`];
  return [
    ...textFaults('payload.summary', payload.summary),
    ...textFaults('payload.source', payload.source),
    ...wordFaults('payload.severity', payload.severity, SEVERITIES),
  ];
}

/** 202 as PagerDuty answers it. */
export const processed = (dedupKey: string): { status: 202; body: string } => ({
  status: 202,
  body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: dedupKey }),
});

/** An answer other than 202, in the form of PagerDuty's errors. */
export interface Refusal {
  code: number;
  body: { status: string; message: string; errors: readonly string[] };
}

export const invalidEvent = (errors: readonly string[], code = 400): Refusal => ({
  code,
  body: { status: 'invalid event', message: 'Event object is invalid', errors },
});

/** Senders try again after 429 and 5xx, and drop the event after anything else: each refusal keeps the status that says so. */
const SAID: Partial<Record<ProblemCode, Pick<Refusal['body'], 'status' | 'message'>>> = {
  'authentication-failed': { status: 'unauthorized', message: 'The credential of the webhook is missing or wrong' },
  'method-not-allowed': { status: 'method not allowed', message: 'Events are sent with POST' },
  'rate-limited': { status: 'throttle exceeded', message: 'Events arrive too quickly; retry later' },
  'locked-out': { status: 'throttle exceeded', message: 'Too many failed authentications; retry later' },
  unavailable: { status: 'unavailable', message: 'The event could not be taken now; retry later' },
};

/** What a sender of PagerDuty events is told about a problem. */
export function refusalOf({ code, status, detail }: Problem): Refusal {
  // PagerDuty knows no 404 here: the key is a field of the event, and the event is what is wrong.
  if (code === 'unknown-webhook') return invalidEvent(['Invalid routing key']);
  const said = SAID[code];
  if (said) return { code: status, body: { ...said, errors: [detail] } };
  return invalidEvent([detail], code === 'platform-mismatch' ? 400 : status);
}
