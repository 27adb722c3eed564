import { exists, initialState, type ExistingIncident } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';
import { notFound } from './command-problems.ts';
import { lockStreams, type StreamHead } from './incident-log.ts';

type Heads = Map<string, StreamHead>;

/** Locks an incident, and before it the holders of its keys where it may be closed (lock order). */
export async function lockIncident(tx: Tx, incidentId: string, closes: boolean) {
  if (closes) await lockHoldersOf(tx, [incidentId]);
  const heads = await lockStreams(tx, [incidentId]);
  return { incident: heads.get(incidentId)?.incident ?? initialState(incidentId), heads };
}

/** Locks the holders of every key of these incidents, then the streams: all that a command over several incidents writes. */
export async function lockIncidents(tx: Tx, holdersOf: readonly string[], streams: readonly string[]): Promise<Heads> {
  await lockHoldersOf(tx, holdersOf);
  return lockStreams(tx, streams);
}

/** @throws Problem not-found where there is none, or it is another workspace's */
export function lockedIncident(heads: Heads, incidentId: string, workspaceId: string): ExistingIncident {
  const incident = heads.get(incidentId)?.incident;
  if (!incident || !exists(incident) || incident.workspaceId !== workspaceId) throw notFound(incidentId);
  return incident;
}

/** Holders go before streams in the order of locks. */
async function lockHoldersOf(tx: Tx, incidentIds: readonly string[]): Promise<void> {
  if (incidentIds.length === 0) return;
  await tx.query(
    `select from incident_store.key_holders where incident_id = any($1)
     order by scope collate "C", webhook_id collate "C", dedup_key collate "C" for update`,
    [incidentIds],
  );
}
