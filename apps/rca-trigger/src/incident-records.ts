import {
  decodeRecord,
  deriveId,
  type IncidentEventRecord,
  type PublicIncident,
  type RcaEvent,
  type Severity,
} from '@tocsin/contracts';
import { decide, type RcaCaps, type RcaSettings, serviceKeys, titleKey } from '@tocsin/domain/rca';
import type { Input } from '@tocsin/postgres';

/** What is known of an incident before a batch. */
export interface KnownIncident {
  version: number;
  severity: Severity;
  decision: string | null;
  running: boolean;
  investigations: number;
}

/** The row of an incident after a batch. */
export interface IncidentRow {
  id: string;
  workspace_id: string;
  number: number;
  title: string;
  title_key: string;
  severity: string;
  status: string;
  services: string[];
  service_keys: string[];
  webhook_id: string | null;
  opened_at: string;
  resolved_at: string | null;
  version: number;
  decision: string | null;
  config_revision: number;
}

export interface InvestigationRequest {
  id: string;
  workspace_id: string;
  incident_id: string;
  incident_version: number;
  cause_id: string;
  cause: string;
  occurred_at: string;
  config_revision: number;
  /** Of the incident. */
  number: number;
  /** Who is asked. */
  investigator: RcaEvent['investigator'];
}

/** An incident event asked for it. */
export interface RequestedInvestigation extends InvestigationRequest {
  /** Its record. */
  input: Input;
}

export interface BatchContext {
  known: ReadonlyMap<string, KnownIncident>;
  workspaceHour: ReadonlyMap<string, number>;
  settingsOf(webhookId: string | null): RcaSettings;
  /** Whom a workspace asks. */
  investigatorOf(workspaceId: string): RcaEvent['investigator'];
  caps: RcaCaps;
}

export interface BatchPlan {
  rows: IncidentRow[];
  requests: RequestedInvestigation[];
  /** Those whose event had been seen. */
  repeated: Set<Input>;
}

export const isIncidentEvent = (input: Input): boolean => input.type === 'incident.event.v1';
export const incidentRecordOf = (input: Input): IncidentEventRecord => decodeRecord('incident.event.v1', input.value);

/** Folds a batch of incident events: the newest row per incident, and the investigations that they ask for. */
export function planBatch(
  records: readonly { input: Input; record: IncidentEventRecord }[],
  context: BatchContext,
): BatchPlan {
  const now = new Map(context.known);
  const hour = new Map(context.workspaceHour);
  const plan: BatchPlan = { rows: [], requests: [], repeated: new Set() };
  const rows = new Map<string, IncidentRow>();
  for (const { input, record } of records) {
    const { incident, event } = record;
    const before = now.get(incident.id);
    if (before && record.sequence <= before.version) {
      plan.repeated.add(input);
      continue;
    }
    const decision = decide(
      {
        outboundName: record.outbound_name,
        status: incident.status,
        severity: incident.severity,
        severityBefore: before?.severity ?? null,
      },
      context.settingsOf(incident.webhook_id),
      {
        running: before?.running ?? false,
        ofIncident: before?.investigations ?? 0,
        ofWorkspaceLastHour: hour.get(incident.workspace_id) ?? 0,
      },
      context.caps,
    );
    const requested = decision.kind === 'request';
    if (requested) {
      const investigator = context.investigatorOf(incident.workspace_id);
      plan.requests.push({ ...requestOf(record, decision.cause, input), investigator });
      hour.set(incident.workspace_id, (hour.get(incident.workspace_id) ?? 0) + 1);
    }
    const told = requested
      ? decision.cause
      : decision.reason === 'not-a-trigger'
        ? (before?.decision ?? null)
        : decision.reason;
    rows.set(incident.id, rowOf(incident, record.sequence, told, event.config_revision));
    now.set(incident.id, {
      version: record.sequence,
      severity: incident.severity,
      decision: told,
      running: requested || (before?.running ?? false),
      investigations: (before?.investigations ?? 0) + (requested ? 1 : 0),
    });
  }
  return { ...plan, rows: [...rows.values()].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

const requestOf = (
  { incident, event, sequence }: IncidentEventRecord,
  cause: string,
  input: Input,
): Omit<RequestedInvestigation, 'investigator'> => ({
  id: deriveId('rca', incident.id, event.id),
  workspace_id: incident.workspace_id,
  incident_id: incident.id,
  incident_version: sequence,
  cause_id: event.id,
  cause,
  occurred_at: event.at,
  config_revision: event.config_revision,
  number: incident.number,
  input,
});

const rowOf = (
  incident: PublicIncident,
  version: number,
  decision: string | null,
  configRevision: number,
): IncidentRow => ({
  id: incident.id,
  workspace_id: incident.workspace_id,
  number: incident.number,
  title: incident.title,
  title_key: titleKey(incident.title),
  severity: incident.severity,
  status: incident.status,
  services: incident.services,
  service_keys: serviceKeys(incident.services),
  webhook_id: incident.webhook_id,
  opened_at: incident.created_at,
  resolved_at: incident.resolved_at,
  version,
  decision,
  config_revision: configRevision,
});

/** The fact that an investigation was asked for. */
export const requestedEvent = (request: InvestigationRequest, at: string): RcaEvent => ({
  id: deriveId('evt', request.id, 'requested'),
  rca_id: request.id,
  incident_id: request.incident_id,
  workspace_id: request.workspace_id,
  type: 'rca.requested',
  at,
  investigator: request.investigator,
  incident_version: request.incident_version,
  reason: request.cause,
  summary: null,
  hypotheses: [],
  config_revision: request.config_revision,
});
