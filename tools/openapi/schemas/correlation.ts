import Type from 'typebox';
import { count, described, flag, free, nullable, ref, text, word } from './kit.ts';

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

export const correlationSchemas = {
  CorrelationRules,
  WebhookCorrelationRules: Type.Object({ ...document, enable_correlation: flag }),
  WorkspaceCorrelationRules: Type.Object(document),
};
