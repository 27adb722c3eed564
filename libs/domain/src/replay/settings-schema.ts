import { severities } from '@tocsin/contracts';
import Type, { type Static } from 'typebox';

/**
 * What of a webhook, as `POST webhooks` takes it, decides about its alerts. Bounds are those of the REST API. Settings that decide
 * nothing here (authentication, limits, answers) may stand beside them, so that one file serves everything.
 */
const Text = Type.String({ minLength: 1, maxLength: 1_000 });
const whole = (minimum: number, maximum: number) => Type.Optional(Type.Integer({ minimum, maximum }));
const word = <const Words extends readonly string[]>(...words: Words) =>
  Type.Optional(Type.Unsafe<Words[number]>(Type.Enum([...words])));
const anything = Type.Optional(Type.Unknown());
const closed = { additionalProperties: false } as const;

const RuleSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200 }),
    enabled: Type.Optional(Type.Boolean()),
    priority: whole(0, 1_000),
    weight: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    applies_to: word('both', 'alert'),
    conditions: Type.Record(Text, Type.Unknown()),
  },
  closed,
);
export const RulesSchema = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    strategy: word('first', 'sum'),
    min_match_weight: Type.Optional(Type.Number({ minimum: 0, maximum: 10 })),
    priority_order: word('asc', 'desc'),
    candidate_max_age_hours: whole(0, 8_760),
    rules: Type.Optional(Type.Array(RuleSchema, { maxItems: 200 })),
  },
  closed,
);
export type RulesInput = Static<typeof RulesSchema>;
const Rules = Type.Optional(Type.Union([RulesSchema, Type.Null()]));
const Condition = Type.Optional(Type.Union([Type.Record(Text, Type.Unknown()), Type.Null()]));

const Dedup = Type.Object(
  {
    window_hours: whole(1, 168),
    window_from: word('last', 'first'),
    reopen_minutes: whole(0, 10_080),
    resolve_policy: word('all', 'any', 'never'),
    key: word('auto', 'recipe'),
    recipe: Type.Optional(Type.Array(Text)),
    severity_policy: word('highest', 'latest', 'first'),
    ack_from_source: Type.Optional(Type.Boolean()),
  },
  closed,
);
const Correlation = Type.Object(
  {
    enabled: Type.Optional(Type.Boolean()),
    window_minutes: whole(1, 1_440),
    by: Type.Optional(Type.String({ pattern: '^(service|any|group|topology|topology:1|tag:[^:]{1,100})$' })),
    rules: Rules,
  },
  closed,
);

export const WebhookSettingsSchema = Type.Object(
  {
    ...{ id: Type.Optional(Text), name: Type.Optional(Text), connector: Type.Optional(Text) },
    ...{ default_severity: word(...severities), severity_profile: word('tocsin', 'opsknight') },
    dedup: Type.Optional(Dedup),
    correlation: Type.Optional(Correlation),
    ...{ enable_correlation: Type.Optional(Type.Boolean()), correlation_rules: Rules, open_when: Condition },
    auto_resolve_after_minutes: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
    ...{
      mapping: Type.Optional(Type.Union([Type.Record(Text, Type.Unknown()), Type.Null()])),
      field_mapping: anything,
    },
    incident_type: Type.Optional(Type.Union([Text, Type.Null()])),
    changes: Type.Optional(Type.Object({ alert_on_failure: Type.Optional(Type.Boolean()) }, closed)),
    // Of no consequence here.
    ...{
      description: anything,
      enabled: anything,
      auth: anything,
      secret: anything,
      token: anything,
      respond: anything,
    },
    ...{
      rate_limit_per_hour: anything,
      rate_limit_alerts_per_minute: anything,
      over_limit: anything,
      limits: anything,
    },
    ...{ rca: anything, mode: anything, overlap_hours: anything },
  },
  closed,
);
export type WebhookSettings = Static<typeof WebhookSettingsSchema>;

/** A configuration file: webhooks by name or id, and the rules of the workspace behind theirs. */
export const ConfigurationFileSchema = Type.Object(
  {
    webhooks: Type.Optional(Type.Array(WebhookSettingsSchema, { maxItems: 1_000 })),
    correlation_rules: Rules,
    // What else a configuration may hold decides nothing here.
    ...{ workspace: anything, subscriptions: anything, api_keys: anything },
  },
  closed,
);
export type ConfigurationFile = Static<typeof ConfigurationFileSchema>;
