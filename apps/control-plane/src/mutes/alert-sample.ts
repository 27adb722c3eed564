import { setImmediate as breathe } from 'node:timers/promises';
import { connectorOf, type NormalizeContext, type Payload } from '@tocsin/connectors';
import type { NormalizedAlert } from '@tocsin/contracts';
import { compileMapping } from '@tocsin/domain/mapping-rules';
import type { ConfigurationTx } from '../configuration-store.ts';
import { WebhookRow } from '../entities.ts';

/** What is looked at, of each webhook and of all: enough to see what a matcher is about, little enough for an answer in time. */
const MAX = { perWebhook: 300, payloads: 2_000, bytes: 16_000_000, alerts: 20_000 } as const;
/** Of a payload as mapping previews have it. */
const EFFORT = 1_000_000;
/** Payloads between two breaths: others want this process, too. */
const AT_ONCE = 20;

interface PayloadRow {
  id: string;
  webhook_id: string;
  received_at: Date;
  headers: Record<string, string> | null;
  query: string | null;
  body: Buffer;
  content_type: string | null;
}

/** The newest kept payloads of each webhook of the workspace, the oldest of them first. */
const PAYLOADS = `
with newest as (
  select d.id, d.webhook_id, d.received_at, d.headers, d.query
  from control_plane.webhooks w cross join lateral (
    select * from control_plane.inbound_deliveries d
    where d.webhook_id = w.id and d.received_at >= $2 and d.status <> 'rejected' and not d.captured
    order by d.received_at desc, d.id desc limit ${MAX.perWebhook}) d
  where w.workspace_id = $1 and w.enabled
  order by d.received_at desc, d.id desc limit ${MAX.payloads}
), weighed as (
  select n.*, p.body, p.content_type, sum(octet_length(p.body)) over (order by n.received_at desc, n.id desc) as bytes
  from newest n join control_plane.inbound_payloads p on p.receipt_id = n.id where not p.truncated
)
select id, webhook_id, received_at, headers, query, body, content_type from weighed where bytes <= ${MAX.bytes} order by received_at, id`;

export interface SampledAlert {
  alert: NormalizedAlert;
  webhookName: string;
  /** It fired, and no later alert of its key has said that it is over. */
  live: boolean;
}

/**
 * Alerts that the workspace received since an instant, read again from the kept payloads with the webhooks as they are now, oldest
 * first. Where more came than is kept or looked at, it is a sample of them.
 */
export async function sampleAlerts(tx: ConfigurationTx, since: Date): Promise<SampledAlert[]> {
  const rows = await tx.manager.query<PayloadRow[]>(PAYLOADS, [tx.workspaceId, since]);
  const webhooks = await tx.manager
    .createQueryBuilder(WebhookRow, 'row')
    .where('row.workspaceId = :workspaceId', { workspaceId: tx.workspaceId })
    .getMany();
  const byId = new Map(webhooks.map((webhook) => [webhook.id, webhook]));
  const sampled: SampledAlert[] = [];
  const firing = new Map<string, SampledAlert>();
  for (const [index, row] of rows.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await breathe();
    const webhook = byId.get(row.webhook_id);
    if (!webhook || sampled.length >= MAX.alerts) continue;
    for (const alert of readAlerts(webhook, row)) note(alert, webhook.name, { sampled, firing });
  }
  return sampled;
}

interface Seen {
  sampled: SampledAlert[];
  firing: Map<string, SampledAlert>;
}

function note(alert: NormalizedAlert, webhookName: string, { sampled, firing }: Seen): void {
  const key = JSON.stringify([alert.webhookId, alert.resolveKey]);
  const before = firing.get(key);
  if (alert.status === 'resolved' && before) before.live = false;
  if (alert.status !== 'triggered') return;
  if (before) before.live = false; // a repeat: the newest stands for it
  const one = { alert, webhookName, live: true };
  firing.set(key, one);
  sampled.push(one);
}

/** A payload that cannot be read any more says nothing. */
function readAlerts(webhook: WebhookRow, row: PayloadRow): NormalizedAlert[] {
  const connector = connectorOf(webhook.connector);
  if (!connector) return [];
  const payload: Payload = {
    ...{ bytes: row.body, contentType: row.content_type },
    ...{ headers: row.headers ?? {}, query: row.query ?? '' },
  };
  const context: NormalizeContext = {
    ...{ receiptId: row.id, workspaceId: webhook.workspaceId, webhookId: webhook.id, configRevision: webhook.revision },
    ...{ notes: [], receivedAt: row.received_at.toISOString(), mappingEffort: EFFORT },
    ...{ defaultSeverity: webhook.defaultSeverity, severityProfile: webhook.severityProfile },
    ...{ incidentType: webhook.incidentType, alertOnFailure: webhook.changes.alertOnFailure },
    ...(webhook.mapping && { mapping: compileMapping(webhook.mapping) }),
  };
  try {
    const read = connector.normalize(payload, context);
    return read.kind === 'alerts' ? read.alerts : [];
  } catch {
    return []; // the connector that the webhook has now does not take what an earlier one did
  }
}
