import { deriveId, mintId } from '@tocsin/contracts';
import type { AllowList } from '@tocsin/domain/delivery';
import { type Caller, Problem } from '@tocsin/nest-shell';
import type { ConfigurationStore, ConfigurationTx } from '../configuration-store.ts';
import { type Credentials, sealFor } from '../credentials.ts';
import { WebhookRow } from '../entities.ts';
import { invalidField } from '../fields.ts';
import type { Page, PageQuery } from '../pages.ts';
import { appliedAuth, appliedSettings, checkedAddress, newSettings } from './read-settings.ts';
import { SyncLinkRow } from './sync-link-row.ts';
import type { CreateSyncLink, UpdateSyncLink } from './sync-link.dto.ts';

/** Each link is a worker of its own. */
const LINKS_MAX = 50;

/** Creates, changes and removes links. Every change is one transaction and one feed revision. */
export class SyncLinks {
  constructor(
    private readonly store: ConfigurationStore,
    private readonly credentials: Credentials,
    private readonly allow: AllowList,
  ) {}

  list = (workspaceId: string, page: PageQuery): Promise<Page<SyncLinkRow>> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.list(SyncLinkRow, page));

  get = (workspaceId: string, id: string): Promise<SyncLinkRow> =>
    this.store.inWorkspace(workspaceId, (tx) => tx.find(SyncLinkRow, id));

  /** Sent again with the same key it answers with what it made. @throws Problem url-not-allowed, validation-failed, conflict */
  create({ workspaceId, keyId }: Caller, input: CreateSyncLink, idempotencyKey?: string): Promise<SyncLinkRow> {
    const id =
      idempotencyKey === undefined
        ? mintId('syn', this.credentials.random(16))
        : deriveId('syn', workspaceId, keyId, idempotencyKey);
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const rows = tx.manager
        .createQueryBuilder(SyncLinkRow, 'row')
        .where('row.workspaceId = :workspaceId', { workspaceId });
      const before = await rows.clone().andWhere('row.id = :id', { id }).getOne();
      if (before) return before;
      if ((await rows.getCount()) >= LINKS_MAX)
        throw new Problem('conflict', `There are ${LINKS_MAX} sync links already; at most so many can be.`);
      const row = Object.assign(new SyncLinkRow(), { id, workspaceId, active: true });
      row.settings = newSettings(input.system);
      await this.apply(tx, row, input);
      return tx.save(row);
    });
  }

  update(workspaceId: string, id: string, input: UpdateSyncLink, revision?: number): Promise<SyncLinkRow> {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await tx.lock(SyncLinkRow, id, revision);
      await this.apply(tx, row, input);
      return tx.save(row);
    });
  }

  remove = (workspaceId: string, id: string, revision?: number): Promise<void> =>
    this.store.inWorkspace(workspaceId, async (tx) => tx.remove(await tx.lock(SyncLinkRow, id, revision)));

  private async apply(tx: ConfigurationTx, row: SyncLinkRow, input: UpdateSyncLink): Promise<void> {
    const { settings: before } = row;
    row.name = input.name ?? row.name;
    row.active = input.active ?? row.active;
    const settings = appliedSettings(before, input);
    if (input.base_url !== undefined) settings.baseUrl = checkedAddress('base_url', input.base_url, this.allow);
    const workspace = await tx.workspace();
    settings.auth = appliedAuth(before.auth, input.auth, {
      seal: (text) => sealFor(this.credentials, workspace, row.id, text),
      allow: this.allow,
      moved: settings.baseUrl !== before.baseUrl,
    });
    if (settings.webhookId !== null && settings.webhookId !== before.webhookId) await webhookIn(tx, settings.webhookId);
    row.settings = settings;
  }
}

/** @throws Problem validation-failed where the workspace has no such webhook */
async function webhookIn(tx: ConfigurationTx, id: string): Promise<void> {
  const found = await tx.manager
    .createQueryBuilder(WebhookRow, 'row')
    .where('row.id = :id and row.workspaceId = :workspaceId', { id, workspaceId: tx.workspaceId })
    .getExists();
  if (!found) throw invalidField('webhook_id', 'unknown-webhook', 'is no webhook of this workspace');
}
