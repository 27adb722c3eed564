import { mintId, type AuthMethod, type WebhookBody } from '@tocsin/contracts';
import { needsSecret, type ConnectorAuth } from '@tocsin/domain/authentication';
import type { ConfigurationStore, ConfigurationTx } from './configuration-store.ts';
import {
  type Credentials,
  endOfOverlap,
  newInboundSecret,
  newToken,
  rotated,
  sealFor,
  sealedSecret,
} from './credentials.ts';
import { checkedCondition, checkedRules } from './correlation/read-rules.ts';
import { WebhookRow } from './entities.ts';
import { invalidField } from './fields.ts';
import { incidentRulesAfter } from './incident-rules.ts';
import { applyIntake, dedupDefaults, intakeDefaults } from './intake/intake-settings.ts';
import { keysAfter } from './key-recipe.ts';
import { mappingAfter } from './mapping/save-mapping.ts';
import type { Page, PageQuery } from './pages.ts';
import type { CreateWebhook, RotateCredential, UpdateWebhook, WebhookSettings } from './webhook.dto.ts';
import { authOf, changeAuth, noAuth } from './webhook-auth.ts';

/** What the control-plane needs to know of a connector. */
export interface ConnectorDefaults {
  auth: ConnectorAuth;
  respond: WebhookBody['respond'];
}
export type ConnectorCatalogue = ReadonlyMap<string, ConnectorDefaults>;

/** Shown once, in the answer that made it. */
export interface NewCredentials {
  token?: string;
  secret?: string;
}
export interface Changed<Row, Shown> {
  row: Row;
  shown: Shown;
}

/** Ceiling of `rate_limit_per_hour` where the installation names no other (product P7). */
const RATE_LIMIT_MAX_PER_HOUR = 10_000;

/** Creates, changes and rotates webhooks. Every change is one transaction and one feed revision. */
export class Webhooks {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly connectors: ConnectorCatalogue,
    private readonly rateLimitMaxPerHour = RATE_LIMIT_MAX_PER_HOUR,
  ) {}

  list = (workspaceId: string, page: PageQuery): Promise<Page<WebhookRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(WebhookRow, page));

  get = (workspaceId: string, id: string): Promise<WebhookRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(WebhookRow, id));

  create(workspaceId: string, input: CreateWebhook): Promise<Changed<WebhookRow, NewCredentials>> {
    this.checkRate(input);
    return this.store.inWorkspace(workspaceId, (tx) => insertWebhook(tx, this.credentials, this.connectors, input));
  }

  update(
    workspaceId: string,
    id: string,
    input: UpdateWebhook,
    revision?: number,
  ): Promise<Changed<WebhookRow, NewCredentials>> {
    this.checkRate(input);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WebhookRow, id, revision);
      const connector = connectorOf(this.connectors, input.connector ?? row.connector);
      row.name = input.name ?? row.name;
      row.connector = input.connector ?? row.connector;
      if (input.auth ?? input.connector) {
        const auth = authOf(row.auth, input.auth ?? {}, input.auth?.method ?? row.auth.method, connector.auth);
        changeAuth(row, auth, input.overlap_hours ?? 0, tx.now);
      }
      applySettings(row, input);
      const shown: NewCredentials = {};
      if (needsSecret(row.auth.method, connector.auth) && row.secrets.length === 0) {
        shown.secret = newInboundSecret(this.credentials.random);
        row.secrets = [sealedSecret(this.credentials, await tx.workspace(), row.id, shown.secret)];
      }
      return { row: await tx.save(row), shown };
    });
  }

  rotate(
    workspaceId: string,
    id: string,
    input: RotateCredential,
    revision?: number,
  ): Promise<Changed<WebhookRow, NewCredentials>> {
    if (input.what === 'token' && input.secret !== undefined)
      throw invalidField('secret', 'not-applicable', 'belongs to what: secret; tokens are always generated');
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WebhookRow, id, revision);
      const shown = await (input.what === 'token'
        ? this.rotateToken(tx, row, input)
        : this.rotateSecret(tx, row, input));
      return { row: await tx.save(row), shown };
    });
  }

  remove = (workspaceId: string, id: string, revision?: number): Promise<void> =>
    this.store.inWorkspace(workspaceId, async (tx) => tx.remove(await tx.lock(WebhookRow, id, revision)));

  /** Lock-outs that began before now are lifted, and the failures that led to them are forgotten. */
  unlock = (workspaceId: string, id: string): Promise<WebhookRow> =>
    this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WebhookRow, id);
      row.unlockedAt = tx.now;
      return tx.save(row);
    });

  /** @throws Problem where the limit is above what this installation allows */
  private checkRate({ rate_limit_per_hour: rate = 0 }: WebhookSettings): void {
    const most = this.rateLimitMaxPerHour;
    if (rate > most)
      throw invalidField('rate_limit_per_hour', 'max', `must not be greater than ${most}; 0 is unlimited`);
  }

  private async rotateSecret(tx: ConfigurationTx, row: WebhookRow, input: RotateCredential): Promise<NewCredentials> {
    const secret = input.secret ?? newInboundSecret(this.credentials.random);
    const fresh = sealedSecret(this.credentials, await tx.workspace(), row.id, secret);
    row.secrets = rotated(row.secrets, fresh, input.overlap_hours, tx.now);
    return { secret };
  }

  private async rotateToken(tx: ConfigurationTx, row: WebhookRow, input: RotateCredential): Promise<NewCredentials> {
    const token = newToken(this.credentials.random);
    const end = endOfOverlap(tx.now, input.overlap_hours);
    row.previousTokens = [{ tokenHmac: row.tokenHmac, notAfter: end }, ...row.previousTokens].filter(
      ({ notAfter }) => notAfter > tx.now.toISOString(),
    );
    row.tokenHmac = this.credentials.keyRing.pepperedHmac(token);
    row.sealedToken = sealFor(this.credentials, await tx.workspace(), row.id, token);
    return { token };
  }
}

