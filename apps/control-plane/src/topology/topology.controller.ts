import { Body, Controller, Get, Headers, Inject, Patch, Put, UseGuards, UseInterceptors } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body } from '@tocsin/nest-shell';
import { revisionOf } from '../fields.ts';
import { RevisionTag } from '../revision-tag.ts';
import { TOPOLOGIES } from '../tokens.ts';
import type { Topologies } from './topologies.ts';
import { PatchTopology, PutTopology } from './topology.dto.ts';

/** The services of a workspace and their dependencies, as a whole. */
@Controller('api/v1/topology')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class TopologyController {
  constructor(@Inject(TOPOLOGIES) private readonly topologies: Topologies) {}

  @Get()
  @Scopes('read')
  read(@CallerOf() caller: Caller) {
    return this.topologies.read(caller.workspaceId);
  }

  @Put()
  replace(
    @CallerOf() caller: Caller,
    @Body(body(PutTopology)) input: PutTopology,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.topologies.replace(caller.workspaceId, input, revisionOf(ifMatch));
  }

  @Patch()
  patch(
    @CallerOf() caller: Caller,
    @Body(body(PatchTopology)) input: PatchTopology,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.topologies.patch(caller.workspaceId, input, revisionOf(ifMatch));
  }
}
