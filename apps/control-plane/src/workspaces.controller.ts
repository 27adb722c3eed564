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
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params, query } from '@tocsin/nest-shell';
import { CreateWorkspace, UpdateWorkspace } from './access.dto.ts';
import type { Workspaces } from './access.ts';
import { IdPath, revisionOf } from './fields.ts';
import { PageQuery, pageOf } from './pages.ts';
import { RevisionTag } from './revision-tag.ts';
import { WORKSPACES } from './tokens.ts';
import { apiKeyView, workspaceView } from './views.ts';

@Controller('api/v1/workspaces')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class WorkspacesController {
  constructor(@Inject(WORKSPACES) private readonly workspaces: Workspaces) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(PageQuery)) page: PageQuery) {
    return pageOf(await this.workspaces.list(caller.workspaceId, page), workspaceView);
  }

  /** Answers with the new workspace's first API key: keys are bound to their workspace, so the caller's cannot reach it. */
  @Post()
  async create(@Body(body(CreateWorkspace)) input: CreateWorkspace) {
    const { workspace, apiKey, key } = await this.workspaces.create(input);
    return { ...workspaceView(workspace), api_key: { ...apiKeyView(apiKey), key } };
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    const row = await this.workspaces.get(caller.workspaceId, id);
    return workspaceView(row);
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateWorkspace)) input: UpdateWorkspace,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    const row = await this.workspaces.update(caller.workspaceId, id, input, revisionOf(ifMatch));
    return workspaceView(row);
  }
}