/** Writes a new webhook. `given` is for callers that keep the credentials themselves (the demo). */
export async function insertWebhook(
  tx: ConfigurationTx,
  credentials: Credentials,
  connectors: ConnectorCatalogue,
  input: CreateWebhook & { id?: string; token?: string },
): Promise<Changed<WebhookRow, NewCredentials>> {
  const workspace = await tx.workspace();
  const row = new WebhookRow();
  row.id = input.id ?? mintId('whk', credentials.random(16));
  row.workspaceId = workspace.id;
  row.name = input.name;
  row.connector = input.connector;
  const connector = connectorOf(connectors, input.connector);
  row.auth = authOf(noAuth, input.auth ?? {}, methodOf(connector, input), connector.auth);
  row.previousAuth = null;
  Object.assign(row, defaultSettings(connector), intakeDefaults(workspace));
  row.dedup = { ...row.dedup, ...dedupDefaults(workspace) };
  applySettings(row, input);
  const token = input.token ?? newToken(credentials.random);
  const needed = needsSecret(row.auth.method, connector.auth);
  const secret = input.secret ?? (needed ? newInboundSecret(credentials.random) : undefined);
  row.tokenHmac = credentials.keyRing.pepperedHmac(token);
  row.sealedToken = sealFor(credentials, workspace, row.id, token);
  row.previousTokens = [];
  row.secrets = secret === undefined ? [] : [sealedSecret(credentials, workspace, row.id, secret)];
  return { row: await tx.save(row), shown: { token, ...(secret === undefined ? {} : { secret }) } };
}

