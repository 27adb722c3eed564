import { deriveId, mintId, type RcaEvent } from '@tocsin/contracts';
import type { RcaCaps } from '@tocsin/domain/rca';
import { type Clock, type ConfigurationFeed, Problem, type Random } from '@tocsin/nest-shell';
import type { Pipeline, Tx } from '@tocsin/postgres';
import { requestedEvent } from './incident-records.ts';
import { capFreeAt, lockIncident, storeRequests } from './investigation-store.ts';
import { investigationOf, type InvestigationView } from './investigation-views.ts';
import { rcaOutput } from './rca-facts.ts';
import { taskStarted } from './work-events.ts';

export interface RequestInvestigationParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  feed: Pick<ConfigurationFeed, 'workspace'>;
  caps: RcaCaps;
  clock: Clock;
  random: Random;
  /** An investigation was asked for and committed. */
  wake(): void;
}

export interface RequestedByHand {
  workspaceId: string;
  incidentId: string;
  /** With it a repeat answers with what the first asked for. */
  idempotencyKey: string | undefined;
}

/**
 * Asks for an investigation because a person wants one: whatever the webhook's settings say and however often the incident was looked
 * into; only the workspace's cap holds, and one at a time.
 * @throws Problem not-found, wrong-state while one runs, rate-limited above the workspace's cap
 */
export async function requestInvestigation(
  parts: RequestInvestigationParts,
  wish: RequestedByHand,
): Promise<InvestigationView> {
  const { workspaceId, incidentId, idempotencyKey } = wish;
  const id = idempotencyKey
    ? deriveId('rca', workspaceId, incidentId, idempotencyKey)
    : mintId('rca', parts.random(16));
  const asked = await parts.pipeline.commitCommand(async (tx) => {
    const incident = await lockIncident(tx, workspaceId, incidentId);
    if (!incident)
      throw new Problem('not-found', 'There is no such incident, or its first event has not come here yet.');
    const before = await investigationOf(tx, id);
    if (before) return { result: before, outputs: [] };
    const now = parts.clock();
    await refuse(tx, { wish, running: incident.running, caps: parts.caps, now });
    const at = now.toISOString();
    const investigator: RcaEvent['investigator'] = parts.feed.workspace(workspaceId)?.body.investigator
      ? 'http'
      : 'built-in';
    const request = {
      ...{ id, workspace_id: workspaceId, incident_id: incidentId, incident_version: incident.version },
      ...{ cause_id: id, cause: 'asked-for', occurred_at: at, config_revision: incident.configRevision },
      ...{ number: incident.number, investigator },
    };
    await storeRequests(tx, [request], { requested: at, due: at });
    const by = { stream: id, version: 1n };
    const outputs = [rcaOutput(requestedEvent(request, at), by), taskStarted(request, at, by)];
    return { result: (await investigationOf(tx, id)) as InvestigationView, outputs };
  });
  parts.wake();
  return asked;
}

async function refuse(
  tx: Tx,
  { wish, running, caps, now }: { wish: RequestedByHand; running: string | null; caps: RcaCaps; now: Date },
): Promise<void> {
  if (running !== null)
    throw new Problem('wrong-state', 'An investigation of this incident runs.', { body: { rca_id: running } });
  const free = await capFreeAt(tx, wish.workspaceId, { perHour: caps.perWorkspaceHour, now });
  if (free === null) return;
  const seconds = Math.max(1, Math.ceil((free.getTime() - now.getTime()) / 1_000));
  throw new Problem('rate-limited', `This workspace may ask for ${caps.perWorkspaceHour} investigations an hour.`, {
    headers: { 'retry-after': String(seconds) },
  });
}
