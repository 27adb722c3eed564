import type { ReceiptFacts } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import type { KeptPayload, PayloadAbsence } from './kept-payload.ts';
import type { Answered, EarlyNews, OutcomeNews, Rejected } from './news.ts';
import { INCIDENTS_MAX } from './news.ts';

/** In capture mode a webhook keeps its last requests, whatever their rate (product P11). */
export const CAPTURED_MAX = 20;

export interface NewDelivery {
  facts: ReceiptFacts;
  sizeBytes: number;
  sampled: boolean;
  captured: boolean;
  payload: KeptPayload | PayloadAbsence;
  early: EarlyNews | null;
}

/** PostgreSQL cannot hold U+0000 nor a lone surrogate (settled, Text). */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd');
const storableOrNull = (text: string | null): string | null => (text === null ? null : storable(text));
const storableHeaders = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [storable(name), storable(value)]));

const outcomeColumns = (news: OutcomeNews | null) => ({
  status: news?.complete ? 'settled' : 'in-flight',
  total: news?.total ?? null,
  outcomeIndex: news?.outcomeIndex ?? null,
  outcome: news?.outcome ?? null,
  reason: news?.reason ?? null,
  detail: storableOrNull(news?.detail ?? null),
  outcomes: news?.outcomes ?? [],
  incidentIds: news?.incidentIds ?? [],
  settledAt: news?.complete ? news.settledAt : null,
});

function rowOf({ facts, sizeBytes, sampled, captured, payload, early }: NewDelivery) {
  const { receiptId, workspaceId, webhookId, receivedAt, connector, method, configRevision, replayOf } = facts;
  const kept = typeof payload === 'string' ? undefined : payload;
  return {
    ...{ receiptId, workspaceId, webhookId, receivedAt, connector, method, configRevision, sizeBytes, sampled },
    ...outcomeColumns(early?.outcome ?? null),
    query: storable(facts.query),
    headers: storableHeaders(facts.headers),
    contentType: storableOrNull(facts.contentType),
    replayOf: replayOf ?? null,
    captured: captured || (early?.outcome?.outcomes.includes('captured') ?? false),
    responseCode: early?.answer?.responseCode ?? null,
    latencyMs: early?.answer?.latencyMs ?? null,
    payloadAbsence: typeof payload === 'string' ? payload : null,
    body: kept?.body.toString('base64') ?? null,
    bodyType: storableOrNull(kept?.contentType ?? null),
    truncated: kept?.truncated ?? null,
    redacted: kept?.redacted ?? null,
  };
}

/** Rows of receipts with their payloads. They are new to the ledger, hence to this table. */
export async function insertDeliveries(tx: Tx, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await tx.query(
    `with given as (
       select * from json_to_recordset($1::json) as s ("receiptId" text, "workspaceId" text, "webhookId" text, "receivedAt" timestamptz, connector text,
         method text, "configRevision" bigint, "sizeBytes" int, sampled boolean, status text, total int, "outcomeIndex" int, outcome text, reason text,
         detail text, outcomes text[], "incidentIds" text[], "settledAt" timestamptz, query text, headers json, "contentType" text, "replayOf" text,
         captured boolean, "responseCode" int, "latencyMs" double precision, "payloadAbsence" text, body text, "bodyType" text, truncated boolean, redacted boolean)
     ), rows as (
       insert into control_plane.inbound_deliveries (id, workspace_id, webhook_id, received_at, connector, method, config_revision, size_bytes, sampled,
         status, total, outcome_index, outcome, reason, detail, outcomes, incident_ids, settled_at, query, headers, content_type, replay_of, captured,
         response_code, latency_ms, payload_absence)
       select "receiptId", "workspaceId", "webhookId", "receivedAt", connector, method, "configRevision", "sizeBytes", sampled,
         status, total, "outcomeIndex", outcome, reason, detail, outcomes, "incidentIds", "settledAt", query, headers, "contentType", "replayOf", captured,
         "responseCode", "latencyMs", "payloadAbsence" from given
       on conflict (id) do nothing returning id
     )
     insert into control_plane.inbound_payloads (receipt_id, workspace_id, received_at, body, content_type, truncated, redacted)
     select given."receiptId", given."workspaceId", given."receivedAt", decode(given.body, 'base64'), given."bodyType", given.truncated, given.redacted
     from given join rows on rows.id = given."receiptId" where given.body is not null`,
    [JSON.stringify(deliveries.map(rowOf))],
  );
}

const BETTER = `(d.outcome_index is null or s."outcomeIndex" < d.outcome_index
         or (s."outcomeIndex" = d.outcome_index and d.outcome = 'dead-lettered'))`;

