import Type, { type Static } from 'typebox';
import { AnyFieldsSchema } from './any-fields.ts';
import { AlertKindSchema, AlertStatusSchema, IncidentStatusSchema, SeveritySchema } from './vocabulary.ts';
import { decisionReasons } from './reasons.ts';

const Text = Type.String();
const NullableText = Type.Union([Text, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
/** ISO 8601 UTC with milliseconds, e.g. `2026-11-21T09:45:00.000Z`. */
const Instant = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$' });
export const InstantSchema = Instant;
export const DecisionReasonSchema = Type.Enum([...decisionReasons]);

/**
 * One alert in Tocsin's shape (architecture §8). `index` counts the elements of the payload before any filter.
 * Not "array items" limits apply to how many alerts one request carries.
 */
export const NormalizedAlertSchema = Type.Object({
  id: Text,
  index: Count,
  receiptId: Text,
  workspaceId: Text,
  webhookId: Text,
  connector: Text,
  kind: AlertKindSchema,
  status: AlertStatusSchema,
  severity: SeveritySchema,
  title: Text,
  description: Text,
  services: Type.Array(Text),
  tags: Type.Array(Text),
  source: NullableText,
  url: NullableText,
  /** The instant of this change as the source states it, clamped to `receivedAt`; null when the source states none. */
  occurredAt: Type.Union([Instant, Type.Null()]),
  /** True where the connector declares `occurredAt` as the time of *this* change, so that it may order (architecture §9.2). */
  occurredAtOrders: Type.Boolean(),
  /** The instant of this change where `occurredAt` is that of something else (the start of what has ended now); it orders then. */
  changedAt: Type.Optional(Instant),
  receivedAt: Instant,
  /** Until when the source vouches for it (Prometheus `endsAt`): without a refresh it is over then. Absent = no end stated. */
  endsAt: Type.Optional(Instant),
  dedupKey: Text,
  dedupKeyOrigin: Type.Enum(['mapping', 'connector', 'recipe']),
  /** What a resolve matches on: the vendor's key, or for a recipe key the hash without severity (product P8). */
  resolveKey: Text,
  /** The source marks repeats of one firing (e.g. Alertmanager fingerprint + startsAt); null where it does not. */
  firingKey: NullableText,
  scope: Text,
  incidentType: NullableText,
  customFields: AnyFieldsSchema,
  fields: AnyFieldsSchema,
  configRevision: Count,
  /** Of a request above the webhook's hourly rate: a trigger with a new key joins the webhook's roll-up incident (product P7). */
  overLimit: Type.Optional(Type.Boolean()),
  notes: Type.Array(Type.Object({ code: Text, path: Type.Optional(Text), detail: Type.Optional(Text) })),
});
export type NormalizedAlert = Static<typeof NormalizedAlertSchema>;

/** `correlation.inputs`, type `alerts.normalized.v1`: alerts of one receipt and one scope, ≤ 200 and ≤ 256 KiB. */
export const AlertsNormalizedSchema = Type.Object({
  receiptId: Text,
  workspaceId: Text,
  webhookId: Text,
  scope: Text,
  receivedAt: Instant,
  /** How many alerts the whole receipt has, over all records and scopes; a waiting gateway merges until it has them all. */
  receiptTotal: Count,
  alerts: Type.Array(NormalizedAlertSchema),
});
export type AlertsNormalized = Static<typeof AlertsNormalizedSchema>;

/** Why a decision was taken: what was tried in order, and what decided. Stored with the alert and shown to people. */
export const WhySchema = Type.Object({
  reason: DecisionReasonSchema,
  /** Steps tried in order, each with its result and the values that it looked at. */
  tried: Type.Array(
    Type.Object({
      step: Type.Enum([
        'processed',
        'order',
        'dedup',
        'flapping',
        'maintenance-window',
        'silence',
        'open-when',
        'over-limit',
        'resolve',
        'acknowledge',
        'update',
        'rule',
        'time-window',
        'storm',
        'open',
        'severity',
      ]),
      result: Type.Enum(['hit', 'miss', 'not-applicable']),
      detail: Type.Optional(Text),
      evidence: Type.Optional(AnyFieldsSchema),
    }),
  ),
  configRevision: Count,
});
export type Why = Static<typeof WhySchema>;

/** The recorded alert that held the key until now: this one takes the key, and an incident, over from it. */
const Supersedes = Type.Optional(Text);

/**
 * What the correlator decided about one alert. `incidentId` is the target as the correlator knows it; it may be closed or never have
 * existed by now. `deduplicated` with reason `recurrence` names an incident that is known to be closed, within its reopen window.
 * Follow-ups name the newest occurrence of their key too, which may have been counted on another alert than was expected.
 */
export const DecisionSchema = Type.Union([
  /** `rollUp`: it holds the alerts above its webhook's limit, or those of a storm (the reason says which), and is named so. */
  Type.Object({
    kind: Type.Literal('opened'),
    incidentId: Text,
    rollUp: Type.Optional(Type.Boolean()),
    supersedes: Supersedes,
  }),
  Type.Object({ kind: Type.Literal('deduplicated'), incidentId: Text, alertId: Text }),
  Type.Object({ kind: Type.Literal('correlated'), incidentId: Text, supersedes: Supersedes }),
  /** Above the limit of its webhook, or of a storm: it joins the incident that holds all of those. */
  Type.Object({ kind: Type.Literal('rolled-up'), incidentId: Text, supersedes: Supersedes }),
  /** Kept without an incident: a new one (`alertId` is its own id), a repeat of one, or the end of one. */
  Type.Object({
    kind: Type.Literal('recorded'),
    alertId: Text,
    effect: Type.Enum(['recorded', 'repeated', 'resolved']),
    /** What keeps it from opening anything; absent = the webhook's `open_when`. */
    mutedBy: Type.Optional(Type.Enum(['silence', 'maintenance-window'])),
  }),
  Type.Object({ kind: Type.Literal('resolved'), incidentId: Text, alertIds: Type.Array(Text) }),
  Type.Object({ kind: Type.Literal('acknowledged'), incidentId: Text, alertId: Text }),
  Type.Object({ kind: Type.Literal('updated'), incidentId: Text, alertId: Text }),
  /** No effect on any incident: stale, no open alert. */
  Type.Object({ kind: Type.Literal('ignored') }),
  /** Seen before (same alert id); still answered, with the first outcome. */
  Type.Object({ kind: Type.Literal('skipped') }),
]);
export type Decision = Static<typeof DecisionSchema>;

export const CorrelatedAlertSchema = Type.Object({
  alert: NormalizedAlertSchema,
  decision: DecisionSchema,
  why: WhySchema,
  /** Its key flaps: who is told about what this alert does is told then, once; absent = at once. */
  holdUntil: Type.Optional(Instant),
});
export type CorrelatedAlert = Static<typeof CorrelatedAlertSchema>;

/** `alert.correlated`, type `alerts.correlated.v1`: self-contained; every input alert appears, a skipped one too. */
export const AlertsCorrelatedSchema = Type.Object({
  receiptId: Text,
  workspaceId: Text,
  webhookId: Text,
  scope: Text,
  receivedAt: Instant,
  /** When the log had the normalised alerts; absent in records of older versions. */
  normalizedAt: Type.Optional(Instant),
  receiptTotal: Count,
  alerts: Type.Array(CorrelatedAlertSchema),
});
export type AlertsCorrelated = Static<typeof AlertsCorrelatedSchema>;

/**
 * `correlation.inputs`, type `incident.fact.v1`: what the incident-store tells the correlator about an incident of its scope.
 * A fact never produces correlator output, and one with an older `version` than the last seen of that incident is ignored.
 */
export const IncidentFactSchema = Type.Object({
  workspaceId: Text,
  scope: Text,
  incidentId: Text,
  /** Stream version after the change. */
  version: Count,
  /** Record time of what caused it (the alert's `receivedAt`, a command's time): a key that a later alert took stays with it. */
  at: Instant,
  fact: Type.Union([
    /** The incident is open under this id and holds these keys (opened, reopened, successor, keys moved to it). */
    Type.Object({
      kind: Type.Literal('open'),
      severity: SeveritySchema,
      services: Type.Array(Text),
      lastAlertAt: Instant,
      /** Its own values for rules, where the correlator did not open it itself: a person did, or it succeeds a closed one. */
      own: Type.Optional(
        Type.Object({
          title: Text,
          connector: NullableText,
          webhookId: NullableText,
          source: NullableText,
          tags: Type.Array(Text),
          customFields: AnyFieldsSchema,
        }),
      ),
    }),
    Type.Object({ kind: Type.Literal('closed') }),
  ]),
  /** Keys whose holder this incident is from now on (kind `open`) or was (kind `closed`). */
  keys: Type.Array(Type.Object({ webhookId: Text, dedupKey: Text, resolveKey: Text, alertId: Text })),
});
export type IncidentFact = Static<typeof IncidentFactSchema>;

/** A record of the incident in another system: issue, ticket, page. */
export const ExternalLinkSchema = Type.Object({ system: Text, id: Text, url: NullableText });
export type ExternalLink = Static<typeof ExternalLinkSchema>;

/** An incident as every door shows it: `GET incidents/{id}`, `incident.events`, outbound `data`. snake_case by rule. */
export const PublicIncidentSchema = Type.Object({
  id: Text,
  number: Count,
  workspace_id: Text,
  title: Text,
  description: Text,
  status: IncidentStatusSchema,
  severity: SeveritySchema,
  urgency: Type.Enum(['HIGH', 'LOW']),
  priority: NullableText,
  services: Type.Array(Text),
  tags: Type.Array(Text),
  source: NullableText,
  connector: NullableText,
  webhook_id: NullableText,
  url: NullableText,
  incident_type: NullableText,
  assignee: NullableText,
  created_at: Instant,
  updated_at: Instant,
  last_alert_at: Type.Union([Instant, Type.Null()]),
  acknowledged_at: Type.Union([Instant, Type.Null()]),
  resolved_at: Type.Union([Instant, Type.Null()]),
  /** When a snoozed incident comes back. Absent in records of older versions, as the next three. */
  snoozed_until: Type.Optional(Type.Union([Instant, Type.Null()])),
  /** The closed incident that this one came after, for the same alerts. */
  predecessor_id: Type.Optional(NullableText),
  /** Where its alerts are now, if a person merged it away. */
  merged_into: Type.Optional(NullableText),
  /** Incidents that were merged into this one, oldest first. */
  merged_from: Type.Optional(Type.Array(Text)),
  webhook_occurrence_count: Count,
  correlated_alert_count: Count,
  custom_fields: AnyFieldsSchema,
  external_links: Type.Array(ExternalLinkSchema),
  version: Count,
});
export type PublicIncident = Static<typeof PublicIncidentSchema>;
