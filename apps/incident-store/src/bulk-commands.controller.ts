import { Body, Controller, Headers, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, body, CallerOf, Problem, Scopes, type Caller } from '@tocsin/nest-shell';
import type { Asking } from './command-causes.ts';
import { idempotencyKeyOf } from './command-headers.ts';
import { notFound } from './command-problems.ts';
import type { IncidentCommands, PersonCommand } from './incident-commands.ts';
import { BulkCommand, given } from './incident.dto.ts';
import type { MergeIncidents } from './merge-incidents.ts';
import { INCIDENT_COMMANDS, MERGE_INCIDENTS } from './tokens.ts';

/** What became of the command on one incident. */
type BulkResult =
  { id: string; ok: true; status: string; version: number } | { id: string; ok: false; code: string; detail: string };

/** One command on up to 500 incidents, each decided by itself: what is refused for one does not hold up the others. */
@Controller('api/v1/incidents/bulk')
@UseGuards(ApiKeyGuard)
export class BulkCommandsController {
  constructor(
    @Inject(INCIDENT_COMMANDS) private readonly commands: IncidentCommands,
    @Inject(MERGE_INCIDENTS) private readonly merging: MergeIncidents,
  ) {}

  @Post()
  @HttpCode(200)
  @Scopes('respond')
  async run(
    @CallerOf() caller: Caller,
    @Headers('idempotency-key') key: string | undefined,
    @Body(body(BulkCommand)) input: BulkCommand,
  ): Promise<{ results: BulkResult[] }> {
    const idempotencyKey = idempotencyKeyOf(key);
    if (input.into !== undefined && !isId('inc', input.into)) throw notFound(input.into);
    const askings = input.ids.map((incidentId) => ({ incidentId, caller, idempotencyKey, expectedVersion: undefined }));
    // Merges write the same incident; all others share transactions.
    if (input.command !== 'merge') return { results: await Promise.all(askings.map((one) => this.one(one, input))) };
    const results: BulkResult[] = [];
    for (const asking of askings) results.push(await this.one(asking, input));
    return { results };
  }

  private async one(asking: Asking, input: BulkCommand): Promise<BulkResult> {
    const { incidentId } = asking;
    try {
      if (!isId('inc', incidentId)) throw notFound(incidentId);
      const { incident } = await (input.command === 'merge'
        ? this.merging.run({ ...asking, into: input.into, ids: [], note: input.note ?? null })
        : this.commands.run({ ...asking, command: commandOf(input) }));
      return { id: incidentId, ok: true, status: incident.status, version: incident.version };
    } catch (error) {
      if (error instanceof Problem) return { id: incidentId, ok: false, code: error.code, detail: error.message };
      throw error; // the database is away: what was done stays done, and a repeat under the same key does it once
    }
  }
}

function commandOf({ command, note, until = '', assignee = null, text = '', fields = {} }: BulkCommand): PersonCommand {
  const said = note ?? null;
  switch (command) {
    case 'snooze':
      return { kind: command, until: new Date(until).toISOString(), note: said };
    case 'assign':
      return { kind: command, assignee };
    case 'comment':
      return { kind: command, text };
    case 'edit': {
      const { severity, ...others } = fields;
      return { kind: command, fields: given(others), severity };
    }
    case 'merge':
      throw new Error('a merge is no command on one incident');
    default:
      return { kind: command, note: said };
  }
}
