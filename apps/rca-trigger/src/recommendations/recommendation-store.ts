import type { Actor } from '@tocsin/contracts';
import type { Recommendation } from '@tocsin/domain/rca';
import type { Tx } from '@tocsin/postgres';

export interface Comment {
  id: string;
  recommendationId: string;
  workspaceId: string;
  version: number;
  at: string;
  actor: Actor;
  text: string;
}

type Row = Omit<Recommendation, 'potentialSavings' | 'createdAt' | 'updatedAt'> & {
  potentialSavings: string | null;
  createdAt: Date;
  updatedAt: Date;
};

const columns = `id, workspace_id as "workspaceId", incident_id as "incidentId", title, description,
  potential_savings as "potentialSavings", effort, risk, status, created_by as "createdBy", created_at as "createdAt",
  updated_at as "updatedAt", version`;

const recommendationOf = (row: Row): Recommendation => ({
  ...row,
  potentialSavings: row.potentialSavings === null ? null : Number(row.potentialSavings),
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
});

/** Stores new ones; those whose id is there already stay as they are. @returns the ids that were new */
export async function insertRecommendations(tx: Tx, made: readonly Recommendation[]): Promise<Set<string>> {
  if (made.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string }>(
    `insert into rca_trigger.recommendations (id, workspace_id, incident_id, title, description, potential_savings, effort, risk, status,
            created_by, created_at, updated_at, version)
     select id, "workspaceId", "incidentId", title, description, "potentialSavings", effort, risk, status,
            "createdBy", "createdAt", "updatedAt", version
       from jsonb_to_recordset($1) as given(id text, "workspaceId" text, "incidentId" text, title text, description text,
            "potentialSavings" numeric, effort text, risk text, status text, "createdBy" jsonb, "createdAt" timestamptz,
            "updatedAt" timestamptz, version integer)
     on conflict (id) do nothing returning id`,
    [JSON.stringify(made)],
  );
  return new Set(rows.map(({ id }) => id));
}

export async function findRecommendation(
  tx: Tx,
  workspaceId: string,
  id: string,
  how: { lock?: boolean } = {},
): Promise<Recommendation | undefined> {
  const { rows } = await tx.query<Row>(
    `select ${columns} from rca_trigger.recommendations where workspace_id = $1 and id = $2${how.lock ? ' for update' : ''}`,
    [workspaceId, id],
  );
  return rows[0] && recommendationOf(rows[0]);
}

export async function updateRecommendation(tx: Tx, one: Recommendation): Promise<void> {
  await tx.query(
    `update rca_trigger.recommendations set title = $2, description = $3, potential_savings = $4, effort = $5, risk = $6, status = $7,
            updated_at = $8, version = $9 where id = $1`,
    [
      ...[one.id, one.title, one.description, one.potentialSavings, one.effort, one.risk, one.status],
      ...[one.updatedAt, one.version],
    ],
  );
}

export interface RecommendationFilter {
  incidentId?: string | undefined;
  status?: string | undefined;
  before?: { at: string; id: string } | undefined;
  limit: number;
}

/** Newest first, of the workspace that the transaction is bound to. */
export async function listRecommendations(
  tx: Tx,
  { incidentId, status, before, limit }: RecommendationFilter,
): Promise<Recommendation[]> {
  const { rows } = await tx.query<Row>(
    `select ${columns} from rca_trigger.recommendations
      where ($1::text is null or incident_id = $1) and ($2::text is null or status = $2)
        and ($3::timestamptz is null or (created_at, id) < ($3, $4))
      order by created_at desc, id desc limit $5`,
    [incidentId ?? null, status ?? null, before?.at ?? null, before?.id ?? null, limit],
  );
  return rows.map(recommendationOf);
}

type CommentRow = Omit<Comment, 'at'> & { at: Date };

const commentColumns =
  'id, recommendation_id as "recommendationId", workspace_id as "workspaceId", version, at, actor, text';

export async function commentsOf(tx: Tx, recommendationId: string): Promise<Comment[]> {
  const { rows } = await tx.query<CommentRow>(
    `select ${commentColumns} from rca_trigger.recommendation_comments where recommendation_id = $1 order by version`,
    [recommendationId],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}

export async function insertComment(tx: Tx, comment: Comment): Promise<void> {
  await tx.query(
    `insert into rca_trigger.recommendation_comments (id, workspace_id, recommendation_id, version, at, actor, text)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[comment.id, comment.workspaceId, comment.recommendationId, comment.version, comment.at],
      ...[JSON.stringify(comment.actor), comment.text],
    ],
  );
}

export async function knowsIncident(tx: Tx, workspaceId: string, id: string): Promise<boolean> {
  const { rowCount } = await tx.query('select from rca_trigger.incidents where workspace_id = $1 and id = $2', [
    workspaceId,
    id,
  ]);
  return rowCount === 1;
}
