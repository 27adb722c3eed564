import { setTimeout as pause } from 'node:timers/promises';
import { type Actor, deriveId, mintId } from '@tocsin/contracts';
import { changeRecommendation, type Recommendation } from '@tocsin/domain/rca';
import { type Caller, type Clock, Problem, type Random } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import type { CommentOnRecommendation, CreateRecommendation, UpdateRecommendation } from './recommendation.dto.ts';
import { recommendationOutput } from './recommendation-events.ts';
import {
  type Comment,
  commentsOf,
  findRecommendation,
  insertComment,
  insertRecommendations,
  knowsIncident,
  updateRecommendation,
} from './recommendation-store.ts';

export interface RecommendationParts {
  pipeline: Pick<Pipeline, 'commitCommand'>;
  clock: Clock;
  random: Random;
  /** Read each time: the public address is final only once the HTTP server listens. */
  publicUrl: () => string;
}

export interface Whole {
  recommendation: Recommendation;
  comments: Comment[];
}

const COMMENTS_MAX = 500;
/** An incident that was opened a moment ago may not have come here yet. */
const INCIDENT_LOOKS = 15;
const INCIDENT_LOOK_MS = 100;

/** Recommendations of people: each change is one transaction with its event. */
export class Recommendations {
  constructor(private readonly parts: RecommendationParts) {}

  /** With an idempotency key a repeat answers with what the first made. */
  async create(caller: Caller, input: CreateRecommendation, idempotencyKey?: string): Promise<Whole> {
    const { workspaceId } = caller;
    if (input.incident_id) await this.mustKnow(workspaceId, input.incident_id);
    const made = this.newOne(caller, input, idempotencyKey);
    return this.parts.pipeline.commitCommand(async (tx) => {
      const isNew = (await insertRecommendations(tx, [made])).has(made.id);
      if (isNew) return done({ recommendation: made, comments: [] }, [this.said('recommendation.created', made)]);
      const recommendation = (await findRecommendation(tx, workspaceId, made.id)) ?? made;
      return done({ recommendation, comments: await commentsOf(tx, made.id) });
    });
  }

  update(caller: Caller, id: string, input: UpdateRecommendation, version?: number): Promise<Whole> {
    const { title, description, effort, risk, status, potential_savings: potentialSavings } = input;
    const given = { title, description, effort, risk, status, potentialSavings };
    return this.change(caller, { id, version }, async (tx, before) => {
      const change = changeRecommendation(before, definedOf(given), this.parts.clock().toISOString());
      const comments = await commentsOf(tx, id);
      if (change.kind === 'unchanged') return done({ recommendation: before, comments });
      if (change.kind === 'wrong-state')
        throw new Problem('wrong-state', `What is ${change.from} cannot become ${change.to}.`, {
          body: { current: { status: change.from, version: before.version } },
        });
      const { recommendation, event, changed } = change;
      await updateRecommendation(tx, recommendation);
      return done({ recommendation, comments }, [this.said(event, recommendation, { changed })]);
    });
  }

  comment(caller: Caller, id: string, { text }: CommentOnRecommendation, idempotencyKey?: string): Promise<Whole> {
    const commentId = idempotencyKey ? deriveId('cmt', id, idempotencyKey) : mintId('cmt', this.parts.random(16));
    return this.change(caller, { id, version: undefined }, async (tx, before) => {
      const comments = await commentsOf(tx, id);
      if (comments.some((one) => one.id === commentId)) return done({ recommendation: before, comments });
      if (comments.length >= COMMENTS_MAX)
        throw new Problem('conflict', `A recommendation holds at most ${COMMENTS_MAX} comments.`);
      const at = this.parts.clock().toISOString();
      const recommendation = { ...before, updatedAt: at, version: before.version + 1 };
      const about = { recommendationId: id, workspaceId: caller.workspaceId, version: recommendation.version };
      const comment: Comment = { id: commentId, ...about, at, actor: actorOf(caller), text };
      await insertComment(tx, comment);
      await updateRecommendation(tx, recommendation);
      const said = this.said('recommendation.comment', recommendation, { comment: text });
      return done({ recommendation, comments: [...comments, comment] }, [said]);
    });
  }

  private change(
    { workspaceId }: Caller,
    { id, version }: { id: string; version: number | undefined },
    run: (tx: Tx, before: Recommendation) => Promise<{ result: Whole; outputs: Output[] }>,
  ): Promise<Whole> {
    return this.parts.pipeline.commitCommand(async (tx) => {
      const before = await findRecommendation(tx, workspaceId, id, { lock: true });
      if (!before) throw new Problem('not-found', 'There is no such recommendation.');
      if (version !== undefined && version !== before.version)
        throw new Problem('precondition-failed', `The recommendation is at version ${before.version}.`, {
          headers: { etag: `"${before.version}"` },
        });
      return run(tx, before);
    });
  }

  private newOne(caller: Caller, input: CreateRecommendation, idempotencyKey: string | undefined): Recommendation {
    const { workspaceId } = caller;
    const at = this.parts.clock().toISOString();
    return {
      id: idempotencyKey ? deriveId('rec', workspaceId, idempotencyKey) : mintId('rec', this.parts.random(16)),
      ...{ workspaceId, incidentId: input.incident_id ?? null, title: input.title.trim() },
      ...{ description: input.description ?? '', potentialSavings: input.potential_savings ?? null },
      ...{ effort: input.effort ?? null, risk: input.risk ?? null, status: 'pending' },
      ...{ createdBy: actorOf(caller), createdAt: at, updatedAt: at, version: 1 },
    };
  }

  private said(
    name: Parameters<typeof recommendationOutput>[0],
    one: Recommendation,
    told: { changed?: string[]; comment?: string } = {},
  ): Output {
    return recommendationOutput(name, one, { ...told, url: urlOf(this.parts.publicUrl(), one.id) });
  }

  private async mustKnow(workspaceId: string, incidentId: string): Promise<void> {
    for (let look = 1; ; look += 1) {
      const known = await this.parts.pipeline.commitCommand(async (tx) => ({
        result: await knowsIncident(tx, workspaceId, incidentId),
        outputs: [],
      }));
      if (known) return;
      if (look === INCIDENT_LOOKS) break;
      await pause(INCIDENT_LOOK_MS);
    }
    throw new Problem('validation-failed', 'incident_id: there is no such incident', {
      errors: [{ path: 'incident_id', code: 'unknown-incident', message: 'there is no such incident' }],
    });
  }
}

export const urlOf = (publicUrl: string, id: string): string => `${publicUrl}/api/v1/recommendations/${id}`;

const done = (result: Whole, outputs: Output[] = []) => ({ result, outputs });

const actorOf = ({ keyId, name }: Caller): Actor => ({ kind: 'api-key', id: keyId, name });

/** What was given, null too. */
const definedOf = <T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as never;
