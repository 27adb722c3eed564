import { Problem } from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { EntryState } from './sync-link.dto.ts';

export interface EntryFilter {
  workspaceId: string;
  linkId: string;
  limit: number;
  cursor?: string;
  incident_id?: string;
  state?: EntryState;
}

interface Row {
  incident_id: string;
  external_id: string | null;
  external_key: string | null;
  external_url: string | null;
  state: EntryState;
  waiting: number;
  last_error: string | null;
  last_error_at: Date | null;
  synced_at: Date | null;
  created_at: Date;
}

/** Incidents of a link with their issues, newest first, and whether its system answers at the moment. */
export async function listEntries(pool: Pool, { workspaceId, linkId, limit, cursor, incident_id, state }: EntryFilter) {
  const after = readCursor(cursor);
  return withWorkspace(pool, workspaceId, async (tx) => {
    const { rows } = await tx.query<Row>(
      `select * from (
         select e.*, o.waiting::int, case when e.last_error is not null then 'failing' when e.external_id is null then 'pending' else 'linked' end as state
           from outbound_dispatcher.sync_entries e cross join lateral (
             select count(*) as waiting from outbound_dispatcher.sync_ops o
              where o.link_id = e.link_id and o.incident_id = e.incident_id and o.finished_at is null) o
          where e.link_id = $1 and ($2::text is null or e.incident_id = $2)
            and ($4::timestamptz is null or (e.created_at, e.incident_id) < ($4, $5))) e
        where $3::text is null or e.state = $3
        order by e.created_at desc, e.incident_id desc limit $6`,
      [linkId, incident_id ?? null, state ?? null, after?.at ?? null, after?.id ?? null, limit + 1],
    );
    const states = await tx.query<{ open_until: Date | null; last_error: string | null; last_error_at: Date | null }>(
      'select open_until, last_error, last_error_at from outbound_dispatcher.sync_states where link_id = $1',
      [linkId],
    );
    const items = rows.slice(0, limit);
    const last = rows.length > limit ? items.at(-1) : undefined;
    const link = states.rows[0];
    return {
      items: items.map(viewOf),
      next_cursor: last ? cursorOf(last) : null,
      system: {
        answers: !link?.open_until,
        next_try_at: link?.open_until?.toISOString() ?? null,
        last_error: link?.last_error ?? null,
        last_error_at: link?.last_error_at?.toISOString() ?? null,
      },
    };
  });
}

const viewOf = (row: Row) => ({
  ...{ incident_id: row.incident_id, external_id: row.external_id, external_key: row.external_key },
  ...{ external_url: row.external_url, state: row.state, waiting: row.waiting, last_error: row.last_error },
  last_error_at: row.last_error_at?.toISOString() ?? null,
  synced_at: row.synced_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
});

const cursorOf = ({ created_at: at, incident_id: id }: Row): string =>
  Buffer.from(`${at.toISOString()} ${id}`, 'utf8').toString('base64url');

function readCursor(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const [, at, id] =
    /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (inc_[a-z2-7]{26})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (at && id && !Number.isNaN(Date.parse(at))) return { at, id };
  throw new Problem('validation-failed', 'The cursor is not one that a list has answered with.', {
    errors: [{ path: 'cursor', code: 'unknown-cursor', message: 'use next_cursor of the previous page' }],
  });
}
