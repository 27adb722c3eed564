import type { Actor } from '@tocsin/contracts';

export const recommendationStatuses = ['pending', 'accepted', 'dismissed', 'implemented'] as const;
export type RecommendationStatus = (typeof recommendationStatuses)[number];
export const recommendationLevels = ['low', 'medium', 'high'] as const;
export type RecommendationLevel = (typeof recommendationLevels)[number];

/** What somebody could do, for an incident or in general (product P13). */
export interface Recommendation {
  id: string;
  workspaceId: string;
  incidentId: string | null;
  title: string;
  description: string;
  /** In the workspace's own currency; null = not known. */
  potentialSavings: number | null;
  effort: RecommendationLevel | null;
  risk: RecommendationLevel | null;
  status: RecommendationStatus;
  createdBy: Actor;
  createdAt: string;
  updatedAt: string;
  /** Counts changes and comments. */
  version: number;
}

export type RecommendationChange = Partial<
  Pick<Recommendation, 'title' | 'description' | 'potentialSavings' | 'effort' | 'risk' | 'status'>
>;

const next: Readonly<Record<RecommendationStatus, readonly RecommendationStatus[]>> = {
  pending: ['accepted', 'dismissed', 'implemented'],
  accepted: ['pending', 'dismissed', 'implemented'],
  dismissed: ['pending', 'accepted'],
  implemented: [],
};

export type ChangedRecommendation =
  | {
      kind: 'changed';
      recommendation: Recommendation;
      changed: string[];
      event: 'recommendation.updated' | 'recommendation.implemented';
    }
  | { kind: 'unchanged' }
  | { kind: 'wrong-state'; from: RecommendationStatus; to: RecommendationStatus };

/** A change by somebody: a status moves along its graph, and what is implemented stays so. */
export function changeRecommendation(
  before: Recommendation,
  change: RecommendationChange,
  at: string,
): ChangedRecommendation {
  const { status = before.status } = change;
  if (status !== before.status && !next[before.status].includes(status))
    return { kind: 'wrong-state', from: before.status, to: status };
  const fields = Object.keys(change) as (keyof RecommendationChange)[];
  const changed = fields.filter((field) => change[field] !== undefined && change[field] !== before[field]);
  if (changed.length === 0) return { kind: 'unchanged' };
  const told = Object.fromEntries(changed.map((field) => [field, change[field]]));
  return {
    kind: 'changed',
    recommendation: { ...before, ...told, updatedAt: at, version: before.version + 1 },
    changed: changed.map((field) => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
    event:
      changed.includes('status') && status === 'implemented' ? 'recommendation.implemented' : 'recommendation.updated',
  };
}
