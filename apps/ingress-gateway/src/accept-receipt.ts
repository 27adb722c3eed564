import type { IncomingHttpHeaders } from 'node:http';
import { encodeFacts, mintId, receiptIdOf, type ReceiptId, type WebhookDocument } from '@tocsin/contracts';
import { authenticate } from '@tocsin/domain/authentication';
import { headerNames } from '@tocsin/event-log';
import { Problem } from '@tocsin/nest-shell';
import { checkJson, checkMediaType, inflated, isPlain } from './body.ts';
import type { IntakeRule, IntakeRules } from './intake-rule.ts';
import { keptHeaders, keptQuery } from './kept-headers.ts';
import type { ReceiptLog } from './receipt-log.ts';
import type { Instant } from './reception-clock.ts';
import type { RejectionLog } from './rejection-log.ts';
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
}

/** A receipt that is durable. Nobody waits where `waiting` is undefined. */
export interface Accepted {
  receiptId: ReceiptId;
  waiting: Waiting | undefined;
}

export interface AcceptDeps {
  rules: IntakeRules;
  receipts: ReceiptLog;
  room: WaitingRoom;
  rejections: RejectionLog;
  now: () => Instant;
  random: (bytes: number) => Buffer;
  /** Milliseconds that a waiting sender waits where it names no time. */
  defaultWaitMs: number;
}

export type AcceptReceipt = (webhook: WebhookDocument, arrival: Arrival) => Promise<Accepted>;

/**
 * Takes one request in: authenticate over the raw bytes, read the body once to refuse garbage, append (architecture §7).
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
    checkCredential(deps, rule, webhook.id, { arrival, body, now: at.ms });
    checkMediaType(headers['content-type']);
    checkJson(body, rule.listKey);

    const deliveryId = deliveryIdOf(headers, rule.deliveryHeaders);
    const receiptId =
      deliveryId === undefined ? mintId('rcv', deps.random(16)) : receiptIdOf(webhook.id, deliveryId, body);
    const waitMs = waitWishOf(headers.prefer, webhook.body.respond, deps.defaultWaitMs);
    const waiting = waitMs > 0 ? deps.room.enter(receiptId, waitMs) : undefined;
    try {
      await deps.receipts.append({
        topic: 'webhook.received',
        key: webhook.id,
        value: body,
        headers: {
          [headerNames.type]: 'webhook.received.v1',
          [headerNames.facts]: factsOf(webhook, rule, arrival, {
            receiptId,
            receivedAt: at.text,
            waiting: waiting !== undefined,
          }),
          [headerNames.trace]: traceparentOf(headers, deps.random),
        },
      });
    } catch (error) {
      waiting?.leave();
      throw error;
    }
    return { receiptId, waiting };
  };

interface Shown {
  arrival: Arrival;
  body: Buffer;
  now: number;
}

/** One answer for every kind of failure; which check failed is in the log (product P2). */
function checkCredential(deps: AcceptDeps, rule: IntakeRule, webhookId: string, { arrival, body, now }: Shown): void {
  const bodies = body === arrival.body ? [body] : [arrival.body, body];
  const result = authenticate(rule.credential, { rawHeaders: arrival.rawHeaders, bodies, now });
  if (result.ok) return;
  deps.rejections.note(webhookId, result.reason, now);
  throw new Problem('authentication-failed', 'The credential that this webhook asks for is missing or wrong.', {
    headers: { 'www-authenticate': 'Bearer realm="tocsin"' },
  });
}

const factsOf = (
  webhook: WebhookDocument,
  rule: IntakeRule,
  { method, target, headers, rawHeaders }: Arrival,
  receipt: { receiptId: string; receivedAt: string; waiting: boolean },
): string =>
  encodeFacts('webhook.received.v1', {
    receiptId: receipt.receiptId,
    workspaceId: webhook.workspaceId,
    webhookId: webhook.id,
    connector: webhook.body.connector,
    configRevision: webhook.revision,
    receivedAt: receipt.receivedAt,
    method,
    query: keptQuery(target),
    contentType: headers['content-type'] ?? null,
    headers: keptHeaders(rawHeaders, rule.credential.headers),
    waiting: receipt.waiting,
  });