/** Outcomes onto the rows that there are; what is told of a receipt only grows, except that a dead letter may fare better later. */
export async function noteOutcomes(tx: Tx, news: readonly (OutcomeNews & { receiptId: string })[]): Promise<void> {
  if (news.length === 0) return;
  await tx.query(
    `update control_plane.inbound_deliveries as d set
       total = greatest(d.total, s.total),
       outcome_index = case when ${BETTER} then s."outcomeIndex" else d.outcome_index end,
       outcome = case when ${BETTER} then s.outcome else d.outcome end,
       reason = case when ${BETTER} then s.reason else d.reason end,
       detail = coalesce(d.detail, s.detail),
       outcomes = array(select distinct one from unnest(d.outcomes || s.outcomes) as one order by one),
       incident_ids = (array(select one from unnest(d.incident_ids || s."incidentIds") with ordinality as u (one, n) group by one order by min(n)))[1:${INCIDENTS_MAX}],
       settled_at = case when s.complete then greatest(d.settled_at, s."settledAt") end,
       status = case when s.complete then 'settled' else 'in-flight' end,
       captured = d.captured or 'captured' = any(s.outcomes)
     from json_to_recordset($1::json) as s ("receiptId" text, total int, "outcomeIndex" int, outcome text, reason text, detail text, outcomes text[],
       "incidentIds" text[], "settledAt" timestamptz, complete boolean)
     where d.id = s."receiptId"`,
    [JSON.stringify(news.map((one) => ({ ...one, detail: storableOrNull(one.detail) })))],
  );
}

/** What senders were answered, onto the rows that there are. */
export async function noteAnswers(tx: Tx, answered: readonly Answered[]): Promise<void> {
  if (answered.length === 0) return;
  await tx.query(
    `update control_plane.inbound_deliveries as d set response_code = s."responseCode", latency_ms = s."latencyMs"
     from json_to_recordset($1::json) as s ("receiptId" text, "responseCode" int, "latencyMs" double precision) where d.id = s."receiptId"`,
    [JSON.stringify(answered)],
  );
}

/** Adds refused requests up; the first of each webhook, minute, answer and reason is shown in full. */
export async function countRejected(tx: Tx, rejected: readonly (Rejected & { id: string })[]): Promise<void> {
  if (rejected.length === 0) return;
  const rows = rejected.map(({ id, workspaceId, webhookId, minute, problem, reason, count, first }) => ({
    ...{ id, workspaceId, webhookId, minute, problem, reason, count },
    at: first?.at ?? minute,
    responseCode: first?.responseCode ?? null,
    method: first ? storable(first.method) : null,
    sizeBytes: first?.sizeBytes ?? null,
    clientNetwork: first ? storable(first.clientNetwork) : null,
    headers: first ? storableHeaders(first.headers) : null,
    detail: first ? storable(first.detail) : null,
  }));
  await tx.query(
    `insert into control_plane.inbound_deliveries as d (id, workspace_id, webhook_id, received_at, status, problem, reason, count, response_code,
       method, size_bytes, client_network, headers, detail, payload_absence)
     select id, "workspaceId", "webhookId", at, 'rejected', problem, reason, count, "responseCode", method, "sizeBytes", "clientNetwork", headers, detail, 'rejected'
     from json_to_recordset($1::json) as s (id text, "workspaceId" text, "webhookId" text, at timestamptz, problem text, reason text, count bigint,
       "responseCode" int, method text, "sizeBytes" int, "clientNetwork" text, headers json, detail text) order by id
     on conflict (id) do update set count = d.count + excluded.count, received_at = case when d.method is null then excluded.received_at else d.received_at end,
       response_code = coalesce(d.response_code, excluded.response_code), method = coalesce(d.method, excluded.method),
       size_bytes = coalesce(d.size_bytes, excluded.size_bytes), client_network = coalesce(d.client_network, excluded.client_network),
       headers = coalesce(d.headers, excluded.headers), detail = coalesce(d.detail, excluded.detail)`,
    [JSON.stringify(rows)],
  );
}

/** Leaves the last 20 captured requests of each of these webhooks. */
export async function trimCaptured(tx: Tx, webhookIds: readonly string[]): Promise<void> {
  if (webhookIds.length === 0) return;
  await tx.query(
    `delete from control_plane.inbound_deliveries where id in (
       select id from (select id, row_number() over (partition by webhook_id order by received_at desc, id desc) as place
         from control_plane.inbound_deliveries where captured and webhook_id = any($1)) as ranked where place > ${CAPTURED_MAX})`,
    [webhookIds],
  );
}
