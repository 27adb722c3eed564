import { Body, Controller, Headers, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, body, CallerOf, Scopes, type Caller } from '@tocsin/nest-shell';
import { idempotencyKeyOf, versionOf } from '../command-headers.ts';
import { notFound } from '../command-problems.ts';
import { ERASE_INCIDENT } from '../tokens.ts';
import { EraseIncidentBody } from './erase.dto.ts';
import type { EraseIncident } from './erase-incident.ts';

/** Personal data can be taken out of an incident. */
@Controller('api/v1/incidents')
@UseGuards(ApiKeyGuard)
export class IncidentErasuresController {
  constructor(@Inject(ERASE_INCIDENT) private readonly erasing: EraseIncident) {}

  @Post(':id/erase')
  @HttpCode(200)
  @Scopes('admin')
  async erase(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers() asked: Record<string, string | undefined>,
    @Body(body(EraseIncidentBody))
    { versions, note = null }: Omit<EraseIncidentBody, 'note'> & { note?: string | null },
  ) {
    if (!isId('inc', id)) throw notFound(id);
    const expectedVersion = versionOf(asked['if-match']);
    const idempotencyKey = idempotencyKeyOf(asked['idempotency-key']);
    const asking = { incidentId: id, caller, idempotencyKey, expectedVersion };
    const { incident, events, erased } = await this.erasing.run({ ...asking, versions, note });
    return { ...incident, events, erased_versions: erased };
  }
}
