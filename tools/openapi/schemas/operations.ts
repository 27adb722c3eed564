import { OutcomeSchema, outcomes, poisonReasons, problems, services, topicNames } from '@tocsin/contracts';
import Type from 'typebox';
import {
  anything,
  count,
  described,
  flag,
  headerMap,
  instant,
  nullable,
  page,
  ref,
  text,
  texts,
  whole,
  word,
} from './kit.ts';

const alertAnswer = Type.Object({
  alert_id: text,
  incident_id: nullable(text),
  outcome: OutcomeSchema,
  reason: text,
  occurrence_count: nullable(count),
});

const deadLetter = {
  id: text,
  service: described(word(...services), 'Who could not read it.'),
  topic: word(...topicNames),
  partition: count,
  offset: text,
  reason: word(...poisonReasons),
  detail: text,
  at: instant,
  webhook_id: nullable(text),
  receipt_id: nullable(text),
  parts: described(nullable(Type.Array(count)), 'Which alerts of the record, where the others were good.'),
  size_bytes: count,
  bytes_kept: flag,
  status: text,
  redriven_at: nullable(instant),
  redriven_by: described(nullable(text), 'Id of the API key.'),
};

const inboundDelivery = {
  id: text,
  receipt_id: described(nullable(text), 'Null where the request was refused.'),
  webhook_id: text,
  received_at: instant,
  status: described(text, 'The outcome, `in-flight` or `rejected`.'),
  response_code: nullable(count),
  latency_ms: nullable(Type.Number({ minimum: 0 })),
  problem: described(nullable(text), 'Code of the refusal.'),
  outcome: nullable(text),
  reason: nullable(text),
  detail: nullable(text),
  outcomes: texts,
  alerts: nullable(count),
  incident_ids: texts,
  settled_at: nullable(instant),
  count: described(count, 'How many requests this line stands for, where they were sampled.'),
  connector: nullable(text),
  method: nullable(text),
  query: nullable(text),
  headers: described(nullable(headerMap), 'Without credentials.'),
  content_type: nullable(text),
  size_bytes: nullable(count),
  client_network: nullable(text),
  config_revision: nullable(count),
  replay_of: nullable(text),
  sampled: flag,
  captured: flag,
};
const keptPayload = {
  kept: flag,
  absence: Type.Optional(described(text, 'Why the body is not kept.')),
  size_bytes: Type.Optional(count),
  truncated: Type.Optional(flag),
  redacted: Type.Optional(flag),
};

export const operationSchemas = {
  DeadLetter: Type.Object(deadLetter),
  DeadLetterPage: page(ref('DeadLetter')),
  DeadLetterRecord: Type.Object({
    ...deadLetter,
    key: text,
    headers: headerMap,
    encoding: nullable(word('text', 'base64')),
    value: described(nullable(text), 'The bytes of the record.'),
    json: described(anything, 'The same where it is JSON, else null.'),
  }),
  Redriven: Type.Object({
    items: Type.Array(
      Type.Object({
        id: text,
        result: word('redriven', 'already-redriven', 'not-found', 'webhook-gone', 'bytes-gone', 'not-redrivable'),
      }),
    ),
    more: described(flag, 'Whether further letters fit the filter.'),
  }),
  LedgerMinute: Type.Object({
    webhook_id: text,
    minute: instant,
    receipts: count,
    accepted: described(count, 'Alerts; a request without any counts as one.'),
    outcomes: Type.Object(Object.fromEntries(outcomes.map((name) => [name, count]))),
    in_flight: count,
    ahead: described(count, 'Outcomes that were read before their receipt.'),
    balanced: described(flag, 'accepted = the sum of all outcomes + in_flight.'),
    rejected: count,
    rejections: Type.Array(Type.Object({ problem: text, reason: text, count })),
  }),
  Ledger: page(ref('LedgerMinute')),
  InboundDelivery: Type.Object({ ...inboundDelivery, payload: Type.Object(keptPayload) }),
  InboundDeliveryPage: page(ref('InboundDelivery')),
  InboundDeliveryWithPayload: Type.Object({
    ...inboundDelivery,
    payload: Type.Object({
      ...keptPayload,
      content_type: Type.Optional(nullable(text)),
      content: Type.Optional(text),
      encoding: Type.Optional(word('text', 'base64')),
    }),
  }),
  Replayed: Type.Object({ receipt_id: text, status: word('accepted'), status_url: text, replay_of: text }),
  EventAccepted: Type.Object({ status: word('success'), message: text, dedup_key: text }),
  EventRefused: Type.Object({ status: text, message: text, errors: texts }),

  Problem: {
    ...Type.Object({
      type: text,
      title: text,
      status: whole,
      code: word(...Object.keys(problems)),
      detail: described(text, 'What it was this time.'),
      errors: Type.Optional(
        Type.Array(
          Type.Object({
            path: described(text, 'Where: `dedup.window_hours`, `$.alerts[3]`.'),
            code: text,
            message: text,
          }),
        ),
      ),
    }),
    description: 'RFC 9457. Further members depend on the code, e.g. the state that an incident is in.',
  },
  AlertAnswer: alertAnswer,
  TriggerOutcome: Type.Object({
    receipt_id: text,
    status: described(OutcomeSchema, 'Outcome of the first alert, or of the request where it held none.'),
    reason: nullable(text),
    incident_id: nullable(text),
    alerts: Type.Array(ref('AlertAnswer')),
    status_url: text,
  }),
  TriggerAccepted: Type.Object({
    receipt_id: text,
    status: word('accepted'),
    reason: Type.Null(),
    incident_id: Type.Null(),
    alerts: Type.Array(ref('AlertAnswer'), { maxItems: 0 }),
    status_url: text,
  }),
  Live: Type.Object({ status: word('live') }),
  Ready: Type.Object({
    status: word('ready', 'not-ready'),
    checks: Type.Array(Type.Object({ name: text, ok: flag, detail: Type.Optional(text) })),
  }),
  Sunk: Type.Object({
    items: Type.Array(
      Type.Object({
        received_at: instant,
        event: nullable(text),
        event_id: nullable(text),
        attempt: nullable(text),
        incident_id: nullable(text),
        signatures: Type.Record(text, nullable(flag)),
        verified: flag,
        headers: headerMap,
        body: anything,
      }),
    ),
  }),
};
