import {
  ActorSchema,
  AlertKindSchema,
  ChangeEventSchema,
  HypothesisSchema,
  incidentStatuses,
  OutcomeSchema,
  PublicIncidentSchema,
  PublicIncidentEventSchema,
  DeliveryEventSchema,
  severities,
  SeveritySchema,
} from '@tocsin/contracts';
import Type from 'typebox';
import { count, described, flag, free, instant, nullable, page, ref, text, texts, word } from './kit.ts';

const decisionReason = described(text, 'One of the reasons of docs/reference/reasons.md.');
const countsOf = (names: readonly string[]) => Type.Object(Object.fromEntries(names.map((name) => [name, count])));

const Why = Type.Object({
  reason: decisionReason,
  tried: described(
    Type.Array(
      Type.Object({
        step: text,
        result: word('hit', 'miss', 'not-applicable'),
        detail: Type.Optional(text),
        evidence: Type.Optional(free),
      }),
    ),
    'Steps in the order in which they were tried, with the values that each looked at.',
  ),
  config_revision: count,
});

const TimelineEntry = Type.Object({
  kind: word('event', 'delivery'),
  id: text,
  type: text,
  version: described(nullable(count), 'Version of the incident after an event; null for a delivery.'),
  at: instant,
  actor: nullable(ActorSchema),
  cause_id: nullable(text),
  reason: nullable(text),
  summary: described(text, 'What happened, in one plain sentence.'),
  hash: described(nullable(text), 'Hash of the event, chained to the one before.'),
  data: Type.Unknown(),
});

/** What is known of every alert that is kept as a whole. */
export const alertFacts = {
  id: text,
  receipt_id: text,
  webhook_id: text,
  connector: text,
  kind: AlertKindSchema,
  title: text,
  severity: SeveritySchema,
  services: texts,
  tags: texts,
  source: nullable(text),
  url: nullable(text),
  dedup_key: text,
  occurred_at: nullable(instant),
  received_at: instant,
};

const incidentAlert = {
  ...alertFacts,
  resolve_key: described(text, 'What a resolve matches on.'),
  firing_key: nullable(text),
  status: word('open', 'resolved'),
  role: text,
  occurrence_count: count,
  last_seen_at: nullable(instant),
  ends_at: described(nullable(instant), 'When it is over unless more is heard of it; null where nobody has said.'),
  ends_because: nullable(word('end-passed', 'quiet')),
  resolved_at: nullable(instant),
  outcome: nullable(OutcomeSchema),
  reason: nullable(text),
  why: ref('Why'),
};

const Receipt = Type.Object({
  receipt_id: text,
  webhook_id: text,
  status: described(
    text,
    'Outcome of the first alert, or of the request where it held none; `accepted` until it is known.',
  ),
  incident_id: nullable(text),
  reason: nullable(text),
  detail: nullable(text),
  received_at: instant,
  settled_at: described(nullable(instant), 'Null while an alert has no outcome yet.'),
  total: described(nullable(count), 'Alerts in the request; null until it was read.'),
  stages: described(
    Type.Array(
      Type.Object({
        stage: word('received', 'normalised', 'correlated', 'stored'),
        service: text,
        progress: word('done', 'partly', 'pending', 'not-needed'),
        at: nullable(instant),
        said: free,
      }),
    ),
    'The way through the services.',
  ),
  alerts: Type.Array(
    Type.Object({
      alert_id: text,
      incident_id: nullable(text),
      index: count,
      outcome: OutcomeSchema,
      reason: text,
      occurrence_count: nullable(count),
      why: nullable(ref('Why')),
    }),
  ),
});

const Investigation = Type.Object({
  id: text,
  status: text,
  reason: described(text, 'Why it was asked for.'),
  investigator: text,
  requested_at: instant,
  completed_at: nullable(instant),
  incident_version: count,
  progress: described(
    nullable(Type.Object({ message: text, at: nullable(instant) })),
    'What an investigator of the workspace’s own said last.',
  ),
  summary: nullable(text),
  hypotheses: Type.Array(HypothesisSchema),
  config_revision: count,
});

