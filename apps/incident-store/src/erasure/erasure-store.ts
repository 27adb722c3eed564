import { loadEvent, redact, type IncidentEvent, type KeptEvent, type PayloadErased } from '@tocsin/domain/incident';
import type { Actor } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import { writeProjections, type ProjectedStream } from '../projection-store.ts';

interface Row {
  version: string;
  type: string;
  schema_version: number;
  at: Date;
  actor: Actor;
  cause_id: string;
  reason: string | null;
  config_revision: string;
  body: string;
  erased_by: string | null;
}

/** Events of a locked stream, and which of them have lost their content. */
export async function keptEvents(tx: Tx, stream: string): Promise<KeptEvent[]> {
  const { rows } = await tx.query<Row>(
    `select e.version, e.type, e.schema_version, e.at, e.actor, e.cause_id, e.reason, e.config_revision,
            convert_from(p.body, 'UTF8') as body, p.erased_by
       from incident_store.events e join incident_store.event_payloads p using (stream_id, version)
      where e.stream_id = $1 order by e.version`,
    [stream],
  );
  return rows.map((row) => ({
    version: Number(row.version),
    erased: row.erased_by !== null,
    event: loadEvent({
      ...{ type: row.type, schemaVersion: row.schema_version, at: row.at.toISOString(), actor: row.actor },
      ...{ causeId: row.cause_id, reason: row.reason, configRevision: Number(row.config_revision) },
      data: JSON.parse(row.body) as Record<string, unknown>,
    }),
  }));
}

/** What stands where a content was: its bytes with their salt and digest (hex). */
export interface Replacement {
  version: number;
  salt: string;
  digest: string;
  body: string;
}

/** Puts the replacements in their places. The event that says so is in the log already, and names each of them. */
export async function erasePayloads(
  tx: Tx,
  stream: string,
  eraser: number,
  { said, replacements }: { said: PayloadErased['data']['payloads']; replacements: ReadonlyMap<number, Replacement> },
): Promise<void> {
  const records = said.map(({ version }) => replacements.get(version)!);
  const { rows } = await tx.query<{ erased: string }>('select incident_store.erase_payloads($1, $2, $3) as erased', [
    stream,
    eraser,
    JSON.stringify(records.map(({ version, salt, body }) => ({ version, salt, body }))),
  ]);
  if (Number(rows[0]!.erased) !== records.length)
    throw new Error(`${rows[0]!.erased} of ${records.length} contents of ${stream} were found`);
}

/** The rows that people read, anew out of the whole stream. What is newest of an incident is not enough: its alerts keep texts, too. */
export async function rewriteProjections(tx: Tx, stream: ProjectedStream): Promise<void> {
  await tx.query('delete from incident_store.incidents where incident_id = $1', [stream.after.id]);
  await tx.query('delete from incident_store.incident_alerts where incident_id = $1', [stream.after.id]);
  await writeProjections(tx, [stream]);
}

/** Ids of the alerts that events name: attached, counted, or the one that ended another. */
export function alertIdsOf(events: readonly IncidentEvent[]): string[] {
  const found = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value === 'string' && value.startsWith('alr_')) found.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(look);
  };
  for (const { data } of events) look(data);
  return [...found];
}

interface Kept {
  alert_id: string;
  alert: unknown;
  why: unknown;
}

/** What is kept of alerts beside the stream: why they were decided so, and recorded ones with all their fields. @returns their receipts by webhook */
export async function eraseAlerts(tx: Tx, alertIds: readonly string[]): Promise<Map<string, string[]>> {
  const outcomes = await tx.query<{ alert_id: string; why: unknown; receipt_id: string; webhook_id: string }>(
    `select alert_id, why, receipt_id, webhook_id from incident_store.alert_outcomes where alert_id = any($1) order by alert_id for update`,
    [alertIds],
  );
  const redacted = outcomes.rows.filter(({ why }) => why !== null);
  await tx.query(
    `update incident_store.alert_outcomes o set why = r.why
       from json_to_recordset($1::json) as r (alert_id text, why jsonb) where o.alert_id = r.alert_id`,
    [JSON.stringify(redacted.map(({ alert_id, why }) => ({ alert_id, why: redact(why) })))],
  );
  const recorded = await tx.query<Kept>(
    'select alert_id, alert, why from incident_store.recorded_alerts where alert_id = any($1) order by alert_id for update',
    [alertIds],
  );
  await tx.query(
    `update incident_store.recorded_alerts o set alert = r.alert, why = r.why
       from json_to_recordset($1::json) as r (alert_id text, alert json, why json) where o.alert_id = r.alert_id`,
    [
      JSON.stringify(
        recorded.rows.map(({ alert_id, alert, why }) => ({ alert_id, alert: redact(alert), why: redact(why) })),
      ),
    ],
  );
  const receipts = [...new Set(outcomes.rows.map(({ receipt_id }) => receipt_id))];
  await tx.query('update incident_store.receipts set detail = null where receipt_id = any($1) and detail is not null', [
    receipts,
  ]);
  return new Map(
    [...Map.groupBy(outcomes.rows, ({ webhook_id }) => webhook_id)].map(([webhook, rows]) => [
      webhook,
      [...new Set(rows.map(({ receipt_id }) => receipt_id))],
    ]),
  );
}
