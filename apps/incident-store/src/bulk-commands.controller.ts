import { Body, Controller, Headers, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, body, CallerOf, Problem, Scopes, type Caller } from '@tocsin/nest-shell';
import { idempotencyKeyOf } from './command-headers.ts';
import { notFound, type IncidentCommands, type PersonCommand } from './incident-commands.ts';
import { BulkCommand } from './incident.dto.ts';
import { INCIDENT_COMMANDS } from './tokens.ts';

/** What became of the command on one incident. */
type BulkResult =
  { id: string; ok: true; status: string; version: number } | { id: string; ok: false; code: string; detail: string };

/** One command on up to 500 incidents, each in a transaction of its own: what is refused for one does not hold up the others. */
@Controller('api/v1/incidents/bulk')
@UseGuards(ApiKeyGuard)
export class BulkCommandsController {
  constructor(@Inject(INCIDENT_COMMANDS) private readonly commands: IncidentCommands) {}

  @Post()
  @HttpCode(200)
  @Scopes('respond')
  async run(
    @CallerOf() caller: Caller,
    @Headers('idempotency-key') key: string | undefined,
    @Body(body(BulkCommand)) input: BulkCommand,
  ): Promise<{ results: BulkResult[] }> {
    const idempotencyKey = idempotencyKeyOf(key);
    const results: BulkResult[] = [];
    for (const id of input.ids) results.push(await this.one(caller, id, commandOf(input), idempotencyKey));
    return { results };
  }

  private async one(
    caller: Caller,
    incidentId: string,
    command: PersonCommand,
    idempotencyKey: string | undefined,
  ): Promise<BulkResult> {
    try {
      if (!isId('inc', incidentId)) throw notFound(incidentId);
      const request = { incidentId, command, caller, idempotencyKey, expectedVersion: undefined };
      const { incident } = await this.commands.run(request);
      return { id: incidentId, ok: true, status: incident.status, version: incident.version };
    } catch (error) {
      if (error instanceof Problem) return { id: incidentId, ok: false, code: error.code, detail: error.message };
      throw error; // the database is away: what was done stays done, and a repeat under the same key does it once
    }
  }
}

function commandOf({ command, note = undefined, until = '', assignee = null, text = '' }: BulkCommand): PersonCommand {
  const said = note ?? null;
  switch (command) {
    case 'snooze':
      return { kind: command, until: new Date(until).toISOString(), note: said };
    case 'assign':
      return { kind: command, assignee };
    case 'comment':
      return { kind: command, text };
    default:
      return { kind: command, note: said };
  }
}
