import { defaultSignatures } from '@tocsin/domain/delivery';
import { emptyMapping } from '@tocsin/domain/mapping-rules';
import type { ApiKeyRow, ConfigurationRow, SubscriptionRow, WebhookRow, WorkspaceRow } from './entities.ts';
import { incidentRulesView } from './incident-rules.ts';
import { intakeView, settingsView } from './intake/intake-settings.ts';
import { keysView } from './key-recipe.ts';
import { rulesView, webhookWarnings } from './correlation/read-rules.ts';
import { MASK } from './mask.ts';
import { flowView } from './subscription-flow.ts';
import { templateView } from './templates/fill-template.ts';
import { authView } from './webhook-auth.ts';

// What people see of each row: snake_case, and never a secret, a token or a sealed text.

export { MASK } from './mask.ts';

const stamp = (row: ConfigurationRow) => ({
  revision: row.revision,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
});

export const workspaceView = (row: WorkspaceRow) => ({
  id: row.id,
  name: row.name,
  slug: row.slug,
  settings: settingsView(row),
  ...stamp(row),
});

export const apiKeyView = (row: ApiKeyRow) => ({
  id: row.id,
  workspace_id: row.workspaceId,
  name: row.name,
  scopes: row.scopes,
  expires_at: row.expiresAt?.toISOString() ?? null,
  ...stamp(row),
});

/** Senders that sign in with their id: the path token is not in this address. */
export const integrationUrl = (publicUrl: string, row: Pick<WebhookRow, 'id' | 'connector'>): string =>
  `${publicUrl}/api/integrations/${row.connector === 'generic' ? 'webhook' : row.connector}?integrationId=${row.id}`;

export const triggerUrl = (publicUrl: string, token: string): string => `${publicUrl}/webhook/${token}/trigger`;

export const webhookView = (publicUrl: string) => (row: WebhookRow) => ({
  id: row.id,
  workspace_id: row.workspaceId,
  name: row.name,
  description: row.description,
  connector: row.connector,
  enabled: row.enabled,
  integration_url: integrationUrl(publicUrl, row),
  auth: authView(row.auth),
  previous_auth: row.previousAuth && { method: row.previousAuth.auth.method, not_after: row.previousAuth.notAfter },
  has_secret: row.secrets.some(({ notAfter }) => notAfter === null),
  respond: row.respond,
  rate_limit_per_hour: row.rateLimitPerHour,
  rate_limit_alerts_per_minute: row.rateLimitAlertsPerMinute,
  default_severity: row.defaultSeverity,
  severity_profile: row.severityProfile,
  dedup: {
    window_hours: row.dedup.windowHours,
    window_from: row.dedup.windowFrom,
    reopen_minutes: row.dedup.reopenMinutes,
    resolve_policy: row.dedup.resolvePolicy,
    ...keysView(row.dedup),
    ...incidentRulesView(row.dedup),
  },
  open_when: row.openWhen,
  correlation: {
    enabled: row.correlation.enabled,
    window_minutes: row.correlation.windowMinutes,
    by: row.correlation.by,
    rules: row.correlation.rules ? rulesView(row.correlation.rules) : null,
  },
  warnings: webhookWarnings(row),
  rca: {
    auto_trigger: row.rca.autoTrigger,
    min_severity: row.rca.minSeverity,
    notify_workspace: row.rca.notifyWorkspace === true,
  },
  changes: { alert_on_failure: row.changes.alertOnFailure },
  auto_resolve_after_minutes: row.autoResolveAfterMinutes,
  ...intakeView(row),
  mode: row.mode,
  incident_type: row.incidentType,
  mapping: row.mapping ?? emptyMapping,
  ...stamp(row),
});

export const subscriptionView = (row: SubscriptionRow) => ({
  id: row.id,
  workspace_id: row.workspaceId,
  name: row.name,
  url: row.url,
  events: row.events,
  active: row.active,
  signed: row.secrets.length > 0,
  headers: Object.fromEntries(row.headers.map(({ name }) => [name, MASK])),
  envelope: row.envelope,
  transform: row.options.transform ?? null,
  template: row.options.template ? templateView(row.options.template) : null,
  allow_own_origin: row.options.template?.allowOwnOrigin === true,
  legacy_updates: row.options.legacyUpdates === true,
  occurrences: row.options.occurrences === true,
  signatures: row.options.signatures ?? defaultSignatures,
  public_keys: (row.options.signingKeys ?? []).map(({ publicKey, notAfter }) => ({
    key: publicKey,
    not_after: notAfter,
  })),
  retry_schedule: row.retrySchedule,
  timeout_seconds: row.timeoutSeconds,
  user_agent: row.userAgent,
  update_interval_seconds: row.updateIntervalSeconds,
  ...flowView(row.options),
  ...stamp(row),
});
