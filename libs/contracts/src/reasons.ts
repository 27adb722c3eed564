/** Closed lists of reasons. They are metric labels and table rows in the docs; a new one is added here first. */

/** Why the pipeline skipped an input record or alert without any effect. */
export const skipReasons = ['already-processed', 'repeated-mark', 'not-for-this-service', 'unknown-webhook'] as const;
export type SkipReason = (typeof skipReasons)[number];

/** What is reproducibly wrong with a record itself, so that it goes to `dead-letters`. */
export const poisonReasons = [
  'undecodable-record',
  'schema-mismatch',
  'unknown-record-type',
  'decision-failed',
  'data-rejected-by-database',
  'unrecognised-payload',
  'undecodable-payload',
  'connector-failed',
] as const;
export type PoisonReason = (typeof poisonReasons)[number];

/** Why a whole batch is tried again later. */
export const retryReasons = [
  'database-unavailable',
  'database-conflict',
  'log-unavailable',
  'configuration-behind',
  'outbox-blocked',
  'handler-failed',
] as const;
export type RetryReason = (typeof retryReasons)[number];

/** Why a consumer stops until a person has looked. */
export const haltReasons = ['gap', 'log-behind', 'poison-rate', 'partition-mismatch', 'handler-contract'] as const;
export type HaltReason = (typeof haltReasons)[number];

/** Why an alert had the outcome that it had: part of every "why" record and of the answer to a waiting sender. */
export const decisionReasons = [
  'new-alert',
  'same-dedup-key',
  'same-firing',
  'window-passed',
  'time-window',
  'recurrence',
  'already-processed',
  'stale',
  'no-open-alert',
  'alert-resolved',
  'all-alerts-resolved',
  'other-alerts-open',
  'source-acknowledged',
  'source-updated',
  'already-acknowledged',
  'incident-closed',
  'successor',
  'taken-over',
  'test-notification',
  'handshake',
  'note',
  'unsupported-event',
  'not-an-alert-state',
  'empty-batch',
  'change-recorded',
  'only-first',
  'grouped',
  'unrecognised-payload',
  'undecodable-payload',
  'connector-failed',
  'decision-failed',
  'data-rejected-by-database',
  'webhook-disabled',
  'capture-mode',
  'open-when',
  'promoted',
  'over-limit',
  'rule',
  'ack-from-source-off',
  'silenced',
  'maintenance',
  'storm',
] as const;
export type DecisionReason = (typeof decisionReasons)[number];

/** Why an event is on an incident that no alert has brought: beside decision reasons in the timeline. */
export const lifecycleReasons = ['merged', 'alerts-moved', 'opened-by-hand', 'end-passed', 'quiet', 'erased'] as const;
export type LifecycleReason = (typeof lifecycleReasons)[number];
