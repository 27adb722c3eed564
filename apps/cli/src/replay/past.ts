import type { PastReceipt } from '@tocsin/connectors';
import type { MuteDocument, TopologyDocument, WebhookDocument, WorkspaceDocument } from '@tocsin/contracts';
import type { ReplayedCommand, WorkspaceDocuments } from '@tocsin/domain/replay';
import type { createPools } from '@tocsin/postgres';
import { UsageError } from '../terminal.ts';
import type { Span } from './span.ts';

type Database = ReturnType<typeof createPools>['pipeline'];

/** What is known of a workspace: its configuration as it is now, and what people did to its incidents. */
export interface Past {
  workspaceId: string;
  documents: WorkspaceDocuments;
  commands: ReplayedCommand[];
}

/** Receipts in the order in which they came; `skipped` are those whose payload is not there, by the reason. */
export interface Receipts {
  receipts: PastReceipt[];
  skipped: Record<string, number>;
}

type Document = WebhookDocument | WorkspaceDocument | MuteDocument | TopologyDocument;

const DOCUMENTS = `
select distinct on (kind, id) revision::float8 as revision, kind, id, workspace_id as "workspaceId", deleted, body
from control_plane.configuration_feed where kind in ('workspace', 'webhook', 'silence', 'maintenance-window', 'topology')
order by kind, id, control_plane.configuration_feed.revision desc`;

/** @throws UsageError where the workspace is not there, or has to be named */
export async function readPast(database: Database, wanted: string | undefined, span: Span): Promise<Past> {
  const { rows } = await database.query<Document>(DOCUMENTS);
  const live = rows.filter(({ deleted }) => !deleted);
  const workspace = workspaceIn(live, wanted);
  const own = live.filter(({ workspaceId }) => workspaceId === workspace.id);
  return {
    workspaceId: workspace.id,
    documents: {
      workspace,
      webhooks: own.filter((one) => one.kind === 'webhook'),
      mutes: own.filter((one) => one.kind === 'silence' || one.kind === 'maintenance-window'),
      topology: own.find((one) => one.kind === 'topology'),
    },
    commands: await commandsIn(database, workspace.id, span),
  };
}

function workspaceIn(documents: readonly Document[], wanted: string | undefined): WorkspaceDocument {
  const workspaces = documents.filter((one) => one.kind === 'workspace');
  const [first, ...more] = workspaces.filter(
    ({ id, body }) => wanted === undefined || wanted === id || wanted === body.slug,
  );
  if (first && more.length === 0) return first;
  const known = workspaces.map(({ body }) => body.slug).join(', ');
  throw new UsageError(`--workspace: id or slug of one; there are ${known || 'none'}`);
}

/** A merge closes the one that goes: that is one command, not two. */
const COMMANDS = `
select e.type, e.at, e.actor, s.state ->> 'openingAlertId' as "openingAlertId", into_.state ->> 'openingAlertId' as "intoOpeningAlertId"
from incident_store.events e join incident_store.streams s on s.stream_id = e.stream_id
  left join incident_store.event_payloads p on e.type = 'IncidentsMerged' and p.stream_id = e.stream_id and p.version = e.version
  left join incident_store.streams into_ on into_.stream_id = convert_from(p.body, 'UTF8')::json -> 'into' ->> 'incident_id'
where e.workspace_id = $1 and e.at >= $2 and e.at < $3 and e.type in ('IncidentResolved', 'IncidentReopened', 'IncidentsMerged')
  and e.actor ->> 'kind' in ('user', 'api-key') and s.state ->> 'openingAlertId' is not null
  and (e.type <> 'IncidentResolved' or e.reason is distinct from 'merged')
  and (e.type <> 'IncidentsMerged' or convert_from(p.body, 'UTF8')::json ->> 'role' = 'merged')
order by e.at, e.stream_id, e.version`;

interface CommandRow extends Pick<ReplayedCommand, 'actor' | 'openingAlertId'> {
  type: string;
  at: Date;
  /** Null where the survivor was opened by hand: no alert of the past leads to it. */
  intoOpeningAlertId: string | null;
}

async function commandsIn(database: Database, workspaceId: string, { from, to }: Span): Promise<ReplayedCommand[]> {
  const { rows } = await database.query<CommandRow>(COMMANDS, [workspaceId, from, to]);
  return rows.map(({ type, at, actor, openingAlertId, intoOpeningAlertId }) => {
    const said = { at: at.toISOString(), actor, openingAlertId };
    if (type === 'IncidentReopened') return { kind: 'reopen', ...said };
    return intoOpeningAlertId === null ? { kind: 'resolve', ...said } : { kind: 'merge', intoOpeningAlertId, ...said };
  });
}

interface KeptRow {
  id: string;
  webhook_id: string;
  received_at: Date;
  headers: Record<string, string> | null;
  query: string | null;
  payload_absence: string | null;
  body: Buffer | null;
  content_type: string | null;
  truncated: boolean | null;
}

const PAGE = 1_000;
const KEPT = `
select d.id, d.webhook_id, d.received_at, d.headers, d.query, d.payload_absence, p.body, p.content_type, p.truncated
from control_plane.inbound_deliveries d left join control_plane.inbound_payloads p on p.receipt_id = d.id
where d.workspace_id = $1 and d.received_at >= $2 and d.received_at < $3 and d.status <> 'rejected' and not d.captured
  and (d.received_at, d.id) > ($4, $5)
order by d.received_at, d.id limit ${PAGE}`;

/** Receipts of the delivery log: redacted, at most 100 KB each, and a sample where more came than it keeps. */
export async function keptReceipts(database: Database, workspaceId: string, { from, to }: Span): Promise<Receipts> {
  const found: Receipts = { receipts: [], skipped: {} };
  let after: [Date, string] = [from, ''];
  for (;;) {
    const { rows } = await database.query<KeptRow>(KEPT, [workspaceId, from, to, ...after]);
    for (const row of rows) note(found, row, workspaceId);
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) return found;
    after = [last.received_at, last.id];
  }
}

function note({ receipts, skipped }: Receipts, row: KeptRow, workspaceId: string): void {
  const absence = row.truncated
    ? 'truncated'
    : row.body || row.payload_absence === 'empty'
      ? null
      : (row.payload_absence ?? 'expired');
  if (absence !== null) {
    skipped[absence] = (skipped[absence] ?? 0) + 1;
    return;
  }
  receipts.push({
    ...{ receiptId: row.id, workspaceId, webhookId: row.webhook_id, receivedAt: row.received_at.toISOString() },
    payload: {
      ...{ bytes: row.body ?? Buffer.alloc(0), contentType: row.content_type },
      ...{ headers: row.headers ?? {}, query: row.query ?? '' },
    },
  });
}