const recordedAlert = {
  ...alertFacts,
  description: text,
  custom_fields: free,
  status: text,
  last_seen_at: instant,
  ended_at: nullable(instant),
  occurrence_count: count,
  incident_id: described(nullable(text), 'Set once it was promoted, or another alert took its key to an incident.'),
  outcome: described(word('recorded', 'suppressed'), '`suppressed`: by a silence or a maintenance window.'),
  reason: decisionReason,
  why: ref('Why'),
};

/** An alert of which only the decision is kept: a repeat, a resolve, one that was ignored. */
const decidedAlert = {
  id: text,
  receipt_id: text,
  webhook_id: text,
  incident_id: nullable(text),
  outcome: OutcomeSchema,
  reason: text,
  counted_on: nullable(text),
  occurrence_count: nullable(count),
  settled_at: instant,
  why: nullable(ref('Why')),
};

const commandResult = {
  ...PublicIncidentSchema.properties,
  events: described(
    Type.Array(Type.Object({ id: text, type: text, version: count, at: instant })),
    'What the command appended; empty where there was nothing to do.',
  ),
};

export const incidentSchemas = {
  RecordedAlert: Type.Object(recordedAlert),
  RecordedAlertPage: page(ref('RecordedAlert')),
  DecidedAlert: Type.Object(decidedAlert),
  AttachedAlert: Type.Object({ ...incidentAlert, incident_id: nullable(text) }),
  AnyAlert: {
    anyOf: [ref('RecordedAlert'), ref('AttachedAlert'), ref('DecidedAlert')],
    description: 'As much as is kept: recorded alerts and those of incidents as a whole, of others the decision.',
  },
  EventFeed: Type.Object({
    items: Type.Array(
      Type.Object({
        position: text,
        outbound_name: described(nullable(text), '`incident.<name>`, or null where subscribers get no webhook.'),
        event: ref('IncidentEvent'),
      }),
    ),
    next_after: described(text, 'Pass it as `after` to go on.'),
  }),
  Why,
  Incident: PublicIncidentSchema,
  IncidentEvent: PublicIncidentEventSchema,
  DeliveryFact: DeliveryEventSchema,
  IncidentPage: page(ref('Incident'), {
    counts: described(
      Type.Object({
        status: countsOf(incidentStatuses),
        severity: countsOf(severities),
        complete: described(flag, 'Whether all were counted: of resolved incidents only the newest 10,000 are.'),
      }),
      'How many fit the other filters, by status (whatever the status filter says) and by severity (likewise).',
    ),
    facets: Type.Optional(
      described(
        Type.Record(text, Type.Array(Type.Object({ value: text, count }))),
        'By field, the 20 most frequent values among the newest 10,000 incidents that fit; with `facets` only.',
      ),
    ),
  }),
  IncidentAudit: page(
    Type.Object({
      stream: text,
      version: count,
      type: text,
      meta: free,
      digest: text,
      prev_hash: text,
      hash: text,
      salt: nullable(text),
      body: described(nullable(text), 'The payload as it is stored; null where it is missing.'),
      erased_by: described(
        nullable(count),
        'Version of the event that vouches for what stands here since the payload was erased.',
      ),
    }),
    {
      intact: described(flag, 'Every hash is what its event and the one before make it.'),
      findings: Type.Array(Type.Object({ code: text, at: text, detail: text })),
    },
  ),
  BulkResults: Type.Object({
    results: Type.Array(
      Type.Object({
        id: text,
        ok: flag,
        status: Type.Optional(text),
        version: Type.Optional(count),
        code: Type.Optional(text),
        detail: Type.Optional(text),
      }),
    ),
  }),
  TimelineEntry,
  TimelinePage: page(ref('TimelineEntry')),
  IncidentAlert: Type.Object(incidentAlert),
  IncidentAlertPage: page(ref('IncidentAlert')),
  Receipt,
  Investigation,
  Investigations: page(ref('Investigation'), {
    incident_id: text,
    decision: described(nullable(text), 'What the last occasion came to: why there was an investigation, or why not.'),
  }),
  Change: ChangeEventSchema,
  ChangePage: page(ref('Change')),
  CommandResult: Type.Object(commandResult),
  ErasureResult: Type.Object({
    ...commandResult,
    erased_versions: described(
      Type.Array(count),
      'Of the events that lost their content; empty where there was nothing left.',
    ),
  }),
  MoveResult: Type.Object({
    ...commandResult,
    related: described(Type.Array(ref('Incident')), 'The other incidents of the command, as they are now.'),
  }),
};
