import Type, { type Static } from 'typebox';
import { DecisionReasonSchema, InstantSchema as Instant } from './alerts.ts';
import { OutcomeSchema } from './vocabulary.ts';

const Text = Type.String();
const NullableText = Type.Union([Text, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

/** One alert in the answer to a waiting sender and in `GET receipts/{id}`. */
export const AlertAnswerSchema = Type.Object({
  index: Count,
  alertId: Text,
  incidentId: NullableText,
  outcome: OutcomeSchema,
  reason: DecisionReasonSchema,
  occurrenceCount: Type.Union([Count, Type.Null()]),
});
export type AlertAnswer = Static<typeof AlertAnswerSchema>;

/** `webhook.replies`, type `receipt.replied.v1`. With `total` 0, `outcome` and `reason` answer for the whole receipt. */
export const ReceiptRepliedSchema = Type.Object({
  receiptId: Text,
  total: Count,
  alerts: Type.Array(AlertAnswerSchema),
  outcome: Type.Optional(OutcomeSchema),
  reason: Type.Optional(DecisionReasonSchema),
  detail: Type.Optional(Text),
});
export type ReceiptReplied = Static<typeof ReceiptRepliedSchema>;

/** `webhook.outcomes`, type `receipts.settled.v1`: many receipts per record. */
export const ReceiptsSettledSchema = Type.Object({
  items: Type.Array(
    Type.Object({
      receiptId: Text,
      workspaceId: Text,
      webhookId: Text,
      receivedAt: Instant,
      settledAt: Instant,
      total: Count,
      /** Outcomes of the alerts settled here; empty where the receipt has none, then `outcome` and `reason` hold. */
      alerts: Type.Array(AlertAnswerSchema),
      outcome: Type.Optional(OutcomeSchema),
      reason: Type.Optional(DecisionReasonSchema),
      detail: Type.Optional(Text),
      /** Services that the alerts settled here name, each once, at most a hundred; absent = none. */
      services: Type.Optional(Type.Array(Text)),
    }),
  ),
});
export type ReceiptsSettled = Static<typeof ReceiptsSettledSchema>;

/**
 * `webhook.outcomes`, type `requests.answered.v1`: what the gateway answered to requests for one webhook, said about once a second,
 * best effort. Accepted ones beside their receipt; refused ones counted per reason and minute, the first of each in full.
 */
export const RequestsAnsweredSchema = Type.Object({
  workspaceId: Text,
  webhookId: Text,
  answered: Type.Array(
    Type.Object({ receiptId: Text, receivedAt: Instant, responseCode: Count, latencyMs: Type.Number({ minimum: 0 }) }),
  ),
  rejected: Type.Array(
    Type.Object({
      /** Start of the minute. */
      minute: Instant,
      /** Problem code of the answer. */
      problem: Text,
      /** Which check failed; for the log of the webhook's owner only. */
      reason: Text,
      /** How many since the last record; the first one is among them. */
      count: Count,
      /** Present in the first record of this reason and minute. */
      first: Type.Optional(
        Type.Object({
          requestId: Text,
          at: Instant,
          responseCode: Count,
          method: Text,
          sizeBytes: Count,
          clientNetwork: Text,
          headers: Type.Record(Text, Text),
          detail: Text,
        }),
      ),
    }),
  ),
});
export type RequestsAnswered = Static<typeof RequestsAnsweredSchema>;

/** `webhook.outcomes`, type `receipts.erased.v1`: the personal data of an incident was erased; what is kept of these receipts' payloads goes, too. */
export const ReceiptsErasedSchema = Type.Object({
  workspaceId: Text,
  webhookId: Text,
  incidentId: Text,
  at: Instant,
  receiptIds: Type.Array(Text),
});
export type ReceiptsErased = Static<typeof ReceiptsErasedSchema>;

/**
 * Header `facts` of a `webhook.received` record (type `webhook.received.v1`, value = the exact raw body).
 * Credential and signature headers are left out by the gateway.
 */
export const ReceiptFactsSchema = Type.Object({
  receiptId: Text,
  workspaceId: Text,
  webhookId: Text,
  connector: Text,
  configRevision: Count,
  receivedAt: Instant,
  method: Text,
  query: Text,
  contentType: NullableText,
  headers: Type.Record(Text, Text),
  /** Somebody waits for the answer: replies for other receipts need not be sent. */
  waiting: Type.Boolean(),
  /** Accepted above the hourly rate of a webhook with `over_limit: rollup`; absent = within it. */
  overLimit: Type.Optional(Type.Boolean()),
  /** A redriven dead letter: only these elements of the payload are read again; absent = all of it. */
  only: Type.Optional(Type.Array(Count)),
  /** The receipt whose kept payload this one runs again; absent = it came from a sender. */
  replayOf: Type.Optional(Text),
});
export type ReceiptFacts = Static<typeof ReceiptFactsSchema>;

/** `dead-letters`, type `dead.letter.v1`: value = original bytes; header `facts` = this. */
export const DeadLetterFactsSchema = Type.Object({
  service: Text,
  topic: Text,
  partition: Count,
  offset: Text,
  reason: Text,
  detail: Text,
  at: Instant,
  workspaceId: NullableText,
  webhookId: NullableText,
  receiptId: NullableText,
  /** Which alerts of a packed record, by their place in it (of a receipt: elements of the payload); absent = the whole record. */
  parts: Type.Optional(Type.Array(Count)),
  /** The headers of the original record: what is needed beside its bytes and key to put it back. */
  headers: Type.Optional(Type.Record(Text, Text)),
});
export type DeadLetterFacts = Static<typeof DeadLetterFactsSchema>;
