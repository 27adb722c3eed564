import { deriveId } from '@tocsin/contracts';
import { type Recommendation, suggest } from '@tocsin/domain/rca';
import type { Tx } from '@tocsin/postgres';
import type { DueInvestigation, FinishedInvestigation } from '../investigation-store.ts';
import { insertRecommendations } from './recommendation-store.ts';

/** Stores what an investigation suggests. The same suggestion for the same incident is made once. @returns the new ones */
export async function recommend(
  tx: Tx,
  due: DueInvestigation,
  finished: FinishedInvestigation,
  now: Date,
): Promise<Recommendation[]> {
  const at = now.toISOString();
  const made = suggest(finished.hypotheses).map(({ title, description, effort, risk }): Recommendation => ({
    id: deriveId('rec', due.incidentId, title),
    ...{ workspaceId: due.workspaceId, incidentId: due.incidentId, title, description, potentialSavings: null },
    ...{ effort, risk, status: 'pending', createdAt: at, updatedAt: at, version: 1 },
    createdBy: { kind: 'investigation', id: due.id, name: 'built-in' },
  }));
  const fresh = await insertRecommendations(tx, made);
  return made.filter(({ id }) => fresh.has(id));
}
