import { deriveId, type ServiceDependency, type TopologyBody } from '@tocsin/contracts';
import { Column, Entity } from 'typeorm';
import type { ConfigurationTx } from '../configuration-store.ts';
import { ConfigurationRow } from '../entities.ts';

/** The dependencies of a workspace: one row, which changes as a whole. */
@Entity({ schema: 'control_plane', name: 'topologies' })
export class TopologyRow extends ConfigurationRow {
  @Column({ type: 'jsonb' }) dependencies!: ServiceDependency[];
}

/** What the configuration feed says of it. */
export const topologyBody = ({ dependencies }: TopologyRow): TopologyBody => ({ dependencies });

export const topologyIdOf = (workspaceId: string): string => deriveId('top', workspaceId);

/** The workspace's topology, or null where nobody has declared one. */
export const topologyIn = (tx: ConfigurationTx): Promise<TopologyRow | null> =>
  tx.manager
    .createQueryBuilder(TopologyRow, 'row')
    .where('row.workspaceId = :workspaceId', { workspaceId: tx.workspaceId })
    .getOne();
