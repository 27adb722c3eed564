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
import { CreateApiKey, UpdateApiKey } from './access.dto.ts';
import type { ApiKeys } from './access.ts';
import { IdPath, revisionOf } from './fields.ts';
import { PageQuery, pageOf } from './pages.ts';
import { RevisionTag } from './revision-tag.ts';
import { API_KEYS } from './tokens.ts';
import { apiKeyView } from './views.ts';

@Controller('api/v1/api-keys')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class ApiKeysController {
  constructor(@Inject(API_KEYS) private readonly apiKeys: ApiKeys) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(PageQuery)) page: PageQuery) {
    return pageOf(await this.apiKeys.list(caller.workspaceId, page), apiKeyView);
  }

  @Post()
  async create(@CallerOf() caller: Caller, @Body(body(CreateApiKey)) input: CreateApiKey) {
    const { row, shown } = await this.apiKeys.create(caller.workspaceId, input);
    return { ...apiKeyView(row), ...shown };
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    const row = await this.apiKeys.get(caller.workspaceId, id);
    return apiKeyView(row);
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateApiKey)) input: UpdateApiKey,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    const row = await this.apiKeys.update(caller.workspaceId, id, input, revisionOf(ifMatch));
    return apiKeyView(row);
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.apiKeys.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }
}
