import { deriveId, type EventTypeName, platformRecordOf } from '@tocsin/contracts';
import type { Recommendation } from '@tocsin/domain/rca';
import type { Output } from '@tocsin/postgres';
import type { Comment } from './recommendation-store.ts';

/** A recommendation as `GET` shows it. */
export const recommendationView = (one: Recommendation) => ({
  id: one.id,
  workspace_id: one.workspaceId,
  incident_id: one.incidentId,
  title: one.title,
  description: one.description,
  potential_savings: one.potentialSavings,
  effort: one.effort,
  risk: one.risk,
  status: one.status,
  created_by: one.createdBy,
  created_at: one.createdAt,
  updated_at: one.updatedAt,
  version: one.version,
});

export const commentView = ({ id, at, actor, text }: Comment) => ({ id, at, actor, text });

interface Told {
  changed?: readonly string[];
  comment?: string;
  url: string;
}

/** The event of a recommendation's version: what `GET` shows, what changed, and where it is. */
export function recommendationOutput(
  name: EventTypeName,
  one: Recommendation,
  { changed, comment, url }: Told,
): Output {
  const { effort, risk, ...view } = recommendationView(one);
  const data = {
    ...view,
    ...(effort === null ? {} : { effort }),
    ...(risk === null ? {} : { risk }),
    ...(changed === undefined ? {} : { changed }),
    ...(comment === undefined ? {} : { comment }),
    url,
  };
  const event = {
    id: deriveId('evt', one.id, String(one.version)),
    ...{ name, workspaceId: one.workspaceId, source: '/tocsin', at: one.updatedAt, data },
  };
  return { ...platformRecordOf(event), by: { stream: one.id, version: BigInt(one.version) } };
}
