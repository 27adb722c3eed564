import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params, query } from '@tocsin/nest-shell';
import { IdPath } from '../fields.ts';
import { TOPOLOGIES } from '../tokens.ts';
import type { Topologies } from './topologies.ts';
import { ListServices, UpdateService } from './topology.dto.ts';

/** Services: those that alerts have named, and those that people have declared. */
@Controller('api/v1/services')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class ServicesController {
  constructor(@Inject(TOPOLOGIES) private readonly topologies: Topologies) {}

  @Get()
  @Scopes('read')
  list(@CallerOf() caller: Caller, @Query(query(ListServices)) filter: ListServices) {
    return this.topologies.listServices(caller.workspaceId, filter);
  }

  @Get(':id')
  @Scopes('read')
  read(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.topologies.readService(caller.workspaceId, id);
  }

  @Patch(':id')
  update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateService)) input: UpdateService,
  ) {
    return this.topologies.updateService(caller.workspaceId, id, input);
  }

  @Delete(':id')
  @HttpCode(204)
  remove(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.topologies.removeService(caller.workspaceId, id);
  }
}
