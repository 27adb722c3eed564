import {
  alertIdOf,
  type AlertAnswer,
  type ChangeEvent,
  CLOUD_EVENT_SOURCE,
  type CloudEventHeaders,
  type DeadLetterFacts,
  encodeFacts,
  encodeRecord,
  type PoisonReason,
  type ReceiptFacts,
  type ReceiptsSettled,
  type Topic,
} from '@tocsin/contracts';
import type { Normalization, Omitted } from '@tocsin/connectors';
import { headerNames } from '@tocsin/event-log';
import type { Input } from '@tocsin/postgres';
import { packAlerts } from './pack-alerts.ts';

/** A record to append, before it gets its mark. */
export interface Draft {
  topic: Topic;
  key: string;
  type: string;
  value: Uint8Array;
  facts?: string;
  /** Beside those that every record gets. */
  headers?: Readonly<Record<string, string>>;
}

export type SettledItem = ReceiptsSettled['items'][number];

/** What one receipt gives: records of its own, and lines for the packed outcomes. */
export interface ReceiptOutputs {
  drafts: Draft[];
  settled: SettledItem[];
}

/** Answers per reply and per outcome line: a receipt may have 10,000 broken elements. */
const ANSWERS_MAX = 500;

/** Instants of our own come from the log's stamp, so that a re-read record gives the same bytes. */
export const stampOf = (input: Input): string => new Date(input.timestamp).toISOString();

export interface Origin {
  topic: string;
  partition: number;
}

/** Everything that a normalised receipt says. Pure. */
export function outputsOf(origin: Origin, input: Input, facts: ReceiptFacts, result: Normalization): ReceiptOutputs {
  switch (result.kind) {
    case 'alerts':
      return alertOutputs(origin, input, facts, result);
    case 'ignored': {
      const whole = settledWhole(input, facts, { outcome: 'ignored', reason: result.reason, detail: result.detail });
      return { drafts: [...result.changes.map(changeDraft), ...whole.drafts], settled: whole.settled };
    }
    case 'unreadable': {
      const whole = settledWhole(input, facts, {
        outcome: 'dead-lettered',
        reason: result.reason,
        detail: result.detail,
      });
      const dead = deadLetter(origin, input, { reason: result.reason, detail: result.detail }, facts);
      return { drafts: [dead, ...whole.drafts], settled: whole.settled };
    }
  }
}

/** In capture mode requests are kept for people to look at, and nothing comes of them (product P11). */
export const capturedOutputs = (input: Input, facts: ReceiptFacts): ReceiptOutputs =>
  settledWhole(input, facts, {
    outcome: 'captured',
    reason: 'capture-mode',
    detail: 'this webhook is in capture mode: nothing is opened',
  });

function alertOutputs(
  origin: Origin,
  input: Input,
  facts: ReceiptFacts,
  result: Extract<Normalization, { kind: 'alerts' }>,
): ReceiptOutputs {
  const { receiptId, workspaceId, webhookId, receivedAt } = facts;
  const scope = workspaceId; // other scope recipes come with their setting
  const envelope = { receiptId, workspaceId, webhookId, scope, receivedAt, receiptTotal: result.total };
  const drafts: Draft[] = packAlerts(envelope, result.alerts).map((value) => ({
    topic: 'correlation.inputs',
    key: scope,
    type: 'alerts.normalized.v1',
    value,
  }));
  const settled: SettledItem[] = [];
  drafts.push(...result.changes.map(changeDraft));
  drafts.push(...deadParts(origin, input, facts, result.omitted));
  for (const answers of chunks(
    result.omitted.map((omitted) => answerOf(facts, omitted)),
    ANSWERS_MAX,
  )) {
    if (facts.waiting) drafts.push(reply(facts, { total: result.total, alerts: answers }));
    settled.push({
      receiptId,
      workspaceId,
      webhookId,
      receivedAt,
      settledAt: stampOf(input),
      total: result.total,
      alerts: answers,
    });
  }
  return { drafts, settled };
}

/** A build or a deployment on `change.events`, in the same form as what `POST changes` records. */
function changeDraft(change: ChangeEvent): Draft {
  const headers: CloudEventHeaders = {
    ce_id: change.id,
    ce_source: CLOUD_EVENT_SOURCE,
    ce_specversion: '1.0',
    ce_type: `tocsin.change.${change.kind}.v1`,
    ce_time: change.recorded_at,
    ce_subject: change.service,
    ce_tocsinworkspace: change.workspace_id,
    'content-type': 'application/json',
  };
  const value = encodeRecord('change.event.v1', change);
  return { topic: 'change.events', key: change.workspace_id, type: 'change.event.v1', value, headers: { ...headers } };
}

