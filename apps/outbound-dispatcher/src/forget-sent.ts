import { decodeRecord } from '@tocsin/contracts';
import type { Input, Tx } from '@tocsin/postgres';

/** Personal data of an incident was erased by the event of this version. */
interface Erased {
  incidentId: string;
  workspaceId: string;
  sequence: number;
  at: string;
}

/** Nearly no record is one: those bytes are looked for before anything is decoded. */
const ERASED = 'PayloadErased';

function erasedBy({ type, value }: Input): Erased | undefined {
  if (type !== 'incident.event.v1' || !value.includes(ERASED)) return undefined;
  const { event, incident, sequence } = decodeRecord('incident.event.v1', value);
  return event.type === ERASED
    ? { incidentId: incident.id, workspaceId: incident.workspace_id, sequence, at: event.at }
    : undefined;
}

/**
 * Takes the texts of erased incidents out of the log of what was sent about them: bodies, headers, answers, and notifications. What is
 * still to be sent goes out as it was promised, and loses its texts afterwards (`forgetLate`).
 */
export async function forgetSent(tx: Tx, inputs: readonly Input[], now: Date): Promise<void> {
  const erased = new Map(inputs.flatMap((input) => erasedBy(input) ?? []).map((one) => [one.incidentId, one]));
  if (erased.size === 0) return;
  await tx.query(
    `insert into outbound_dispatcher.erasures as e (incident_id, workspace_id, sequence, at)
     select "incidentId", "workspaceId", sequence, at
       from json_to_recordset($1) as g ("incidentId" text, "workspaceId" text, sequence bigint, at timestamptz)
         on conflict (incident_id) do update set sequence = greatest(e.sequence, excluded.sequence), at = greatest(e.at, excluded.at)`,
    [JSON.stringify([...erased.values()])],
  );
  await forget(tx, [...erased.keys()], now);
}

/** Erasures that are looked at in one transaction. */
const AT_ONCE = 100;

/** The same for what has been finished since; an erasure is done with when nothing of before it is left to be sent. */
export async function forgetLate(tx: Tx, now: Date): Promise<void> {
  const { rows } = await tx.query<{ incident_id: string }>(
    `select incident_id from outbound_dispatcher.erasures order by at limit ${AT_ONCE} for update skip locked`,
  );
  const ids = rows.map(({ incident_id: id }) => id);
  if (ids.length === 0) return;
  await forget(tx, ids, now);
  await forgetBeside(tx, ids, now);
  await tx.query(
    `delete from outbound_dispatcher.erasures e where e.incident_id = any($1) and ${SOON_AFTER} < $2
        and not exists (select from outbound_dispatcher.deliveries d where d.incident_id = e.incident_id and ${IS_BEFORE} and d.erased_at is null)
        and not exists (select from outbound_dispatcher.deliveries d
                         where d.workspace_id = e.workspace_id and d.incident_id is null and d.finished_at is null and d.created_at <= ${SOON_AFTER})
        and not exists (select from outbound_dispatcher.notifications n
                         where n.workspace_id = e.workspace_id and n.subject_id = e.incident_id and n.mail_due)`,
    [ids, now],
  );
}

const IS_BEFORE = `d.sequence < e.sequence`;
/** What has no place among the events of an incident: an investigation that was under way; a notification that rings at the end of a hold. */
const SOON_AFTER = `e.at + interval '5 minutes'`;

/** Empties the finished deliveries that a condition on `d` and `e`, the erasure, chooses, and their attempts. */
const emptying = (condition: string): string => `
  with emptied as (
    update outbound_dispatcher.deliveries d set body = '', content_headers = '{}', erased_at = $2
      from outbound_dispatcher.erasures e
     where e.incident_id = any($1) and d.finished_at is not null and d.erased_at is null and ${condition}
     returning d.id)
  update outbound_dispatcher.delivery_attempts a
     set request_headers = '{}', response_headers = null, response_body = null, error = null
    from emptied where a.delivery_id = emptied.id`;

/** Events beside those of incidents (investigations, recommendations) name theirs in the body only. */
async function forgetBeside(tx: Tx, incidentIds: readonly string[], now: Date): Promise<void> {
  const names = `d.incident_id is null and d.workspace_id = e.workspace_id and position(e.incident_id in d.body) > 0`;
  await tx.query(emptying(`${names} and d.created_at <= ${SOON_AFTER}`), [incidentIds, now]);
}

async function forget(tx: Tx, incidentIds: readonly string[], now: Date): Promise<void> {
  await tx.query(emptying(`d.incident_id = e.incident_id and ${IS_BEFORE}`), [incidentIds, now]);
  await tx.query(
    `update outbound_dispatcher.notifications n set title = 'Erased', text = ''
       from outbound_dispatcher.erasures e
      where e.incident_id = any($1) and n.workspace_id = e.workspace_id and n.subject_id = e.incident_id
        and n.at <= ${SOON_AFTER} and not n.mail_due and n.title <> 'Erased'`,
    [incidentIds],
  );
}
