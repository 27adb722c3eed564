import { decodeFacts, deriveId, type DeadLetterFacts } from '@tocsin/contracts';
import { headerNames } from '@tocsin/event-log';
import type { Input } from '@tocsin/postgres';

/** A record that could not be handled, as it is kept until somebody looks. */
export interface DeadLetter {
  id: string;
  workspaceId: string | null;
  webhookId: string | null;
  receiptId: string | null;
  service: string;
  topic: string;
  partition: number;
  offset: string;
  reason: string;
  detail: string;
  at: string;
  parts: number[] | null;
  key: string;
  /** Of the original record; null where the letter does not carry them. */
  headers: Record<string, string> | null;
  value: Buffer;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * The letter that a record of `dead-letters` is. Total: a record that is none becomes a letter about itself, because a dead letter
 * about a dead letter would come back here for ever.
 */
export function letterOf(source: { topic: string; partition: number }, input: Input): DeadLetter {
  const facts = factsOf(input) ?? {
    ...{ service: 'control-plane', topic: source.topic, partition: source.partition, offset: String(input.offset) },
    ...{ reason: 'undecodable-record', detail: 'a dead letter without readable facts' },
    at: new Date(input.timestamp).toISOString(),
    ...{ workspaceId: null, webhookId: null, receiptId: null },
  };
  const { parts, headers = null } = facts;
  return {
    id: idOf(facts),
    workspaceId: storable(facts.workspaceId),
    webhookId: storable(facts.webhookId),
    receiptId: storable(facts.receiptId),
    service: storable(facts.service),
    topic: storable(facts.topic),
    partition: facts.partition,
    offset: storable(facts.offset),
    reason: storable(facts.reason),
    detail: storable(facts.detail),
    at: facts.at,
    parts: parts ?? null,
    key: storable(input.key),
    headers,
    value: input.value,
  };
}

function factsOf(input: Input): DeadLetterFacts | undefined {
  try {
    const facts = decodeFacts('dead.letter.v1', input.headers[headerNames.facts] ?? '') as unknown;
    return isFacts(facts) ? facts : undefined;
  } catch {
    return undefined; // not JSON
  }
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 31;

function isFacts(value: unknown): value is DeadLetterFacts {
  if (typeof value !== 'object' || value === null) return false;
  const facts = value as Record<keyof DeadLetterFacts, unknown>;
  const { service, topic, offset, reason, detail, at, parts, headers } = facts;
  return (
    [service, topic, offset, reason, detail].every(isText) &&
    typeof at === 'string' &&
    INSTANT.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    isCount(facts.partition) &&
    [facts.workspaceId, facts.webhookId, facts.receiptId].every((id) => id === null || isText(id)) &&
    (parts === undefined || (Array.isArray(parts) && parts.every(isCount))) &&
    (headers === undefined || (typeof headers === 'object' && headers !== null && Object.values(headers).every(isText)))
  );
}

/**
 * The same record that a service gives up twice is one letter. Where the record has a mark, that names it over repeats at other
 * offsets; `at` tells apart equal offsets of two logs.
 */
function idOf({ service, topic, partition, offset, at, parts, headers }: DeadLetterFacts): string {
  const record = headers?.[headerNames.mark] ?? `${partition}/${offset}/${at}`;
  return deriveId('dlt', service, topic, record, parts === undefined ? 'all' : parts.join());
}

/** PostgreSQL holds neither U+0000 nor half characters. */
function storable<T extends string | null>(text: T): T {
  return (text?.replaceAll('\0', '\uFFFD').toWellFormed() ?? null) as T;
}
