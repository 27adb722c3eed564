import { shownBody } from './kept-payload.ts';

/** A row of the list, with what is known of its payload. */
export interface DeliveryRow {
  id: string;
  webhook_id: string;
  received_at: Date;
  status: 'in-flight' | 'settled' | 'rejected';
  connector: string | null;
  method: string | null;
  query: string | null;
  headers: Record<string, string> | null;
  content_type: string | null;
  size_bytes: number | null;
  config_revision: string | null;
  replay_of: string | null;
  sampled: boolean;
  captured: boolean;
  total: number | null;
  outcome: string | null;
  reason: string | null;
  detail: string | null;
  outcomes: string[];
  incident_ids: string[];
  settled_at: Date | null;
  response_code: number | null;
  latency_ms: number | null;
  problem: string | null;
  count: string | null;
  client_network: string | null;
  payload_absence: string | null;
  payload_bytes: number | null;
  truncated: boolean | null;
  redacted: boolean | null;
}

export interface PayloadRow {
  body: Buffer;
  content_type: string | null;
  truncated: boolean;
  redacted: boolean;
}

/** What is kept of the body; `absence` says why there is none. */
function payloadOf({ payload_absence, payload_bytes, truncated, redacted }: DeliveryRow) {
  if (payload_bytes === null) return { kept: false, absence: payload_absence ?? 'expired' };
  return { kept: true, size_bytes: payload_bytes, truncated, redacted };
}

/** One line of the delivery log. `status` is the outcome as the sender was told it, `in-flight` or `rejected`. */
export function deliveryView(row: DeliveryRow) {
  const refused = row.status === 'rejected';
  return {
    id: row.id,
    receipt_id: refused ? null : row.id,
    webhook_id: row.webhook_id,
    received_at: row.received_at.toISOString(),
    status: row.status === 'settled' ? row.outcome : row.status,
    ...{ response_code: row.response_code, latency_ms: row.latency_ms, problem: row.problem },
    ...{ outcome: row.outcome, reason: row.reason, detail: row.detail, outcomes: row.outcomes },
    alerts: row.total,
    incident_ids: row.incident_ids,
    settled_at: row.settled_at?.toISOString() ?? null,
    count: row.count === null ? 1 : Number(row.count),
    ...{ connector: row.connector, method: row.method, query: row.query, headers: row.headers },
    ...{ content_type: row.content_type, size_bytes: row.size_bytes, client_network: row.client_network },
    config_revision: row.config_revision === null ? null : Number(row.config_revision),
    ...{ replay_of: row.replay_of, sampled: row.sampled, captured: row.captured },
    payload: payloadOf(row),
  };
}

/** The line with the body: text where it is text, else base64. */
export function deliveryWithPayload(row: DeliveryRow, payload: PayloadRow | undefined) {
  const view = deliveryView(row);
  if (!payload) return view;
  return { ...view, payload: { ...view.payload, content_type: payload.content_type, ...shownBody(payload.body) } };
}
