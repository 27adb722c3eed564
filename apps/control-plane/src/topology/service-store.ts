import { serviceIdOf, type ReceiptsSettled } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import type { ConfigurationTx } from '../configuration-store.ts';
import { TOPOLOGY_MAX, type ServiceInput } from './topology.dto.ts';

/** Senders choose the names of services: a workspace learns no more of them than this. */
export const SERVICES_MAX = 5_000;

export interface ServiceRow {
  id: string;
  name: string;
  owner: string | null;
  tags: string[];
  first_seen_at: Date | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = 'id, name, owner, tags, first_seen_at, created_at, updated_at';

export const allServices = (tx: ConfigurationTx): Promise<ServiceRow[]> =>
  tx.manager.query<ServiceRow[]>(
    `select ${COLUMNS} from control_plane.services where workspace_id = $1 order by name collate "C"`,
    [tx.workspaceId],
  );

export async function serviceById(tx: ConfigurationTx, id: string): Promise<ServiceRow | undefined> {
  const rows = await tx.manager.query<ServiceRow[]>(
    `select ${COLUMNS} from control_plane.services where workspace_id = $1 and id = $2`,
    [tx.workspaceId, id],
  );
  return rows[0];
}

export interface ServicePage {
  limit: number;
  after: { at: string; id: string } | undefined;
  text: string | undefined;
}

/** One more than asked for, where there are more. */
export function pageOfServices(tx: ConfigurationTx, { limit, after, text }: ServicePage): Promise<ServiceRow[]> {
  const pattern = text === undefined ? null : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return tx.manager.query<ServiceRow[]>(
    `select ${COLUMNS} from control_plane.services
     where workspace_id = $1 and ($2::text is null or name ilike $2) and ($3::text is null or (created_at, id) > ($3::timestamptz, $4::text))
     order by created_at, id limit $5`,
    [tx.workspaceId, pattern, after?.at ?? null, after?.id ?? null, limit + 1],
  );
}

/** Adds services, or changes what is given of those that are there. */
export async function upsertServices(tx: ConfigurationTx, services: readonly ServiceInput[]): Promise<void> {
  if (services.length === 0) return;
  const rows = services.map(({ name, owner, tags }) => ({
    ...{ id: serviceIdOf(tx.workspaceId, name), name, owner: owner ?? null, tags: tags ?? [] },
    ...{ hasOwner: owner !== undefined, hasTags: tags !== undefined },
  }));
  await tx.manager.query(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb) as g (id text, name text, owner text, tags jsonb, "hasOwner" boolean, "hasTags" boolean)
     ), changed as (
       update control_plane.services s set owner = case when g."hasOwner" then g.owner else s.owner end,
         tags = case when g."hasTags" then g.tags else s.tags end, updated_at = $3
       from given g where s.id = g.id and s.workspace_id = $2 and (g."hasOwner" or g."hasTags")
     )
     insert into control_plane.services (id, workspace_id, name, owner, tags, created_at, updated_at)
     select id, $2, name, owner, tags, $3, $3 from given order by id on conflict (id) do nothing`,
    [JSON.stringify(rows), tx.workspaceId, tx.now],
  );
}

/** Takes services away. */
export async function removeServices(tx: ConfigurationTx, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await tx.manager.query('delete from control_plane.services where workspace_id = $1 and name = any($2)', [
    tx.workspaceId,
    names,
  ]);
}

/** A service as an alert named it. */
export interface SeenService {
  workspaceId: string;
  name: string;
  at: string;
}

/** Whether a name can be that of a service: one line of text. */
export const isServiceName = (name: string): boolean =>
  name.length > 0 && name.length <= TOPOLOGY_MAX.name && /^[^\p{Cc}\p{Cs}]*$/u.test(name);

/** Services that settled receipts name, each once, with the first time. */
export function seenServicesOf(items: ReceiptsSettled['items']): SeenService[] {
  const seen = new Map<string, SeenService>();
  for (const { workspaceId, receivedAt: at, services = [] } of items)
    for (const name of services.filter(isServiceName)) {
      const key = serviceIdOf(workspaceId, name);
      const before = seen.get(key);
      if (!before || at < before.at) seen.set(key, { workspaceId, name, at });
    }
  return [...seen.values()];
}

/**
 * Services that alerts named, as far as they are new and the workspace has room. Pipeline role: the workspace is in the row. Every alert's
 * service is looked up, so that is done id by id (a scalar subquery is never turned into a join that reads all services of everybody).
 * The room that is left is counted once: within the join it was counted for each name that a full workspace does not learn.
 */
export async function noteSeenServices(tx: Tx, seen: readonly SeenService[]): Promise<void> {
  if (seen.length === 0) return;
  const rows = seen.map(({ workspaceId, name, at }) => ({ id: serviceIdOf(workspaceId, name), workspaceId, name, at }));
  await tx.query(
    `with given as (
       select g.* from json_to_recordset($1::json) as g (id text, "workspaceId" text, name text, at timestamptz)
       where exists (select from control_plane.workspaces w where w.id = g."workspaceId")
     ), ranked as (
       select g.*, row_number() over (partition by g."workspaceId" order by g.at, g.id) as place
       from given g where (select s.first_seen_at from control_plane.services s where s.id = g.id) is null
     ), room as materialized (
       select w.id, ${SERVICES_MAX} - (
         select count(*) from (select from control_plane.services s where s.workspace_id = w.id limit ${SERVICES_MAX}) counted
       ) as places
       from (select distinct "workspaceId" as id from ranked) w
     )
     insert into control_plane.services as s (id, workspace_id, name, first_seen_at, created_at, updated_at)
     select r.id, r."workspaceId", r.name, r.at, r.at, r.at from ranked r join room on room.id = r."workspaceId"
     where r.place <= room.places or coalesce((select true from control_plane.services k where k.id = r.id), false)
     order by r.id
     on conflict (id) do update set first_seen_at = least(s.first_seen_at, excluded.first_seen_at)`,
    [JSON.stringify(rows)],
  );
}
