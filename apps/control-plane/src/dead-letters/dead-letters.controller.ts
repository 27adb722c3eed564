import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Problem, Scopes, body, params, query } from '@tocsin/nest-shell';
import { IdPath } from '../fields.ts';
import { pageOf } from '../pages.ts';
import { DEAD_LETTERS } from '../tokens.ts';
import { ListDeadLetters, REDRIVE_MAX, RedriveDeadLetters } from './dead-letter.dto.ts';
import { fullLetterView, letterView } from './dead-letter-views.ts';
import type { DeadLetters, RedriveAnswer } from './dead-letters.ts';

@Controller('api/v1/dead-letters')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class DeadLettersController {
  constructor(@Inject(DEAD_LETTERS) private readonly letters: DeadLetters) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(ListDeadLetters)) asked: ListDeadLetters) {
    const { limit, cursor, webhook_id: webhookId, ...filter } = asked;
    return pageOf(await this.letters.list(caller.workspaceId, { ...filter, webhookId }, { limit, cursor }), letterView);
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return fullLetterView(await this.letters.get(caller.workspaceId, id));
  }

  @Post('redrive')
  @HttpCode(200)
  redrive(@CallerOf() caller: Caller, @Body(body(RedriveDeadLetters)) input: RedriveDeadLetters) {
    return redriveAsked(this.letters, caller, input);
  }
}

/** @throws Problem validation-failed where neither ids nor a filter is given, or both */
async function redriveAsked(
  letters: DeadLetters,
  { workspaceId, keyId }: Caller,
  { ids, limit = REDRIVE_MAX, webhook_id: webhookId, ...filter }: RedriveDeadLetters,
): Promise<RedriveAnswer> {
  const given = Object.values({ ...filter, webhookId }).some((value) => value !== undefined);
  if ((ids !== undefined) === given)
    throw new Problem('validation-failed', 'Either ids, or at least one filter: everything at once is not meant.', {
      errors: [
        { path: 'ids', code: 'ids-or-filter', message: 'give ids, or service, topic, reason, webhook_id, from, to' },
      ],
    });
  if (ids) return { items: await letters.redrive(workspaceId, keyId, ids), more: false };
  return letters.redriveMatching(workspaceId, keyId, { ...filter, webhookId }, limit);
}
