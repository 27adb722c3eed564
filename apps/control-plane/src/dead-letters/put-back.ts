import { decodeFacts, encodeFacts, hears, isTopic, type ReceiptFacts, type ServiceName } from '@tocsin/contracts';
import { headerNames } from '@tocsin/event-log';
import type { Output } from '@tocsin/postgres';
import type { CurrentWebhook, FullLetterRow } from './dead-letter-store.ts';

/** What a redrive can say of a letter, and why it did nothing. */
export const redriveResults = [
  'redriven',
  'already-redriven',
  'not-found',
  'webhook-gone',
  'bytes-gone',
  'not-redrivable',
] as const;
export type RedriveResult = (typeof redriveResults)[number];

export type PutBack = { output: Output } | { refused: Exclude<RedriveResult, 'redriven' | 'not-found'> };

const refused = (reason: Exclude<RedriveResult, 'redriven' | 'not-found'>): PutBack => ({ refused: reason });

/**
 * The record that puts a letter back where it was read. Its mark is the letter's own: the original's would be dropped as seen, and a
 * record that is published twice is recognised. It is for the one service that could not read it. Pure.
 */
export function putBack(letter: FullLetterRow, webhook: CurrentWebhook | undefined): PutBack {
  if (letter.status === 'redriven') return refused('already-redriven');
  const { headers, topic } = letter;
  const type = headers?.[headerNames.type];
  if (!headers || type === undefined || !isTopic(topic) || topic === 'dead-letters') return refused('not-redrivable');
  if (!hears[letter.service as ServiceName]?.includes(topic)) return refused('not-redrivable');
  if (letter.value === null) return refused('bytes-gone');
  const { [headerNames.mark]: _seen, ...others } = headers;
  const output = (value: Uint8Array, more: Record<string, string>): PutBack => ({
    output: {
      topic,
      key: letter.key,
      type,
      value,
      headers: { ...others, ...more },
      by: { stream: letter.id, version: 1n },
    },
  });
  if (topic !== 'webhook.received') {
    const value = letter.parts === null ? letter.value : onlyAlerts(letter.value, letter.parts);
    return value ? output(value, { [headerNames.for]: letter.service }) : refused('not-redrivable');
  }
  const facts = receiptIn(headers[headerNames.facts]);
  if (!facts) return refused('not-redrivable');
  if (!webhook) return refused('webhook-gone');
  const receipt = receiptAgain(facts, webhook, letter.parts);
  return output(letter.value, { [headerNames.facts]: encodeFacts('webhook.received.v1', receipt) });
}

/**
 * The same receipt, so that its alerts have the same ids, under the webhook as it is now. Elements are named by their place in what
 * the old connector made of the payload, so with `parts` that connector stays.
 */
function receiptAgain(facts: ReceiptFacts, webhook: CurrentWebhook, parts: number[] | null): ReceiptFacts {
  return {
    ...facts,
    connector: parts === null ? webhook.connector : facts.connector,
    configRevision: webhook.revision,
    waiting: false,
    ...(parts === null ? {} : { only: parts }),
  };
}

/** The facts of a receipt where they are complete; a receipt that does not say its own id cannot be read again. */
function receiptIn(header: string | undefined): ReceiptFacts | undefined {
  try {
    const facts = decodeFacts('webhook.received.v1', header ?? '');
    encodeFacts('webhook.received.v1', facts);
    return facts;
  } catch {
    return undefined; // not JSON, or not of this schema
  }
}

/** A packed record with the alerts at these places only. */
function onlyAlerts(value: Buffer, parts: readonly number[]): Uint8Array | undefined {
  try {
    const record = JSON.parse(value.toString('utf8')) as { alerts?: unknown };
    if (!Array.isArray(record?.alerts)) return undefined;
    const all: unknown[] = record.alerts;
    const alerts = parts.flatMap((part) => (part < all.length ? [all[part]] : []));
    return Buffer.from(JSON.stringify({ ...record, alerts }), 'utf8');
  } catch {
    return undefined; // packed by no version of ours
  }
}
