import type { SyncLinkBody } from '@tocsin/contracts';
import { Column, Entity } from 'typeorm';
import { ConfigurationRow } from '../entities.ts';
import { MASK } from '../mask.ts';

export type SyncLinkSettings = Omit<SyncLinkBody, 'name' | 'active'>;

@Entity({ schema: 'control_plane', name: 'sync_links' })
export class SyncLinkRow extends ConfigurationRow {
  @Column({ type: 'boolean' }) active!: boolean;
  @Column({ type: 'jsonb' }) settings!: SyncLinkSettings;
}

/** What the configuration feed says of one. */
export const syncLinkBody = ({ name, active, settings }: SyncLinkRow): SyncLinkBody => ({ name, active, ...settings });

/** What people see of one: the credential masked. */
export function syncLinkView(row: SyncLinkRow) {
  const { settings } = row;
  const { auth } = settings;
  return {
    ...{ id: row.id, workspace_id: row.workspaceId, name: row.name, active: row.active },
    ...{ system: settings.system, base_url: settings.baseUrl },
    auth: {
      ...{ method: auth.method, username: auth.username, token_url: auth.tokenUrl },
      ...{ client_id: auth.clientId, scope: auth.scope, secret: MASK },
    },
    ...{ project: settings.project, issue_type: settings.issueType, table: settings.table },
    ...{ direction: settings.direction, comments: settings.comments, work_notes: settings.workNotes },
    ...{ status: settings.status, fields: settings.fields },
    status_map: { out: settings.statusOut, in: settings.statusIn, with: settings.statusFields },
    field_map: settings.fieldMap.map(({ valuesIn, ...map }) => ({ ...map, values_in: valuesIn })),
    ...{ create_fields: settings.createFields, webhook_id: settings.webhookId, poll_seconds: settings.pollSeconds },
    revision: row.revision,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
