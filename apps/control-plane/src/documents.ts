import type { ApiKeyBody, SubscriptionBody, WebhookBody, WorkspaceBody, WorkspaceDocument } from '@tocsin/contracts';
import type { Change } from './configuration-feed.ts';
import { ApiKeyRow, type ConfigurationRow, SubscriptionRow, WebhookRow, WorkspaceRow } from './entities.ts';
import { alertPolicies } from './intake/intake-settings.ts';
import { MaintenanceWindowRow, muteBody, SilenceRow } from './mutes/mute-rows.ts';
import { syncLinkBody, SyncLinkRow } from './sync-links/sync-link-row.ts';
import { topologyBody, TopologyRow } from './topology/topology-rows.ts';

// What each row says on the configuration feed: exactly the bodies of libs/contracts.

const workspaceBody = (row: WorkspaceRow): WorkspaceBody => ({
  name: row.name,
  slug: row.slug,
  wrappedDataKey: row.wrappedDataKey,
  ...(row.correlationRules ? { correlationRules: row.correlationRules } : {}),
  ...alertPolicies(row),
  ...(row.investigator ? { investigator: row.investigator } : {}),
});

const webhookBody = (row: WebhookRow): WebhookBody => ({
  name: row.name,
  description: row.description,
  connector: row.connector,
  enabled: row.enabled,
  tokenHmac: row.tokenHmac,
  sealedToken: row.sealedToken,
  previousTokens: row.previousTokens,
  auth: row.auth,
  ...(row.previousAuth ? { previousAuth: row.previousAuth } : {}),
  secrets: row.secrets,
  respond: row.respond,
  rateLimitPerHour: row.rateLimitPerHour,
  rateLimitAlertsPerMinute: row.rateLimitAlertsPerMinute,
  defaultSeverity: row.defaultSeverity,
  severityProfile: row.severityProfile,
  dedup: row.dedup,
  correlation: row.correlation,
  ...(row.openWhen ? { openWhen: row.openWhen } : {}),
  rca: row.rca,
  changes: row.changes,
  overLimit: row.overLimit,
  limits: row.limits,
  unlockedAt: row.unlockedAt?.toISOString() ?? null,
  mode: row.mode,
  ...(row.mapping ? { mapping: row.mapping } : {}),
  incidentType: row.incidentType,
  ...(row.autoResolveAfterMinutes === null ? {} : { autoResolveAfterMinutes: row.autoResolveAfterMinutes }),
});

const subscriptionBody = (row: SubscriptionRow): SubscriptionBody => ({
  name: row.name,
  url: row.url,
  events: row.events,
  active: row.active,
  secrets: row.secrets,
  headers: row.headers,
  envelope: row.envelope,
  retrySchedule: row.retrySchedule,
  timeoutSeconds: row.timeoutSeconds,
  userAgent: row.userAgent,
  updateIntervalSeconds: row.updateIntervalSeconds,
  ...row.options,
});

const apiKeyBody = (row: ApiKeyRow): ApiKeyBody => ({
  name: row.name,
  scopes: row.scopes,
  secretHmac: row.secretHmac,
  expiresAt: row.expiresAt?.toISOString() ?? null,
});

/** The feed document of a row. A deleted one keeps its last body: receipts accepted before still name it. */
export function changeOf(row: ConfigurationRow, deleted: boolean): Change {
  const at = { id: row.id, workspaceId: row.workspaceId, deleted };
  if (row instanceof WorkspaceRow) return { kind: 'workspace', ...at, body: workspaceBody(row) };
  if (row instanceof WebhookRow) return { kind: 'webhook', ...at, body: webhookBody(row) };
  if (row instanceof SubscriptionRow) return { kind: 'subscription', ...at, body: subscriptionBody(row) };
  if (row instanceof ApiKeyRow) return { kind: 'api-key', ...at, body: apiKeyBody(row) };
  if (row instanceof SilenceRow) return { kind: 'silence', ...at, body: muteBody(row) };
  if (row instanceof MaintenanceWindowRow) return { kind: 'maintenance-window', ...at, body: muteBody(row) };
  if (row instanceof SyncLinkRow) return { kind: 'sync-link', ...at, body: syncLinkBody(row) };
  if (row instanceof TopologyRow) return { kind: 'topology', ...at, body: topologyBody(row) };
  throw new TypeError(`no feed document for ${row.constructor.name}`);
}

/** The workspace as the key ring wants it, read from its row: the feed may lag behind this transaction. */
export const workspaceDocumentOf = (row: WorkspaceRow): WorkspaceDocument => ({
  revision: row.revision,
  kind: 'workspace',
  id: row.id,
  workspaceId: row.id,
  deleted: false,
  body: workspaceBody(row),
});
