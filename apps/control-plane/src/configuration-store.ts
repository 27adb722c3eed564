import { Problem } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { type DataSource, type EntityManager, type EntityTarget, QueryFailedError } from 'typeorm';
import { claimFeed, nextRevision, publishChange } from './configuration-feed.ts';
import { dataSourceOver } from './data-source.ts';
import { changeOf } from './documents.ts';
import { type ConfigurationRow, WorkspaceRow } from './entities.ts';
import { type Page, type PageQuery, cursorOf, readCursor } from './pages.ts';

/** SQLSTATE classes of a database that is away, stopping, full or busy. */
const AWAY = /^(08|53|57)|^(40001|40P01|55P03)$/;
/** What pg says without a code when a connection is lost or none is to be had. */
const GONE =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error)/;

/** One transaction on the configuration of one workspace. Every change goes to its row and to the feed together. */
export interface ConfigurationTx {
  readonly manager: EntityManager;
  readonly workspaceId: string;
  readonly now: Date;
  workspace(): Promise<WorkspaceRow>;
  find<Row extends ConfigurationRow>(target: EntityTarget<Row>, id: string): Promise<Row>;
  /** Locks the row. @throws Problem not-found, and precondition-failed when `revision` is given and not the current one. */
  lock<Row extends ConfigurationRow>(target: EntityTarget<Row>, id: string, revision?: number): Promise<Row>;
  list<Row extends ConfigurationRow>(target: EntityTarget<Row>, page: PageQuery): Promise<Page<Row>>;
  save<Row extends ConfigurationRow>(row: Row): Promise<Row>;
  remove(row: ConfigurationRow): Promise<void>;
}

/**
 * The configuration of an installation in Postgres. Over the REST pool row level security binds each transaction to its
 * workspace; over the pipeline pool (seeding) the same queries filter by it.
 */
export class ConfigurationStore {
  private readonly source: DataSource;
  private ready: Promise<unknown> | undefined;

  constructor(
    pool: Pool,
    private readonly now: () => Date,
  ) {
    this.source = dataSourceOver(pool);
  }

  /** Runs in one transaction bound to the workspace. @throws Problem unavailable when the database is away. */
  inWorkspace<Result>(workspaceId: string, run: (tx: ConfigurationTx) => Promise<Result>): Promise<Result> {
    return this.transaction(async (manager) => {
      await manager.query(`select set_config('tocsin.workspace_id', $1, true)`, [workspaceId]);
      return run(transactionOn(manager, workspaceId, this.now()));
    });
  }

  /** One transaction across workspaces, for the boot; needs the pipeline pool to see any of them. */
  async transaction<Result>(run: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      await this.initialised();
      return await this.source.transaction(run);
    } catch (error) {
      throw problemOf(error);
    }
  }

  claimFeed(newFeedId: () => string): Promise<{ feedId: string; renewed: boolean }> {
    return this.transaction((manager) => claimFeed(manager, newFeedId));
  }

  async close(): Promise<void> {
    if (this.source.isInitialized) await this.source.destroy();
  }

  /** Connects on first use, and again after a failure: a database that is away at boot is waited for. */
  private initialised(): Promise<unknown> {
    this.ready ??= this.source.initialize().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    });
    return this.ready;
  }
}

export function transactionOn(manager: EntityManager, workspaceId: string, now: Date): ConfigurationTx {
  const found = <Row extends ConfigurationRow>(row: Row | null): Row => {
    if (!row) throw new Problem('not-found', 'There is nothing with this id in your workspace.');
    return row;
  };
  const one = <Row extends ConfigurationRow>(target: EntityTarget<Row>, id: string) =>
    manager
      .createQueryBuilder(target, 'row')
      .where('row.id = :id and row.workspaceId = :workspaceId', { id, workspaceId });

  return {
    manager,
    workspaceId,
    now,
    workspace: async () => found(await one(WorkspaceRow, workspaceId).getOne()),
    find: async (target, id) => found(await one(target, id).getOne()),
    async lock(target, id, revision) {
      const row = found(await one(target, id).setLock('pessimistic_write').getOne());
      if (revision !== undefined && revision !== row.revision)
        throw new Problem(
          'precondition-failed',
          `If-Match names revision ${revision}, the current one is ${row.revision}.`,
          {
            headers: { etag: `"${row.revision}"` },
          },
        );
      return row;
    },
    async list(target, page) {
      const query = manager
        .createQueryBuilder(target, 'row')
        .where('row.workspaceId = :workspaceId', { workspaceId })
        .orderBy('row.createdAt')
        .addOrderBy('row.id')
        .take(page.limit + 1);
      const after = readCursor(page.cursor);
      if (after) query.andWhere('(row.createdAt, row.id) > (cast(:at as timestamptz), :id)', after);
      const rows = await query.getMany();
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      return { items, next_cursor: last && rows.length > page.limit ? cursorOf(last) : null };
    },
    async save(row) {
      row.updatedAt = now;
      row.createdAt ??= now;
      row.revision = await nextRevision(manager);
      await manager.save(row);
      await publishChange(manager, row.revision, changeOf(row, false), now);
      return row;
    },
    async remove(row) {
      const revision = await nextRevision(manager);
      const change = changeOf(row, true); // before the removal, which takes the id from the row
      await manager.remove(row);
      await publishChange(manager, revision, change, now);
    },
  };
}

function problemOf(error: unknown): unknown {
  if (error instanceof Problem) return error;
  const cause = error instanceof QueryFailedError ? (error.driverError as unknown) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const message = cause instanceof Error ? cause.message : '';
  if (code === '23505') return new Problem('conflict', 'Something with this name or slug exists already.');
  if (AWAY.test(code) || /^E[A-Z]+$/.test(code) || GONE.test(message))
    return new Problem('unavailable', 'The configuration database cannot be reached.', {
      headers: { 'retry-after': '5' },
    });
  return error;
}
