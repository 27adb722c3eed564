import {
  Body,
  Controller,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Res,
  UseGuards,
} from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, body, CallerOf, query, Scopes, type Caller } from '@tocsin/nest-shell';
import type { FastifyReply } from 'fastify';
import { idempotencyKeyOf, versionOf } from './command-headers.ts';
import { notFound } from './command-problems.ts';
import type { IncidentCommands, PersonCommand } from './incident-commands.ts';
import type { IncidentQueries } from './incident-queries.ts';
import {
  AssignIncident,
  EditIncident,
  given,
  IncidentComment,
  IncidentNote,
  PageQuery,
  ReadIncident,
  SnoozeIncident,
} from './incident.dto.ts';
import { ListIncidents } from './list.dto.ts';
import { INCIDENT_COMMANDS, INCIDENT_QUERIES } from './tokens.ts';

type Asked = Record<string, string | undefined>;

/** Incidents over HTTP: reading with scope `read`, commands with scope `respond`. */
@Controller('api/v1/incidents')
@UseGuards(ApiKeyGuard)
export class IncidentsController {
  constructor(
    @Inject(INCIDENT_QUERIES) private readonly queries: IncidentQueries,
    @Inject(INCIDENT_COMMANDS) private readonly commands: IncidentCommands,
  ) {}

  @Get()
  @Scopes('read')
  list(@CallerOf() caller: Caller, @Query(query(ListIncidents)) filter: ListIncidents) {
    return this.queries.list(caller.workspaceId, filter);
  }

  @Get(':id')
  @Scopes('read')
  async read(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Query(query(ReadIncident)) { at }: ReadIncident,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (at !== undefined) return this.queries.readAt(caller.workspaceId, id, instantOf(at));
    const incident = await this.queries.read(caller.workspaceId, id);
    void reply.header('etag', `"${incident.version}"`);
    return incident;
  }

  @Get(':id/timeline')
  @Scopes('read')
  timeline(@CallerOf() caller: Caller, @Param('id') id: string, @Query(query(PageQuery)) page: PageQuery) {
    return this.queries.timeline(caller.workspaceId, id, page);
  }

  @Get(':id/audit')
  @Scopes('read')
  audit(@CallerOf() caller: Caller, @Param('id') id: string, @Query(query(PageQuery)) page: PageQuery) {
    return this.queries.audit(caller.workspaceId, id, page);
  }

  @Get(':id/alerts')
  @Scopes('read')
  alerts(@CallerOf() caller: Caller, @Param('id') id: string, @Query(query(PageQuery)) page: PageQuery) {
    return this.queries.alerts(caller.workspaceId, id, page);
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Scopes('respond')
  acknowledge(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentNote)) { note = null }: Noted,
  ) {
    return this.run(caller, id, asked, { kind: 'acknowledge', note });
  }

  @Post(':id/resolve')
  @HttpCode(200)
  @Scopes('respond')
  resolve(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentNote)) { note = null }: Noted,
  ) {
    return this.run(caller, id, asked, { kind: 'resolve', note });
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @Scopes('respond')
  reopen(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentNote)) { note = null }: Noted,
  ) {
    return this.run(caller, id, asked, { kind: 'reopen', note });
  }

  @Post(':id/snooze')
  @HttpCode(200)
  @Scopes('respond')
  snooze(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(SnoozeIncident)) { until, note }: SnoozeIncident,
  ) {
    return this.run(caller, id, asked, { kind: 'snooze', until: instantOf(until), note: note ?? null });
  }

  @Post(':id/unsnooze')
  @HttpCode(200)
  @Scopes('respond')
  unsnooze(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentNote)) { note = null }: Noted,
  ) {
    return this.run(caller, id, asked, { kind: 'unsnooze', note });
  }

  @Post(':id/suppress')
  @HttpCode(200)
  @Scopes('respond')
  suppress(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentNote)) { note = null }: Noted,
  ) {
    return this.run(caller, id, asked, { kind: 'suppress', note });
  }

  @Post(':id/assign')
  @HttpCode(200)
  @Scopes('respond')
  assign(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(AssignIncident)) { assignee }: AssignIncident,
  ) {
    return this.run(caller, id, asked, { kind: 'assign', assignee });
  }

  @Patch(':id')
  @Scopes('respond')
  edit(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(EditIncident)) { severity, ...fields }: EditIncident,
  ) {
    return this.run(caller, id, asked, { kind: 'edit', fields: given(fields), severity });
  }

  @Post(':id/comments')
  @HttpCode(201)
  @Scopes('respond')
  comment(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(IncidentComment)) { text }: IncidentComment,
  ) {
    return this.run(caller, id, asked, { kind: 'comment', text });
  }

  private async run(caller: Caller, incidentId: string, asked: Asked, command: PersonCommand) {
    if (!isId('inc', incidentId)) throw notFound(incidentId);
    const expectedVersion = versionOf(asked['if-match']);
    const idempotencyKey = idempotencyKeyOf(asked['idempotency-key']);
    const { incident, events } = await this.commands.run({
      incidentId,
      command,
      caller,
      idempotencyKey,
      expectedVersion,
    });
    return { ...incident, events };
  }
}

type Noted = { note?: string | null };

/** One form for every instant, whatever offset it was written with. */
const instantOf = (text: string): string => new Date(text).toISOString();
