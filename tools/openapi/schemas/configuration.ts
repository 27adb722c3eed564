import {
  authMethods,
  scopes,
  SeveritySchema,
  signatureSchemes,
  deliveryModes,
  deliveryOrderings,
} from '@tocsin/contracts';
import Type from 'typebox';
import { count, described, flag, free, headerMap, instant, nullable, page, ref, text, texts, word } from './kit.ts';

const stamp = {
  revision: described(count, 'Grows with each change; the ETag of the answer.'),
  created_at: instant,
  updated_at: instant,
};

const settings = Type.Object({
  profile: described(word('standard', 'high-volume'), 'Defaults of new webhooks.'),
  default_rate_limit_per_hour: described(nullable(count), "Of new webhooks; 0 = unlimited, null = the profile's."),
  flapping: described(
    Type.Object({ toggles: count, window_minutes: count, hold_minutes: count }),
    'So many changes within the window hold the notifications of a key; `hold_minutes` 0 = never.',
  ),
  storm: described(
    Type.Object({ new_incidents_per_minute: count }),
    'Above this many new keys roll up into one incident; 0 = never.',
  ),
});

const Workspace = Type.Object({ id: text, name: text, slug: text, settings, ...stamp });

const apiKey = {
  id: text,
  workspace_id: text,
  name: text,
  scopes: Type.Array(word(...scopes)),
  expires_at: nullable(instant),
  ...stamp,
};

const authView = {
  method: word(...authMethods),
  header: nullable(text),
  prefix: nullable(text),
  username: nullable(text),
  timestamp_header: nullable(text),
  subjects: texts,
  audience: nullable(text),
  tenant: nullable(text),
};

const webhook = {
  id: text,
  workspace_id: text,
  name: text,
  description: text,
  connector: text,
  enabled: flag,
  integration_url: described(text, 'Address by platform and id; works beside the one that holds the token.'),
  auth: Type.Object(authView),
  previous_auth: described(
    nullable(Type.Object({ method: word(...authMethods), not_after: instant })),
    'How senders could authenticate before, while the overlap runs.',
  ),
  has_secret: flag,
  respond: word('wait', 'accept'),
  rate_limit_per_hour: described(count, '0 = unlimited.'),
  rate_limit_alerts_per_minute: described(count, '0 = unlimited.'),
  over_limit: described(
    word('reject', 'rollup'),
    'Above a rate limit: 429, or accepted and rolled up into one incident.',
  ),
  limits: Type.Object({ strict: described(flag, '413 above 100 KB.') }),
  unlocked_at: described(nullable(instant), 'Failed authentications up to then are forgiven.'),
  default_severity: SeveritySchema,
  severity_profile: word('tocsin', 'opsknight'),
  dedup: Type.Object({
    window_hours: count,
    window_from: word('last', 'first'),
    reopen_minutes: count,
    resolve_policy: word('all', 'any', 'never'),
    key: described(word('auto', 'recipe'), '`recipe`: keys are always made by the recipe.'),
    recipe: described(Type.Array(text), 'Fields whose values make a key where mapping and connector have none.'),
    severity_policy: described(
      word('highest', 'latest', 'first'),
      'Severity of an incident after a further alert of another one.',
    ),
    ack_from_source: described(flag, 'Whether an acknowledge of the source acknowledges the incident.'),
  }),
  correlation: Type.Object({
    enabled: flag,
    window_minutes: count,
    by: described(text, '`service`, `any`, `group` or `tag:<key>`.'),
    rules: nullable(ref('CorrelationRules')),
  }),
  warnings: described(
    Type.Array(Type.Object({ path: text, code: text, message: text })),
    'Of its rules and `open_when`: unknown fields, rules that can never match.',
  ),
  open_when: described(nullable(free), 'The condition under which a triggered alert opens an incident; null = always.'),
  rca: Type.Object({
    auto_trigger: flag,
    min_severity: SeveritySchema,
    notify_workspace: described(flag, 'Whether its incidents and their investigations ring the bell.'),
  }),
  changes: Type.Object({ alert_on_failure: flag }),
  auto_resolve_after_minutes: described(
    nullable(count),
    'An alert that was not heard of for so long is over; null = never.',
  ),
  mode: word('live', 'capture'),
  incident_type: nullable(text),
  mapping: ref('Mapping'),
  ...stamp,
};

/** Shown once, when they are made. */
const shownOnce = {
  url: Type.Optional(described(text, 'Address with the token; shown when the token is made.')),
  token: Type.Optional(described(text, 'Shown once.')),
  secret: Type.Optional(described(text, 'Shown once.')),
};

