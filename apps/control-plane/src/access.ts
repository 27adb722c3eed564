import { mintId } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import type { CreateApiKey, CreateWorkspace, UpdateApiKey, UpdateWorkspace } from './access.dto.ts';
import type { ConfigurationStore, ConfigurationTx } from './configuration-store.ts';
import { type Credentials, newApiKey } from './credentials.ts';
import { ApiKeyRow, WorkspaceRow } from './entities.ts';
import { invalidField } from './fields.ts';
import { checkDefaultRate, settingsAfter, standardSettings } from './intake/intake-settings.ts';
import type { Page, PageQuery } from './pages.ts';
import type { Changed } from './webhooks.ts';

export interface NewWorkspace {
  workspace: WorkspaceRow;
  /** First key of the new workspace, scope admin; shown once. */
  key: string;
  apiKey: ApiKeyRow;
}

/** Workspaces. A key sees its own only; a new one is reached with the key that comes with it. */
export class Workspaces {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly rateLimitMaxPerHour = Infinity,
  ) {}

  get = (workspaceId: string, id: string): Promise<WorkspaceRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(WorkspaceRow, id));

  list = (workspaceId: string, page: PageQuery): Promise<Page<WorkspaceRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(WorkspaceRow, page));

  create(input: CreateWorkspace): Promise<NewWorkspace> {
    checkDefaultRate(input.settings, this.rateLimitMaxPerHour);
    const id = mintId('ws', this.credentials.random(16));
    return this.store.inWorkspace(id, async (tx) => {
      const workspace = await insertWorkspace(tx, this.credentials, input);
      const made = await insertApiKey(tx, this.credentials, { name: 'First key', scopes: ['admin'] });
      return { workspace, key: made.shown.key, apiKey: made.row };
    });
  }

  update(workspaceId: string, id: string, input: UpdateWorkspace, revision?: number): Promise<WorkspaceRow> {
    checkDefaultRate(input.settings, this.rateLimitMaxPerHour);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(WorkspaceRow, id, revision);
      row.name = input.name ?? row.name;
      row.slug = input.slug ?? row.slug;
      row.settings = settingsAfter(row.settings, input.settings);
      return tx.save(row);
    });
  }
}

/** API keys of a workspace. */
export class ApiKeys {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
  ) {}

  list = (workspaceId: string, page: PageQuery): Promise<Page<ApiKeyRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(ApiKeyRow, page));

  get = (workspaceId: string, id: string): Promise<ApiKeyRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(ApiKeyRow, id));

  create = (workspaceId: string, input: CreateApiKey): Promise<Changed<ApiKeyRow, { key: string }>> =>
    this.store.inWorkspace(workspaceId, (tx) => insertApiKey(tx, this.credentials, input));

  update(workspaceId: string, id: string, input: UpdateApiKey, revision?: number): Promise<ApiKeyRow> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(ApiKeyRow, id, revision);
      if (input.scopes && !input.scopes.includes('admin')) await keepAnAdmin(tx, row);
      row.name = input.name ?? row.name;
      row.scopes = input.scopes ?? row.scopes;
      return tx.save(row);
    });
  }

  remove(workspaceId: string, id: string, revision?: number): Promise<void> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(ApiKeyRow, id, revision);
      await keepAnAdmin(tx, row);
      await tx.remove(row);
    });
  }
}

/** A workspace without an administrator could only be opened again with the database: the last such key stays. */
async function keepAnAdmin(tx: ConfigurationTx, leaving: ApiKeyRow): Promise<void> {
  if (!leaving.scopes.includes('admin')) return;
  // Two requests that each remove the other's key wait for each other here.
  await tx.lock(WorkspaceRow, tx.workspaceId);
  const others = await tx.manager
    .createQueryBuilder(ApiKeyRow, 'row')
    .where('row.workspaceId = :workspaceId and row.id <> :id', { workspaceId: tx.workspaceId, id: leaving.id })
    .andWhere(`row.scopes @> '["admin"]' and (row.expiresAt is null or row.expiresAt > :now)`, { now: tx.now })
    .getCount();
  if (others === 0) throw new Problem('conflict', 'This is the last key with scope admin; make another one first.');
}

export async function insertWorkspace(
  tx: ConfigurationTx,
  credentials: Credentials,
  input: CreateWorkspace,
): Promise<WorkspaceRow> {
  const row = new WorkspaceRow();
  row.id = tx.workspaceId;
  row.workspaceId = tx.workspaceId;
  row.name = input.name;
  row.slug = input.slug ?? slugOf(input.name);
  row.settings = settingsAfter(standardSettings, input.settings);
  row.wrappedDataKey = credentials.keyRing.newDataKey(row.id);
  return tx.save(row);
}

function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '');
  if (slug === '') throw invalidField('slug', 'is-needed', 'cannot be made from this name: give one');
  return slug;
}

/** Writes a new API key. `made` is for callers that keep the key themselves (the demo, the bootstrap key). */
export async function insertApiKey(
  tx: ConfigurationTx,
  credentials: Credentials,
  input: CreateApiKey,
  made: { id: string; key: string; secretHmac: string } = newApiKey(credentials),
): Promise<Changed<ApiKeyRow, { key: string }>> {
  const row = new ApiKeyRow();
  row.id = made.id;
  row.workspaceId = tx.workspaceId;
  row.name = input.name;
  row.scopes = input.scopes;
  row.secretHmac = made.secretHmac;
  row.expiresAt = expiryOf(input.expires_at, tx.now);
  return { row: await tx.save(row), shown: { key: made.key } };
}

function expiryOf(text: string | null | undefined, now: Date): Date | null {
  if (text === undefined || text === null) return null;
  const at = new Date(text);
  if (!(at > now)) throw invalidField('expires_at', 'in-the-past', 'must be in the future');
  return at;
}
