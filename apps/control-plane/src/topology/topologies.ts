import { Problem } from '@tocsin/nest-shell';
import type { ConfigurationStore, ConfigurationTx } from '../configuration-store.ts';
import { cursorOf, readCursor } from '../pages.ts';
import {
  allServices,
  pageOfServices,
  removeServices,
  serviceById,
  upsertServices,
  type ServiceRow,
} from './service-store.ts';
import { patched, replaced, type TopologyChange } from './topology-changes.ts';
import { topologyIdOf, topologyIn, TopologyRow } from './topology-rows.ts';
import { Dependencies, serviceView, topologyView } from './topology-views.ts';
import type { ListServices, PatchTopology, PutTopology, UpdateService } from './topology.dto.ts';

/** Services and which depend on which. A change of dependencies is one feed revision; owners and tags are for people only. */
export class Topologies {
  constructor(private readonly store: ConfigurationStore) {}

  read = (workspaceId: string) => this.store.inWorkspace(workspaceId, async (tx) => viewIn(tx, await topologyIn(tx)));

  replace = (workspaceId: string, input: PutTopology, revision?: number) =>
    this.change(workspaceId, revision, (before) => replaced(before, input));

  patch = (workspaceId: string, input: PatchTopology, revision?: number) =>
    this.change(workspaceId, revision, (before) => patched(before, input));

  listServices = (workspaceId: string, { limit, cursor, text }: ListServices) =>
    this.store.inWorkspace(workspaceId, async (tx) => {
      const rows = await pageOfServices(tx, { limit, text, after: readCursor(cursor) });
      const dependencies = new Dependencies((await topologyIn(tx))?.dependencies ?? []);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        items: rows.slice(0, limit).map((row) => serviceView(row, dependencies)),
        next_cursor: last ? cursorOf({ createdAt: last.created_at, id: last.id }) : null,
      };
    });

  readService = (workspaceId: string, id: string) =>
    this.store.inWorkspace(workspaceId, async (tx) => shownService(tx, await found(tx, id)));

  updateService = (workspaceId: string, id: string, input: UpdateService) =>
    this.store.inWorkspace(workspaceId, async (tx) => {
      const { name } = await found(tx, id);
      await upsertServices(tx, [{ name, ...input }]);
      return shownService(tx, await found(tx, id));
    });

  /** It goes with its dependencies; should an alert name it again, it is new. */
  removeService = (workspaceId: string, id: string): Promise<void> =>
    this.store.inWorkspace(workspaceId, async (tx) => {
      const { name } = await found(tx, id);
      const row = await lockTopology(tx);
      if (row.revision === undefined || !row.dependencies.some(({ from, to }) => from === name || to === name))
        return removeServices(tx, [name]);
      await write(tx, row, patched({ services: [], dependencies: row.dependencies }, { remove_nodes: [name] }));
    });

  private change(
    workspaceId: string,
    revision: number | undefined,
    decide: (before: { services: ServiceRow[]; dependencies: TopologyRow['dependencies'] }) => TopologyChange,
  ) {
    return this.store.inWorkspace(workspaceId, async (tx) => {
      const row = await lockTopology(tx, revision);
      const services = await allServices(tx);
      return viewIn(tx, await write(tx, row, decide({ services, dependencies: row.dependencies })));
    });
  }
}

const viewIn = async (tx: ConfigurationTx, row: TopologyRow | null) =>
  topologyView(topologyIdOf(tx.workspaceId), row, await allServices(tx));

async function found(tx: ConfigurationTx, id: string): Promise<ServiceRow> {
  const row = await serviceById(tx, id);
  if (!row) throw new Problem('not-found', 'There is nothing with this id in your workspace.');
  return row;
}

const shownService = async (tx: ConfigurationTx, row: ServiceRow) =>
  serviceView(row, new Dependencies((await topologyIn(tx))?.dependencies ?? []));

type NewRow = Omit<TopologyRow, 'revision'> & { revision?: number };

/** The row, locked; a new one where there is none yet. Two first changes wait for each other at their workspace. */
async function lockTopology(tx: ConfigurationTx, revision?: number): Promise<NewRow> {
  await tx.manager.query('select from control_plane.workspaces where id = $1 for no key update', [tx.workspaceId]);
  const known = await topologyIn(tx);
  if (revision !== undefined && revision !== (known?.revision ?? 0))
    throw new Problem(
      'precondition-failed',
      `If-Match names revision ${revision}, the current one is ${known?.revision ?? 0}.`,
      { headers: { etag: `"${known?.revision ?? 0}"` } },
    );
  return (
    known ??
    Object.assign(new TopologyRow(), {
      ...{ id: topologyIdOf(tx.workspaceId), workspaceId: tx.workspaceId, name: 'topology' },
      dependencies: [],
    })
  );
}

async function write(tx: ConfigurationTx, row: NewRow, change: TopologyChange): Promise<TopologyRow> {
  await removeServices(tx, change.removed);
  await upsertServices(tx, change.services);
  row.dependencies = change.dependencies;
  return tx.save(row as TopologyRow);
}
