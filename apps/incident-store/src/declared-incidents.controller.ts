import { Body, Controller, Headers, HttpCode, Inject, Post, Res, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, CallerOf, Scopes, type Caller } from '@tocsin/nest-shell';
import type { FastifyReply } from 'fastify';
import { idempotencyKeyOf } from './command-headers.ts';
import { customFieldsOf } from './custom-fields.ts';
import { DeclareIncidentBody } from './declare.dto.ts';
import type { DeclareIncident, DeclareRequest } from './declare-incident.ts';
import { DECLARE_INCIDENT } from './tokens.ts';

/** Incidents that people open by hand. */
@Controller('api/v1/incidents')
@UseGuards(ApiKeyGuard)
export class DeclaredIncidentsController {
  constructor(@Inject(DECLARE_INCIDENT) private readonly declaring: DeclareIncident) {}

  @Post()
  @HttpCode(201)
  @Scopes('respond')
  async open(
    @CallerOf() caller: Caller,
    @Headers('idempotency-key') key: string | undefined,
    @Body(body(DeclareIncidentBody)) input: DeclareIncidentBody,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const request = { caller, idempotencyKey: idempotencyKeyOf(key), draft: draftOf(input) };
    const { incident, events } = await this.declaring.run(request);
    void reply.header('etag', `"${incident.version}"`).header('location', `/api/v1/incidents/${incident.id}`);
    return { ...incident, events };
  }
}

const draftOf = (input: DeclareIncidentBody): DeclareRequest['draft'] => ({
  title: input.title,
  description: input.description ?? '',
  severity: input.severity ?? 'medium',
  priority: input.priority ?? null,
  services: input.services ?? [],
  tags: input.tags ?? [],
  source: input.source ?? null,
  connector: null,
  webhook_id: null,
  url: input.url ?? null,
  incident_type: input.incident_type ?? null,
  custom_fields: customFieldsOf(input.custom_fields ?? {}),
  assignee: input.assignee ?? null,
});
