import { deriveId } from '@tocsin/contracts';
import type { Recommendation } from '@tocsin/domain/rca';
import type { Tx } from '@tocsin/postgres';
import type { DueInvestigation } from '../investigation-store.ts';
import { insertRecommendations } from './recommendation-store.ts';

/** What an investigation recommends, before it has an id. */
export type RecommendationDraft = Pick<
  Recommendation,
  'title' | 'description' | 'potentialSavings' | 'effort' | 'risk'
>;

/** Stores what an investigation recommends. The same recommendation for the same incident is made once. @returns the new ones */
export async function recommend(
  tx: Tx,
  due: DueInvestigation,
  drafts: readonly RecommendationDraft[],
  now: Date,
): Promise<Recommendation[]> {
  const at = now.toISOString();
  const made = drafts.map(({ title, description, potentialSavings, effort, risk }): Recommendation => ({
    id: deriveId('rec', due.incidentId, title),
    ...{ workspaceId: due.workspaceId, incidentId: due.incidentId, title, description, potentialSavings },
    ...{ effort, risk, status: 'pending', createdAt: at, updatedAt: at, version: 1 },
    createdBy: { kind: 'investigation', id: due.id, name: due.investigator },
  }));
  const fresh = await insertRecommendations(tx, made);
  return made.filter(({ id }) => fresh.delete(id));
}
