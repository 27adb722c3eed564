import Type, { type Static } from 'typebox';
import { AnyFieldsSchema } from './any-fields.ts';
import { ExternalLinkSchema, InstantSchema, PublicIncidentSchema } from './alerts.ts';

const Text = Type.String();
const NullableText = Type.Union([Text, Type.Null()]);

/** Outbound names of incident events (architecture §10); `noted` has no outbound webhook (settled, Topics). */
export const incidentEventNames = [
  'created',
  'updated',
  'acknowledged',
  'resolved',
  'reopened',
  'snoozed',
  'suppressed',
  'comment',
] as const;
export type IncidentEventName = (typeof incidentEventNames)[number];

/** Who or what caused an event. `id` is a key, user, webhook or rule id. */
export const ActorSchema = Type.Object({
  kind: Type.Enum(['user', 'api-key', 'webhook', 'system', 'investigation']),
  id: NullableText,
  name: NullableText,
});
export type Actor = Static<typeof ActorSchema>;

/** One stored event as it is published: complete, with the hashes of its chain. snake_case by rule. */
export const PublicIncidentEventSchema = Type.Object({
  id: Text,
  stream: Text,
  version: Type.Integer({ minimum: 1 }),
  type: Text,
  schema_version: Type.Integer({ minimum: 1 }),
  at: InstantSchema,
  actor: ActorSchema,
  cause_id: Text,
  cause_ordinal: Type.Integer({ minimum: 0 }),
  reason: NullableText,
  config_revision: Type.Integer({ minimum: 0 }),
  data: AnyFieldsSchema,
  digest: Text,
  /** Hex; digest = SHA-256(salt ‖ compact JSON of `data`). On the topic, so that it can be followed, and the log made anew from it. */
  salt: Type.Optional(Text),
  prev_hash: Text,
  hash: Text,
});
export type PublicIncidentEvent = Static<typeof PublicIncidentEventSchema>;

/** Value of `incident.events`: one record per stored event, none left out. `sequence` = stream version. */
export const IncidentEventRecordSchema = Type.Object({
  event: PublicIncidentEventSchema,
  incident: PublicIncidentSchema,
  changed: Type.Array(Text),
  sequence: Type.Integer({ minimum: 1 }),
  /** `incident.<name>` for subscribers, or null where the event has no outbound name. */
  outbound_name: NullableText,
});
export type IncidentEventRecord = Static<typeof IncidentEventRecordSchema>;

/** Value of `change.events`: one deploy, build or configuration change (product P11). */
export const ChangeEventSchema = Type.Object({
  id: Text,
  workspace_id: Text,
  kind: Type.Enum(['deployment', 'build', 'configuration', 'other']),
  service: Text,
  version: NullableText,
  environment: NullableText,
  status: NullableText,
  title: NullableText,
  url: NullableText,
  actor: NullableText,
  started: Type.Union([InstantSchema, Type.Null()]),
  finished: Type.Union([InstantSchema, Type.Null()]),
  recorded_at: InstantSchema,
});
export type ChangeEvent = Static<typeof ChangeEventSchema>;

/** One hypothesis of an investigation: what may have caused it, how strongly that is believed, and on what evidence. */
export const HypothesisSchema = Type.Object({
  rank: Type.Integer({ minimum: 1 }),
  kind: Type.Enum(['change', 'related-alert', 'similar-incident', 'recurrence', 'unknown']),
  summary: Text,
  /** 0..1 */
  score: Type.Number({ minimum: 0, maximum: 1 }),
  evidence: Type.Array(
    Type.Object({ kind: Text, id: NullableText, at: Type.Union([InstantSchema, Type.Null()]), detail: Text }),
  ),
});
export type Hypothesis = Static<typeof HypothesisSchema>;

/** Value of `rca.events`. */
export const RcaEventSchema = Type.Object({
  id: Text,
  rca_id: Text,
  incident_id: Text,
  workspace_id: Text,
  type: Type.Enum(['rca.requested', 'rca.completed', 'rca.failed']),
  at: InstantSchema,
  investigator: Type.Enum(['built-in', 'http', 'openai-compatible']),
  incident_version: Type.Integer({ minimum: 0 }),
  reason: NullableText,
  summary: NullableText,
  hypotheses: Type.Array(HypothesisSchema),
  config_revision: Type.Integer({ minimum: 0 }),
});
export type RcaEvent = Static<typeof RcaEventSchema>;

/** Value of `delivery.events`: what became of one outbound delivery. */
export const DeliveryEventSchema = Type.Object({
  id: Text,
  delivery_id: Text,
  subscription_id: Text,
  subscription_name: Text,
  workspace_id: Text,
  incident_id: NullableText,
  event_id: Text,
  event_type: Text,
  type: Type.Enum(['delivery.delivered', 'delivery.failed', 'delivery.retrying', 'delivery.skipped']),
  attempt: Type.Integer({ minimum: 0 }),
  response_status: Type.Union([Type.Integer(), Type.Null()]),
  detail: NullableText,
  /** The record that the receiver made of the incident. */
  external_link: Type.Optional(ExternalLinkSchema),
  at: InstantSchema,
});
export type DeliveryEvent = Static<typeof DeliveryEventSchema>;

/** Value of our own records on `platform.events`: `data` of an event; what it must hold, the catalogue says. */
export const PlatformDataSchema = AnyFieldsSchema;

/** Header names of the CloudEvents 1.0 Kafka binding, binary mode, as public topics carry them. */
export interface CloudEventHeaders {
  ce_id: string;
  ce_source: string;
  ce_specversion: '1.0';
  ce_type: string;
  ce_time: string;
  ce_subject: string;
  ce_tocsinworkspace: string;
  'content-type': 'application/json';
}

export const CLOUD_EVENT_SOURCE = '/tocsin';