const answerOf = (facts: ReceiptFacts, { index, outcome, reason }: Omitted): AlertAnswer => ({
  index,
  alertId: alertIdOf(facts.receiptId, index),
  incidentId: null,
  outcome,
  reason,
  occurrenceCount: null,
});

/** One dead letter per reason, with the original bytes and the indexes of the elements. */
function deadParts(origin: Origin, input: Input, facts: ReceiptFacts, omitted: readonly Omitted[]): Draft[] {
  const byReason = new Map<PoisonReason, { detail: string; parts: number[] }>();
  for (const one of omitted) {
    if (one.outcome !== 'dead-lettered') continue;
    const group = byReason.get(one.reason);
    if (group) group.parts.push(one.index);
    else byReason.set(one.reason, { detail: one.detail, parts: [one.index] });
  }
  return [...byReason].map(([reason, { detail, parts }]) =>
    deadLetter(origin, input, { reason, detail, parts }, facts),
  );
}

/** As many as a payload may have: what a letter does not name could not be redriven alone. */
const PARTS_MAX = 10_000;

type OwnerName = 'workspaceId' | 'webhookId' | 'receiptId';

/** Where the record cannot be read, its facts may still say whose it is. */
function ownerOf(facts: Partial<ReceiptFacts> | string | undefined): Pick<DeadLetterFacts, OwnerName> {
  let said: unknown = facts;
  try {
    if (typeof facts === 'string') said = JSON.parse(facts);
  } catch {
    said = undefined; // exactly that is what is broken
  }
  const text = (name: OwnerName): string | null => {
    const value = (said as Partial<ReceiptFacts> | null | undefined)?.[name];
    return typeof value === 'string' ? value : null;
  };
  return { workspaceId: text('workspaceId'), webhookId: text('webhookId'), receiptId: text('receiptId') };
}

/** The original bytes with what is wrong with them. `facts` is absent where the record itself cannot be read. */
export function deadLetter(
  origin: Origin,
  input: Input,
  wrong: { reason: PoisonReason; detail: string; parts?: number[] },
  facts?: ReceiptFacts,
): Draft {
  const { parts } = wrong;
  const more = parts !== undefined && parts.length > PARTS_MAX ? ` (${parts.length} elements)` : '';
  const letter: DeadLetterFacts = {
    service: 'normalizer',
    topic: origin.topic,
    partition: origin.partition,
    offset: String(input.offset),
    reason: wrong.reason,
    detail: `${wrong.detail.slice(0, 300).toWellFormed()}${more}`,
    at: stampOf(input),
    ...ownerOf(facts ?? input.headers[headerNames.facts]),
    ...(parts === undefined ? {} : { parts: parts.slice(0, PARTS_MAX) }),
    headers: input.headers,
  };
  return {
    topic: 'dead-letters',
    key: input.key,
    type: 'dead.letter.v1',
    value: input.value,
    facts: encodeFacts('dead.letter.v1', letter),
  };
}

type Whole = Required<Pick<SettledItem, 'outcome' | 'reason' | 'detail'>>;

/** A receipt that is settled here as a whole; only somebody who waits is told at once. */
function settledWhole(input: Input, facts: ReceiptFacts, whole: Whole): ReceiptOutputs {
  const { receiptId, workspaceId, webhookId, receivedAt } = facts;
  const answer = { total: 0, alerts: [], ...whole, detail: whole.detail.toWellFormed() };
  return {
    drafts: facts.waiting ? [reply(facts, answer)] : [],
    settled: [{ receiptId, workspaceId, webhookId, receivedAt, settledAt: stampOf(input), ...answer }],
  };
}

type ReplyBody = { total: number; alerts: AlertAnswer[] } & Partial<Whole>;

const reply = (facts: ReceiptFacts, body: ReplyBody): Draft => ({
  topic: 'webhook.replies',
  key: facts.receiptId,
  type: 'receipt.replied.v1',
  value: encodeRecord('receipt.replied.v1', { receiptId: facts.receiptId, ...body }),
});

function chunks<T>(items: readonly T[], size: number): T[][] {
  const found: T[][] = [];
  for (let from = 0; from < items.length; from += size) found.push(items.slice(from, from + size));
  return found;
}
