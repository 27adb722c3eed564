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
import {
  ApiKeyGuard,
  type Caller,
  CallerOf,
  Scopes,
  SHELL_CONFIG,
  type ShellConfig,
  body,
  params,
  query,
} from '@tocsin/nest-shell';
import { IdPath, revisionOf } from './fields.ts';
import { PageQuery, pageOf } from './pages.ts';
import { RevisionTag } from './revision-tag.ts';
import { WEBHOOKS } from './tokens.ts';
import { triggerUrl, webhookView } from './views.ts';
import { CreateWebhook, RotateCredential, UpdateWebhook } from './webhook.dto.ts';
import type { Changed, NewCredentials, Webhooks } from './webhooks.ts';
import type { WebhookRow } from './entities.ts';

@Controller('api/v1/webhooks')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class WebhooksController {
  constructor(
    @Inject(WEBHOOKS) private readonly webhooks: Webhooks,
    @Inject(SHELL_CONFIG) private readonly shell: ShellConfig,
  ) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(PageQuery)) page: PageQuery) {
    return pageOf(await this.webhooks.list(caller.workspaceId, page), webhookView(this.shell.publicUrl));
  }

  @Post()
  async create(@CallerOf() caller: Caller, @Body(body(CreateWebhook)) input: CreateWebhook) {
    const made = await this.webhooks.create(caller.workspaceId, input);
    return this.answer(made);
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.answer({ row: await this.webhooks.get(caller.workspaceId, id), shown: {} });
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateWebhook)) input: UpdateWebhook,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.answer(await this.webhooks.update(caller.workspaceId, id, input, revisionOf(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.webhooks.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }

  @Post(':id/rotate')
  @HttpCode(200)
  async rotate(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(RotateCredential)) input: RotateCredential,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.answer(await this.webhooks.rotate(caller.workspaceId, id, input, revisionOf(ifMatch)));
  }

  /** For senders that were locked out after wrong credentials: every gateway forgets what it counted until now. */
  @Post(':id/unlock')
  @HttpCode(200)
  async unlock(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.answer({ row: await this.webhooks.unlock(caller.workspaceId, id), shown: {} });
  }

  /** The view, and what is shown this once: a new token with its address, a new secret. */
  private answer({ row, shown }: Changed<WebhookRow, NewCredentials>) {
    const { publicUrl } = this.shell;
    const address = shown.token === undefined ? {} : { url: triggerUrl(publicUrl, shown.token), token: shown.token };
    return {
      ...webhookView(publicUrl)(row),
      ...address,
      ...(shown.secret === undefined ? {} : { secret: shown.secret }),
    };
  }
}
