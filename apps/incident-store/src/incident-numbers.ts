import type { IncidentChange, IncidentEvent } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

/** Human numbers without gaps: one row per workspace, locked until the commit, workspaces in order. */
export async function allotNumbers(tx: Tx, changes: readonly IncidentChange[]): Promise<IncidentChange[]> {
  const opening = new Map<string, number>();
  for (const { events } of changes)
    for (const event of events)
      if (event.type === 'IncidentOpened' || event.type === 'IncidentDeclared')
        opening.set(event.data.workspace_id, (opening.get(event.data.workspace_id) ?? 0) + 1);
  if (opening.size === 0) return [...changes];
  const wanted = [...opening].sort(([a], [b]) => (a < b ? -1 : 1));
  const { rows } = await tx.query<{ workspace_id: string; last_number: string }>(
    `insert into incident_store.workspace_numbers as n (workspace_id, last_number) select * from unnest($1::text[], $2::bigint[])
     on conflict (workspace_id) do update set last_number = n.last_number + excluded.last_number returning workspace_id, last_number`,
    [wanted.map(([workspace]) => workspace), wanted.map(([, count]) => count)],
  );
  const next = new Map(
    rows.map((row) => [row.workspace_id, Number(row.last_number) - (opening.get(row.workspace_id) ?? 0)]),
  );
  const numberOf = (workspace: string): number => {
    const number = (next.get(workspace) ?? 0) + 1;
    next.set(workspace, number);
    return number;
  };
  return changes.map(({ before, events }) => ({
    before,
    events: events.map((event): IncidentEvent => {
      if (event.type !== 'IncidentOpened' && event.type !== 'IncidentDeclared') return event;
      const number = numberOf(event.data.workspace_id);
      return { ...event, data: { ...event.data, number } } as IncidentEvent;
    }),
  }));
}
