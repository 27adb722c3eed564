import { Body, Controller, Headers, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, body, CallerOf, Scopes, type Caller } from '@tocsin/nest-shell';
import type { Asking } from './command-causes.ts';
import { idempotencyKeyOf, versionOf } from './command-headers.ts';
import { invalidField, notFound } from './command-problems.ts';
import type { MergeIncidents } from './merge-incidents.ts';
import type { MoveAlertsCommand } from './move-alerts.ts';
import type { MoveAnswer } from './move-answers.ts';
import { MergeIncidentsBody, MoveAlertsBody } from './moves.dto.ts';
import { MERGE_INCIDENTS, MOVE_ALERTS } from './tokens.ts';

type Asked = Record<string, string | undefined>;

/** Commands that touch several incidents at once. */
@Controller('api/v1/incidents')
@UseGuards(ApiKeyGuard)
export class IncidentMovesController {
  constructor(
    @Inject(MERGE_INCIDENTS) private readonly merging: MergeIncidents,
    @Inject(MOVE_ALERTS) private readonly moving: MoveAlertsCommand,
  ) {}

  @Post(':id/merge')
  @HttpCode(200)
  @Scopes('respond')
  async merge(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(MergeIncidentsBody)) { into, ids, note }: MergeIncidentsBody,
  ) {
    if ((into === undefined) === (ids === undefined)) throw invalidField('into', 'one-of', 'give either into or ids');
    for (const other of ids ?? [into]) if (!isId('inc', other ?? '')) throw notFound(other ?? '');
    return shown(await this.merging.run({ ...askingOf(caller, id, asked), into, ids: ids ?? [], note: note ?? null }));
  }

  @Post(':id/move-alerts')
  @HttpCode(200)
  @Scopes('respond')
  async move(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Asked,
    @Body(body(MoveAlertsBody)) { alert_ids: alertIds, into, title, severity, note }: MoveAlertsBody,
  ) {
    if (into !== undefined && !isId('inc', into)) throw notFound(into);
    if (into !== undefined && (title ?? severity) !== undefined)
      throw invalidField(title === undefined ? 'severity' : 'title', 'not-applicable', 'belongs to a new incident');
    const asking = askingOf(caller, id, asked);
    return shown(await this.moving.run({ ...asking, alertIds, into, title, severity, note: note ?? null }));
  }
}

function askingOf(caller: Caller, incidentId: string, asked: Asked): Asking {
  if (!isId('inc', incidentId)) throw notFound(incidentId);
  const expectedVersion = versionOf(asked['if-match']);
  return { incidentId, caller, idempotencyKey: idempotencyKeyOf(asked['idempotency-key']), expectedVersion };
}

const shown = ({ incident, events, related }: MoveAnswer) => ({ ...incident, events, related });
