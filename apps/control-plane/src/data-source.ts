import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { ApiKeyRow, SubscriptionRow, WebhookRow, WorkspaceRow } from './entities.ts';
import { MaintenanceWindowRow, SilenceRow } from './mutes/mute-rows.ts';
import { SyncLinkRow } from './sync-links/sync-link-row.ts';
import { TopologyRow } from './topology/topology-rows.ts';

/**
 * TypeORM over a pool of this process, so that its sessions have the role, the timeouts and the limits of that pool
 * and no second pool exists. The pool stays its owner's: destroying the data source does not end it.
 */
export function dataSourceOver(pool: Pool): DataSource {
  class BorrowedPool {
    connect = pool.connect.bind(pool);
    on = (): this => this; // errors of idle connections are the owner's to log
    end = (done: (error?: Error) => void): void => done();
  }
  return new DataSource({
    type: 'postgres',
    driver: { Pool: BorrowedPool, defaults: {} },
    entities: [
      ...[WorkspaceRow, WebhookRow, SubscriptionRow, ApiKeyRow],
      ...[SilenceRow, MaintenanceWindowRow, TopologyRow, SyncLinkRow],
    ],
    synchronize: false,
    migrationsRun: false,
    installExtensions: false,
    logging: false,
  });
}
