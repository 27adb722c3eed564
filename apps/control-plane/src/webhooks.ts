import { mintId, type AuthMethod, type WebhookBody } from '@tocsin/contracts';
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
import { WebhookRow } from './entities.ts';
import { invalidField } from './fields.ts';
import type { Page, PageQuery } from './pages.ts';
import type {
  CreateWebhook,
  RotateCredential,
  UpdateWebhook,
  WebhookAuthInput,
  WebhookSettings,
} from './webhook.dto.ts';

/** What the control-plane needs to know of a connector. */
export interface ConnectorDefaults {
  auth: { default: AuthMethod };
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

/** Methods that the gateway checks in this version; the others of product P2 come with their connectors. */
const supportedMethods: readonly AuthMethod[] = ['bearer', 'hmac', 'none'];

/** Creates, changes and rotates webhooks. Every change is one transaction and one feed revision. */
export class Webhooks {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly connectors: ConnectorCatalogue,
  ) {}

  list = (workspaceId: string, page: PageQuery): Promise<Page<WebhookRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(WebhookRow, page));

  get = (workspaceId: string, id: string): Promise<WebhookRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(WebhookRow, id));

  create = (workspaceId: string, input: CreateWebhook): Promise<Changed<WebhookRow, NewCredentials>> =>
    this.store.inWorkspace(workspaceId, (tx) => insertWebhook(tx, this.credentials, this.connectors, input));

  update(
    workspaceId: string,
    id: string,
    input: UpdateWebhook,
    revision?: number,
  ): Promise<Changed<WebhookRow, NewCredentials>> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WebhookRow, id, revision);
      row.name = input.name ?? row.name;
      // A secret on a webhook without authentication is a signature that is asked for: leaving authentication means leaving it.
      if (input.auth?.method === 'none' && row.auth.method !== 'none') row.secrets = [];
      if (input.auth) row.auth = authOf(row.auth, input.auth, input.auth.method ?? row.auth.method);
      applySettings(row, input);
      const shown: NewCredentials = {};
      if (row.auth.method !== 'none' && row.secrets.length === 0) {
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
  row.auth = authOf(
    { method: 'none', header: null, prefix: null, username: null },
    input.auth ?? {},
    methodOf(connector, input),
  );
  Object.assign(row, defaultSettings(connector));
  applySettings(row, input);
  const token = input.token ?? newToken(credentials.random);
  const secret = input.secret ?? (row.auth.method === 'none' ? undefined : newInboundSecret(credentials.random));
  row.tokenHmac = credentials.keyRing.pepperedHmac(token);
  row.sealedToken = sealFor(credentials, workspace, row.id, token);
  row.previousTokens = [];
  row.secrets = secret === undefined ? [] : [sealedSecret(credentials, workspace, row.id, secret)];
  return { row: await tx.save(row), shown: { token, ...(secret === undefined ? {} : { secret }) } };
}

/** Defaults of product P4, P7, P8, P10, P14. */
const defaultSettings = (connector: ConnectorDefaults) => ({
  description: '',
  enabled: true,
  respond: connector.respond,
  rateLimitPerHour: 100,
  defaultSeverity: 'medium' as const,
  severityProfile: 'tocsin' as const,
  dedup: {
    windowHours: 24,
    windowFrom: 'last',
    reopenMinutes: 30,
    resolvePolicy: 'all',
  } satisfies WebhookBody['dedup'],
  correlation: { enabled: true, windowMinutes: 5, by: 'service' } satisfies WebhookBody['correlation'],
  rca: { autoTrigger: true, minSeverity: 'medium' } satisfies WebhookBody['rca'],
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

function authOf(before: WebhookBody['auth'], input: WebhookAuthInput, method: AuthMethod): WebhookBody['auth'] {
  if (!supportedMethods.includes(method))
    throw invalidField(
      'auth.method',
      'unsupported-auth-method',
      `must be one of ${supportedMethods.join(', ')} in this version`,
    );
  const pick = (name: 'header' | 'prefix' | 'username') => (input[name] === undefined ? before[name] : input[name]);
  return { method, header: pick('header'), prefix: pick('prefix'), username: pick('username') };
}

/** Puts the given settings over those of the row; what is not given stays. */
function applySettings(row: WebhookRow, input: WebhookSettings): void {
  const { dedup, correlation, rca } = input;
  row.description = input.description ?? row.description;
  row.enabled = input.enabled ?? row.enabled;
  row.respond = input.respond ?? row.respond;
  row.rateLimitPerHour = input.rate_limit_per_hour ?? row.rateLimitPerHour;
  row.defaultSeverity = input.default_severity ?? row.defaultSeverity;
  row.severityProfile = input.severity_profile ?? row.severityProfile;
  row.dedup = {
    windowHours: dedup?.window_hours ?? row.dedup.windowHours,
    windowFrom: dedup?.window_from ?? row.dedup.windowFrom,
    reopenMinutes: dedup?.reopen_minutes ?? row.dedup.reopenMinutes,
    resolvePolicy: dedup?.resolve_policy ?? row.dedup.resolvePolicy,
  };
  row.correlation = {
    enabled: correlation?.enabled ?? row.correlation.enabled,
    windowMinutes: correlation?.window_minutes ?? row.correlation.windowMinutes,
    by: correlation?.by ?? row.correlation.by,
  };
  row.rca = {
    autoTrigger: rca?.auto_trigger ?? row.rca.autoTrigger,
    minSeverity: rca?.min_severity ?? row.rca.minSeverity,
  };
}
