import { deriveId, type EventTypeName, platformRecordOf } from '@tocsin/contracts';
import type { Output } from '@tocsin/postgres';
import type { InvestigationRequest } from './incident-records.ts';
import type { DueInvestigation, FinishedInvestigation } from './investigation-store.ts';

/** Texts of the catalogue have at most so many characters; those of incidents can make longer ones. */
const cut = (text: string): string => text.slice(0, 10_000).toWellFormed();

const nameOf = (number: number): string => `Root cause of incident ${number}`;

interface Work {
  rcaId: string;
  workspaceId: string;
  at: string;
  data: Record<string, unknown>;
}

/** An event of the catalogue about an investigation. */
function said(name: EventTypeName, { rcaId, workspaceId, at, data }: Work, by: Output['by']): Output {
  const event = { id: deriveId('evt', rcaId, name), name, workspaceId, source: '/tocsin', at, data };
  return { ...platformRecordOf(event), by };
}

/** Somebody is to find out the cause: the task begins. */
export const taskStarted = (request: InvestigationRequest, at: string, by: Output['by']): Output => {
  const { id: rcaId, workspace_id: workspaceId, incident_id: incident } = request;
  const data = { id: rcaId, name: nameOf(request.number), incident_id: incident, started_at: at };
  return said('task.started', { rcaId, workspaceId, at, data }, by);
};

/** What an investigation says when it ends: the task, and where there is a result the conversation. */
export function workOutputs(due: DueInvestigation, finished: FinishedInvestigation, now: Date): Output[] {
  const at = now.toISOString();
  const { id: rcaId, workspaceId, incidentId, number } = due;
  const by = { stream: rcaId, version: 2n };
  const task = {
    ...{ id: rcaId, name: nameOf(number), incident_id: incidentId },
    ...{ started_at: due.requestedAt.toISOString(), finished_at: at },
  };
  const common = { rcaId, workspaceId, at };
  if (finished.status === 'failed')
    return [said('task.failed', { ...common, data: { ...task, error: cut(finished.summary) } }, by)];
  const found = finished.hypotheses.length;
  const result = `${found} ${found === 1 ? 'hypothesis' : 'hypotheses'}`;
  const conversation = {
    ...{ id: rcaId, incident_id: incidentId, webhook_id: due.webhookId },
    ...{ title: nameOf(number), summary: cut(finished.summary) },
  };
  return [
    said('task.completed', { ...common, data: { ...task, result } }, by),
    said('conversation.completed', { ...common, data: conversation }, by),
  ];
}
