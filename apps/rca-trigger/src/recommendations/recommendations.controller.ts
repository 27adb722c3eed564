import {
  Body,
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import {
  ApiKeyGuard,
  body,
  type Caller,
  CallerOf,
  params,
  Problem,
  query,
  REST_POOL,
  Scopes,
} from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { cursorOf, readCursor } from '../changes.dto.ts';
import { RECOMMENDATIONS } from '../tokens.ts';
import {
  CommentOnRecommendation,
  CreateRecommendation,
  ListRecommendations,
  RecommendationPath,
  UpdateRecommendation,
  versionOf,
} from './recommendation.dto.ts';
import { commentView, recommendationView } from './recommendation-events.ts';
import { commentsOf, findRecommendation, listRecommendations } from './recommendation-store.ts';
import type { Recommendations, Whole } from './recommendations.ts';
import { VersionTag } from './version-tag.ts';

/** What could be done, for incidents and in general (product P13). */
@Controller('api/v1/recommendations')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new VersionTag())
export class RecommendationsController {
  constructor(
    @Inject(RECOMMENDATIONS) private readonly recommendations: Recommendations,
    @Inject(REST_POOL) private readonly pool: Pool,
  ) {}

  @Get()
  @Scopes('read')
  async list(
    @CallerOf() { workspaceId }: Caller,
    @Query(query(ListRecommendations)) { incident_id: incidentId, status, cursor, limit }: ListRecommendations,
  ) {
    const before = readCursor(cursor);
    const found = await withWorkspace(this.pool, workspaceId, (tx) =>
      listRecommendations(tx, { incidentId, status, before, limit: limit + 1 }),
    );
    const items = found.slice(0, limit).map(recommendationView);
    const last = items.at(-1);
    return {
      items,
      next_cursor: last && found.length > limit ? cursorOf({ recorded_at: last.created_at, id: last.id }) : null,
    };
  }

  @Post()
  @Scopes('respond')
  async create(
    @CallerOf() caller: Caller,
    @Body(body(CreateRecommendation)) input: CreateRecommendation,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return answer(await this.recommendations.create(caller, input, idempotencyKey));
  }

  @Get(':id')
  @Scopes('read')
  async get(@CallerOf() { workspaceId }: Caller, @Param(params(RecommendationPath)) { id }: RecommendationPath) {
    const found = await withWorkspace(this.pool, workspaceId, async (tx) => {
      const recommendation = await findRecommendation(tx, workspaceId, id);
      return recommendation && { recommendation, comments: await commentsOf(tx, id) };
    });
    if (!found) throw new Problem('not-found', 'There is no such recommendation.');
    return answer(found);
  }

  @Patch(':id')
  @Scopes('respond')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(RecommendationPath)) { id }: RecommendationPath,
    @Body(body(UpdateRecommendation)) input: UpdateRecommendation,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return answer(await this.recommendations.update(caller, id, input, versionOf(ifMatch)));
  }

  @Post(':id/comments')
  @Scopes('respond')
  async comment(
    @CallerOf() caller: Caller,
    @Param(params(RecommendationPath)) { id }: RecommendationPath,
    @Body(body(CommentOnRecommendation)) input: CommentOnRecommendation,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return answer(await this.recommendations.comment(caller, id, input, idempotencyKey));
  }
}

const answer = ({ recommendation, comments }: Whole) => ({
  ...recommendationView(recommendation),
  comments: comments.map(commentView),
});
