import type { IncomingHttpHeaders } from 'node:http';
import {
  encodeFacts,
  mintId,
  receiptIdOf,
  type ReceiptFacts,
  type ReceiptId,
  type WebhookDocument,
} from '@tocsin/contracts';
import { headerNames, type AppendRecord } from '@tocsin/event-log';
import { checkBody, checkMediaType, checkSize, inflated, isPlain } from './body.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { IntakeRule, IntakeRules } from './intake-rule.ts';
import { keptHeaders, keptQuery } from './kept-headers.ts';
import type { ReceiptLog } from './receipt-log.ts';
import type { Instant } from './reception-clock.ts';
import { deliveryIdOf, traceparentOf, waitWishOf } from './request-wishes.ts';
import type { Waiting, WaitingRoom } from './waiting-room.ts';

/** One request as it came over the wire. */
export interface Arrival {
  method: string;
  /** Request target with its query string. */
  target: string;
  headers: IncomingHttpHeaders;
  rawHeaders: readonly string[];
  body: Buffer;
  /** Address of the other end of the connection. */
  peer: string | undefined;
}

/** A receipt that is durable. Nobody waits where `waiting` is undefined. */
export interface Accepted {
  receiptId: ReceiptId;
  receivedAt: string;
  /** What the sender is told of a limit that it is over; undefined = within all. */
  headers: Record<string, string> | undefined;
  waiting: Waiting | undefined;
}

export interface AcceptDeps {
  rules: IntakeRules;
  receipts: ReceiptLog;
  room: WaitingRoom;
  gate: Gatekeeper;
  now: () => Instant;
  random: (bytes: number) => Buffer;
  /** Milliseconds that a waiting sender waits where it names no time. */
  defaultWaitMs: number;
}

export type AcceptReceipt = (webhook: WebhookDocument, arrival: Arrival) => Promise<Accepted>;

/**
 * Takes one request in: limits and credential over the raw bytes, read the body once to refuse garbage, append (architecture §7).
 * Resolves when the receipt is durable; whoever waits for its outcome has entered the waiting room before the append.
 * @throws Problem for everything that the sender is told otherwise
 */
export const acceptReceipt =
  (deps: AcceptDeps): AcceptReceipt =>
  async (webhook, arrival) => {
    const { headers } = arrival;
    const rule = deps.rules.of(webhook);
    const encoding = headers['content-encoding'];
    const body = isPlain(encoding) ? arrival.body : await inflated(arrival.body, encoding);
    const at = deps.now();
    const caller = { webhook, rule, arrival, body, now: at.ms };
    const admission = deps.gate.admit(caller);
    const admitted = admission instanceof Promise ? await admission : admission;
    checkSize(webhook, body);
    const contentType = headers['content-type'];
    if (body.length > 0) checkMediaType(contentType, rule.kinds);
    const alerts = checkBody({ body, contentType, hasQuery: arrival.target.includes('?') }, rule.kinds, rule.listKey);
    const counting = deps.gate.admitAlerts(caller, alerts);
    const counted = counting instanceof Promise ? await counting : counting;
    const over = admitted ?? counted;

    const deliveryId = deliveryIdOf(headers, rule.deliveryHeaders);
    const receiptId =
      deliveryId === undefined ? mintId('rcv', deps.random(16)) : receiptIdOf(webhook.id, deliveryId, body);
    const waitMs = waitWishOf(headers.prefer, webhook.body.respond, deps.defaultWaitMs);
    const waiting = waitMs > 0 ? deps.room.enter(receiptId, waitMs) : undefined;
    const record: AppendRecord = {
      topic: 'webhook.received',
      key: webhook.id,
      value: body,
      headers: {
        [headerNames.type]: 'webhook.received.v1',
        [headerNames.facts]: factsOf(webhook, rule, arrival, {
          receiptId,
          receivedAt: at.text,
          waiting: waiting !== undefined,
          ...(over ? { overLimit: true } : {}),
        }),
        [headerNames.trace]: traceparentOf(headers, deps.random),
      },
    };
    try {
      await deps.receipts.append({ workspaceId: webhook.workspaceId, record });
    } catch (error) {
      waiting?.leave();
      throw error;
    }
    const accepted: Accepted = { receiptId, receivedAt: at.text, headers: over?.headers, waiting };
    if (!waiting || !deps.receipts.watch.isAway()) return accepted;
    // It is in the spool: nobody knows how long its outcome will take.
    waiting.leave();
    accepted.waiting = undefined;
    return accepted;
  };

const factsOf = (
  webhook: WebhookDocument,
  rule: IntakeRule,
  { method, target, headers, rawHeaders }: Arrival,
  receipt: Pick<ReceiptFacts, 'receiptId' | 'receivedAt' | 'waiting' | 'overLimit'>,
): string =>
  encodeFacts('webhook.received.v1', {
    ...receipt,
    workspaceId: webhook.workspaceId,
    webhookId: webhook.id,
    connector: webhook.body.connector,
    configRevision: webhook.revision,
    method,
    query: keptQuery(target, rule.secretParameters),
    contentType: headers['content-type'] ?? null,
    headers: keptHeaders(rawHeaders, rule.secretHeaders),
  });
