import { deriveId, type RcaEvent } from '@tocsin/contracts';
import type { Output, Tx } from '@tocsin/postgres';
import type { DueInvestigation, FinishedInvestigation } from './investigation-store.ts';
import { rcaOutput } from './rca-facts.ts';
import { recommend, type RecommendationDraft } from './recommendations/recommend.ts';
import { recommendationOutput } from './recommendations/recommendation-events.ts';
import { urlOf } from './recommendations/recommendations.ts';
import { workOutputs } from './work-events.ts';

export interface Conclusion {
  finished: FinishedInvestigation;
  drafts: readonly RecommendationDraft[];
}

/** What is said when an investigation ends, and the recommendations that it leaves. The result itself is stored by the caller. */
export async function conclude(
  tx: Tx,
  due: DueInvestigation,
  { finished, drafts }: Conclusion,
  { now, publicUrl }: { now: Date; publicUrl: string },
): Promise<Output[]> {
  const made = await recommend(tx, due, drafts, now);
  return [
    rcaOutput(finishedEvent(due, finished, now), { stream: due.id, version: 2n }),
    ...workOutputs(due, finished, now),
    ...made.map((one) => recommendationOutput('recommendation.created', one, { url: urlOf(publicUrl, one.id) })),
  ];
}

const finishedEvent = (
  due: DueInvestigation,
  { status, summary, hypotheses }: FinishedInvestigation,
  now: Date,
): RcaEvent => ({
  id: deriveId('evt', due.id, status),
  rca_id: due.id,
  incident_id: due.incidentId,
  workspace_id: due.workspaceId,
  type: status === 'completed' ? 'rca.completed' : 'rca.failed',
  at: now.toISOString(),
  investigator: due.investigator,
  incident_version: due.incidentVersion,
  reason: due.cause,
  summary,
  hypotheses: [...hypotheses],
  config_revision: due.configRevision,
});
