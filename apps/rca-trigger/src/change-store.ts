import type { ChangeEvent } from '@tocsin/contracts';
import { serviceKey } from '@tocsin/domain/rca';
import type { Tx } from '@tocsin/postgres';

const columns =
  'id text, workspace_id text, kind text, service text, version text, environment text, status text, title text, url text, actor text, started timestamptz, finished timestamptz, recorded_at timestamptz';
const names = columns.replace(/ (text|timestamptz)/g, '');

/** Stores changes once each. @returns the ids that were new */
export async function storeChanges(tx: Tx, changes: readonly ChangeEvent[]): Promise<Set<string>> {
  if (changes.length === 0) return new Set();
  const rows = changes.map((change) => ({ ...change, service_key: serviceKey(change.service) }));
  const { rows: made } = await tx.query<{ id: string }>(
    `insert into rca_trigger.changes (${names}, service_key, at)
     select ${names}, service_key, coalesce(finished, started, recorded_at) from jsonb_to_recordset($1) as given(${columns}, service_key text)
     on conflict (id) do nothing returning id`,
    [JSON.stringify(rows)],
  );
  return new Set(made.map(({ id }) => id));
}

interface ChangeRow extends Omit<ChangeEvent, 'started' | 'finished' | 'recorded_at'> {
  started: Date | null;
  finished: Date | null;
  recorded_at: Date;
}
const changeOf = ({ started, finished, recorded_at, ...rest }: ChangeRow): ChangeEvent => ({
  ...rest,
  started: started?.toISOString() ?? null,
  finished: finished?.toISOString() ?? null,
  recorded_at: recorded_at.toISOString(),
});

export async function findChange(tx: Tx, workspaceId: string, id: string): Promise<ChangeEvent | undefined> {
  const { rows } = await tx.query<ChangeRow>(
    `select ${names} from rca_trigger.changes where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  );
  return rows[0] && changeOf(rows[0]);
}

export interface ChangeFilter {
  service?: string | undefined;
  before?: { at: string; id: string } | undefined;
  limit: number;
}

/** Newest first, of the workspace that the transaction is bound to. */
export async function listChanges(tx: Tx, { service, before, limit }: ChangeFilter): Promise<ChangeEvent[]> {
  const { rows } = await tx.query<ChangeRow>(
    `select ${names} from rca_trigger.changes
     where ($1::text is null or service_key = $1) and ($2::timestamptz is null or (recorded_at, id) < ($2, $3))
     order by recorded_at desc, id desc limit $4`,
    [service === undefined ? null : serviceKey(service), before?.at ?? null, before?.id ?? null, limit],
  );
  return rows.map(changeOf);
}