/** Defaults of product P4, P7, P8, P10, P11, P14. */
const defaultSettings = (connector: ConnectorDefaults) => ({
  description: '',
  enabled: true,
  respond: connector.respond,
  rateLimitPerHour: 100,
  rateLimitAlertsPerMinute: 0,
  defaultSeverity: 'medium' as const,
  severityProfile: 'tocsin' as const,
  dedup: {
    windowHours: 24,
    windowFrom: 'last',
    reopenMinutes: 30,
    resolvePolicy: 'all',
  } satisfies WebhookBody['dedup'],
  correlation: { enabled: true, windowMinutes: 5, by: 'service' } satisfies WebhookBody['correlation'],
  openWhen: null,
  rca: { autoTrigger: true, minSeverity: 'medium' } satisfies WebhookBody['rca'],
  changes: { alertOnFailure: true } satisfies WebhookBody['changes'],
  mode: 'live' as const,
  mapping: null,
  incidentType: null,
  autoResolveAfterMinutes: null,
});

function connectorOf(connectors: ConnectorCatalogue, id: string): ConnectorDefaults {
  const connector = connectors.get(id);
  if (connector) return connector;
  throw invalidField('connector', 'unknown-connector', `must be one of ${[...connectors.keys()].sort().join(', ')}`);
}

/** @throws Problem where `none` would come by default instead of by wish */
function methodOf(connector: ConnectorDefaults, input: CreateWebhook): AuthMethod {
  if (input.auth?.method) return input.auth.method;
  if (connector.auth.default !== 'none') return connector.auth.default;
  throw invalidField(
    'auth.method',
    'none-must-be-explicit',
    `${input.connector} sends no credential: ask for "none" explicitly, or choose another method`,
  );
}

/** Puts the given settings over those of the row; what is not given stays. */
function applySettings(row: WebhookRow, input: WebhookSettings): void {
  const { dedup, correlation, rca } = input;
  row.description = input.description ?? row.description;
  row.enabled = input.enabled ?? row.enabled;
  row.respond = input.respond ?? row.respond;
  row.rateLimitPerHour = input.rate_limit_per_hour ?? row.rateLimitPerHour;
  row.rateLimitAlertsPerMinute = input.rate_limit_alerts_per_minute ?? row.rateLimitAlertsPerMinute;
  applyIntake(row, input);
  row.defaultSeverity = input.default_severity ?? row.defaultSeverity;
  row.severityProfile = input.severity_profile ?? row.severityProfile;
  row.dedup = {
    windowHours: dedup?.window_hours ?? row.dedup.windowHours,
    windowFrom: dedup?.window_from ?? row.dedup.windowFrom,
    reopenMinutes: dedup?.reopen_minutes ?? row.dedup.reopenMinutes,
    resolvePolicy: dedup?.resolve_policy ?? row.dedup.resolvePolicy,
    ...keysAfter(row.dedup, dedup),
    ...incidentRulesAfter(row.dedup, dedup),
  };
  row.correlation = {
    enabled: correlation?.enabled ?? row.correlation.enabled,
    windowMinutes: correlation?.window_minutes ?? row.correlation.windowMinutes,
    by: correlation?.by ?? row.correlation.by,
    rules:
      correlation?.rules === undefined
        ? (row.correlation.rules ?? null)
        : correlation.rules && checkedRules(correlation.rules, 'correlation.rules'),
  };
  if (input.open_when !== undefined)
    row.openWhen = input.open_when && checkedCondition(input.open_when, 'open_when', false);
  row.rca = {
    autoTrigger: rca?.auto_trigger ?? row.rca.autoTrigger,
    minSeverity: rca?.min_severity ?? row.rca.minSeverity,
    notifyWorkspace: rca?.notify_workspace ?? row.rca.notifyWorkspace ?? false,
  };
  if (input.auto_resolve_after_minutes !== undefined) row.autoResolveAfterMinutes = input.auto_resolve_after_minutes;
  row.mode = input.mode ?? row.mode;
  row.incidentType = input.incident_type === undefined ? row.incidentType : input.incident_type;
  row.mapping = mappingAfter(row.mapping, input);
  row.changes = { alertOnFailure: input.changes?.alert_on_failure ?? row.changes.alertOnFailure };
}
