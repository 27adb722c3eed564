import { OutcomeSchema, SeveritySchema } from '@tocsin/contracts';
import { changeKinds } from '@tocsin/domain/replay';
import Type from 'typebox';
import { anything, count, described, flag, free, instant, nullable, ref, text, texts, word } from './kit.ts';

const CorrelationRules = Type.Object({
  enabled: flag,
  strategy: word('first', 'sum'),
  min_match_weight: Type.Number(),
  priority_order: described(word('asc', 'desc'), '`asc`: 0 is tried first.'),
  candidate_max_age_hours: described(count, '0 = incidents of any age.'),
  rules: Type.Array(
    Type.Object({
      name: text,
      enabled: flag,
      priority: count,
      weight: Type.Number(),
      applies_to: described(word('both', 'alert'), 'Whether constant conditions must hold for the incident, too.'),
      conditions: described(free, 'A condition, or a node of conditions: docs/guides/recorded-alerts-and-rules.md.'),
    }),
  ),
});

const document = {
  id: text,
  revision: count,
  correlation_rules: nullable(ref('CorrelationRules')),
  warnings: Type.Array(Type.Object({ path: text, code: text, message: text })),
};

const TestedIncident = Type.Object({
  id: text,
  title: text,
  severity: SeveritySchema,
  status: text,
  opened_at: instant,
  alert_count: count,
  alert_ids: texts,
});

const TestedDecision = Type.Object({
  outcome: OutcomeSchema,
  incident_id: nullable(text),
  reason: text,
  rule: nullable(text),
  rules_of: nullable(word('webhook', 'workspace')),
  matched: described(anything, 'What the rule or the time window looked at.'),
  nearest_miss: nullable(
    Type.Object({ rule: text, incident_id: nullable(text), held: count, of: count, failed: anything }),
  ),
});

const DecidingAlert = Type.Object({
  alert_id: text,
  receipt_id: text,
  webhook_id: text,
  received_at: instant,
  title: text,
  severity: SeveritySchema,
  services: texts,
  now: TestedDecision,
  proposed: TestedDecision,
});

export const correlationSchemas = {
  CorrelationRules,
  WebhookCorrelationRules: Type.Object({ ...document, enable_correlation: flag }),
  WorkspaceCorrelationRules: Type.Object(document),
  CorrelationRuleTest: Type.Object({
    id: text,
    revision: count,
    hours: count,
    from: described(instant, 'Later than asked for where more came than is looked at.'),
    to: instant,
    receipts: Type.Object({
      read: count,
      skipped: described(Type.Record(text, count), 'Receipts without a payload, by the reason.'),
    }),
    complete: described(flag, 'False where the delivery log has only a part of what came.'),
    alerts: count,
    incidents: Type.Object({ now: count, proposed: count, unchanged: count }),
    changes: Type.Array(
      Type.Object({
        kind: word(...changeKinds),
        now: Type.Array(TestedIncident),
        proposed: Type.Array(TestedIncident),
        differing_alerts: count,
        deciding: described(Type.Array(DecidingAlert), 'The first alerts that are decided about otherwise.'),
      }),
    ),
    changes_total: count,
    warnings: document.warnings,
  }),
};
