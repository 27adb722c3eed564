import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params, query } from '@tocsin/nest-shell';
import type { SubscriptionRow } from './entities.ts';
import { IdPath, revisionOf } from './fields.ts';
import { PageQuery, pageOf } from './pages.ts';
import { RevisionTag } from './revision-tag.ts';
import { CreateSubscription, RotateSubscriptionSecret, UpdateSubscription } from './subscription.dto.ts';
import type { Subscriptions } from './subscriptions.ts';
import { SUBSCRIPTIONS } from './tokens.ts';
import { subscriptionView } from './views.ts';
import type { Changed } from './webhooks.ts';

@Controller('api/v1/subscriptions')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class SubscriptionsController {
  constructor(@Inject(SUBSCRIPTIONS) private readonly subscriptions: Subscriptions) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(PageQuery)) page: PageQuery) {
    return pageOf(await this.subscriptions.list(caller.workspaceId, page), subscriptionView);
  }

  @Post()
  async create(@CallerOf() caller: Caller, @Body(body(CreateSubscription)) input: CreateSubscription) {
    const made = await this.subscriptions.create(caller.workspaceId, input);
    return answer(made);
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return answer({ row: await this.subscriptions.get(caller.workspaceId, id), shown: {} });
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateSubscription)) input: UpdateSubscription,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return answer(await this.subscriptions.update(caller.workspaceId, id, input, revisionOf(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.subscriptions.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  async rotate(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(RotateSubscriptionSecret)) input: RotateSubscriptionSecret,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return answer(await this.subscriptions.rotate(caller.workspaceId, id, input, revisionOf(ifMatch)));
  }
}

function answer({ row, shown }: Changed<SubscriptionRow, { secret?: string }>) {
  return { ...subscriptionView(row), ...shown };
}
