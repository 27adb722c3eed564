import type { Severity } from '@tocsin/contracts';
import { type Evidence, type OtherIncident, type RecentChange, searchWindows } from '@tocsin/domain/rca';
import type { Tx } from '@tocsin/postgres';
import type { DueInvestigation } from './investigation-store.ts';

const at = (millis: number): Date => new Date(millis);

/** Loads what the built-in investigator looks at: a few indexed reads within its windows, all of the incident's own workspace. */
export async function loadEvidence(tx: Tx, due: DueInvestigation): Promise<Evidence> {
  const openedAt = due.occurredAt.getTime();
  const neighbours = await neighboursOf(tx, due, openedAt);
  const near = [...due.serviceKeys, ...neighbours];
  const changes = await changesBefore(tx, due, near, openedAt);
  const around = await incidentsAround(tx, due, near, openedAt);
  const past = await incidentsBefore(tx, due, openedAt);
  const { incidentId: id, title, severity, services } = due;
  return { incident: { id, title, severity, services, openedAt }, changes, around, past, neighbours };
}

async function neighboursOf(tx: Tx, due: DueInvestigation, openedAt: number): Promise<string[]> {
  if (due.serviceKeys.length === 0) return [];
  const { rows } = await tx.query<{ key: string }>(
    `select key, count(*) from rca_trigger.incidents i, unnest(i.service_keys) as key
     where i.workspace_id = $1 and i.service_keys && $2 and i.opened_at > $3 and i.opened_at <= $4 and key <> all($2)
     group by key order by count(*) desc, key limit 50`,
    [
      due.workspaceId,
      due.serviceKeys,
      at(openedAt - searchWindows.neighbours),
      at(openedAt + searchWindows.aroundAfter),
    ],
  );
  return rows.map(({ key }) => key);
}

async function changesBefore(
  tx: Tx,
  due: DueInvestigation,
  near: readonly string[],
  openedAt: number,
): Promise<RecentChange[]> {
  const { rows } = await tx.query<Omit<RecentChange, 'at'> & { at: Date }>(
    `select id, kind, service, version, environment, status, title, actor, at from rca_trigger.changes
     where workspace_id = $1 and (cardinality($2::text[]) = 0 or service_key = any($3)) and at > $4 and at <= $5
     order by at desc, id limit 200`,
    [due.workspaceId, due.serviceKeys, near, at(openedAt - searchWindows.changesBefore), at(openedAt)],
  );
  return rows.map((row) => ({ ...row, at: row.at.getTime() }));
}

interface OtherRow {
  id: string;
  number: string;
  title: string;
  severity: Severity;
  services: string[];
  opened_at: Date;
  resolved_at: Date | null;
}
const OTHER = 'id, number, title, severity, services, opened_at, resolved_at';
const otherOf = (row: OtherRow): OtherIncident => ({
  id: row.id,
  number: Number(row.number),
  title: row.title,
  severity: row.severity,
  services: row.services,
  openedAt: row.opened_at.getTime(),
  resolvedAt: row.resolved_at?.getTime() ?? null,
});

async function incidentsAround(
  tx: Tx,
  due: DueInvestigation,
  near: readonly string[],
  openedAt: number,
): Promise<OtherIncident[]> {
  const { rows } = await tx.query<OtherRow>(
    `select ${OTHER} from rca_trigger.incidents
     where workspace_id = $1 and id <> $2 and service_keys && $3 and opened_at between $4 and $5
     order by opened_at desc, id limit 100`,
    [
      due.workspaceId,
      due.incidentId,
      near,
      at(openedAt - searchWindows.aroundBefore),
      at(openedAt + searchWindows.aroundAfter),
    ],
  );
  return rows.map(otherOf);
}

async function incidentsBefore(tx: Tx, due: DueInvestigation, openedAt: number): Promise<OtherIncident[]> {
  const { rows } = await tx.query<OtherRow>(
    `(select ${OTHER} from rca_trigger.incidents
      where workspace_id = $1 and id <> $2 and title_key = $3 and opened_at between $5 and $6 order by opened_at desc limit 100)
     union
     (select ${OTHER} from rca_trigger.incidents
      where workspace_id = $1 and id <> $2 and service_keys && $4 and opened_at between $5 and $6 order by opened_at desc limit 200)`,
    [
      due.workspaceId,
      due.incidentId,
      due.titleKey,
      due.serviceKeys,
      at(openedAt - searchWindows.past),
      at(openedAt - 1),
    ],
  );
  return rows.map(otherOf);
}