const subscription = {
  id: text,
  workspace_id: text,
  name: text,
  url: text,
  events: texts,
  active: flag,
  signed: flag,
  headers: described(headerMap, 'Names; the values are masked.'),
  envelope: text,
  transform: described(Type.Unknown(), 'JSON template of the body; null = the envelope.'),
  template: described(
    nullable(Type.Object({ name: text, parameters: free })),
    'Request format of a vendor with its parameters, secrets masked; null = none.',
  ),
  allow_own_origin: flag,
  legacy_updates: flag,
  occurrences: flag,
  signatures: Type.Array(word(...signatureSchemes)),
  public_keys: described(
    Type.Array(Type.Object({ key: text, not_after: nullable(instant) })),
    'For receivers that verify `standard-v1a`.',
  ),
  retry_schedule: Type.Array(count),
  timeout_seconds: count,
  user_agent: nullable(text),
  update_interval_seconds: count,
  filter: described(nullable(free), 'Condition over the default envelope; null = every event of the list.'),
  delivery: word(...deliveryModes),
  ordering: word(...deliveryOrderings),
  retain_while_paused: flag,
  max_in_flight: described(nullable(count), 'Per process; null = the bound of the installation.'),
  max_per_second: described(nullable(count), 'Over all processes; null = no bound.'),
  disable_after_days: described(nullable(count), '0 = never; null = as the installation says.'),
  ...stamp,
};

const Attempt = Type.Object({
  attempt: count,
  started_at: instant,
  duration_ms: count,
  reason: text,
  error: nullable(text),
  request_headers: headerMap,
  response_status: nullable(count),
  response_headers: nullable(headerMap),
  response_body: nullable(text),
  response_truncated: described(nullable(flag), 'Null: there was no answer.'),
});

const Delivery = Type.Object({
  id: text,
  subscription_id: text,
  subscription_name: text,
  event_id: text,
  event_type: text,
  incident_id: nullable(text),
  sequence: nullable(count),
  status: word('pending', 'retrying', 'delivered', 'failed', 'skipped-paused'),
  reason: nullable(text),
  attempt_count: count,
  created_at: instant,
  finished_at: nullable(instant),
  next_attempt_at: described(
    nullable(instant),
    'Null when finished, kept or to be fetched, or while an earlier delivery of the incident is unfinished.',
  ),
  retained: described(flag, 'Kept until its subscription is active again.'),
  test: flag,
  redelivered_at: nullable(instant),
  erased_at: described(
    nullable(instant),
    'When body, headers and answers were taken away with the personal data of its incident.',
  ),
  request_body: text,
  attempts: Type.Array(Attempt),
});

const ReceiverHealth = Type.Object({
  state: word('healthy', 'failing', 'disabled', 'paused'),
  circuit: described(word('closed', 'open', 'half-open'), '`open`: nothing is sent before `next_probe_at`.'),
  consecutive_failures: count,
  failing_since: nullable(instant),
  next_probe_at: nullable(instant),
  disabled_reason: nullable(text),
  disabled_at: nullable(instant),
  waiting: described(count, 'Deliveries that wait for their turn or next attempt; counted up to 10,000.'),
  retained: described(count, 'Deliveries that are kept until it is active again.'),
  oldest_waiting_at: nullable(instant),
  last_delivered_at: nullable(instant),
});

const SubscriptionFeed = Type.Object({
  items: Type.Array(
    Type.Object({
      cursor: described(text, 'Acknowledge with it, or go on behind it.'),
      id: described(text, 'Of the event; the same whenever it is fetched.'),
      type: text,
      delivery_id: text,
      incident_id: nullable(text),
      sequence: nullable(count),
      created_at: instant,
      test: flag,
      payload: described(Type.Unknown(), 'What would be sent, in the form of the subscription.'),
    }),
  ),
  next_after: described(nullable(text), 'Pass it as `after` to go on.'),
  acknowledged: described(nullable(text), 'Up to where events are acknowledged.'),
});

export const configurationSchemas = {
  Workspace,
  WorkspacePage: page(ref('Workspace')),
  NewWorkspace: Type.Object({
    ...Workspace.properties,
    api_key: described(
      Type.Object({ ...apiKey, key: described(text, 'Shown once.') }),
      'The first key of the new workspace: keys are bound to theirs.',
    ),
  }),
  ApiKey: Type.Object(apiKey),
  ApiKeyPage: page(ref('ApiKey')),
  NewApiKey: Type.Object({ ...apiKey, key: described(text, 'Shown once: `tsk_<id>_<secret>`.') }),
  Webhook: Type.Object(webhook),
  WebhookPage: page(ref('Webhook')),
  WebhookWithCredentials: Type.Object({ ...webhook, ...shownOnce }),
  Subscription: Type.Object(subscription),
  SubscriptionPage: page(ref('Subscription')),
  SubscriptionWithSecret: Type.Object({
    ...subscription,
    secret: Type.Optional(described(text, 'Shown once, where it was generated.')),
  }),
  Delivery,
  DeliveryPage: page(ref('Delivery')),
  Egress: Type.Object({ addresses: texts }),
  DeliveryExport: Type.Array(ref('Delivery')),
  Redelivery: Type.Object({ redelivered: count, more: flag, per_second: count }),
  ReceiverHealth,
  SubscriptionFeed,
  FeedAcknowledged: Type.Object({ acknowledged: text, count: described(count, 'Events that this acknowledged anew.') }),
};
