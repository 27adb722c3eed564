import { Controller, Get, Header, Inject, Param, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, params, Scopes } from '@tocsin/nest-shell';
import { IdPath } from '../fields.ts';
import { WEBHOOK_SETUP } from '../tokens.ts';
import type { WebhookSetup } from './webhook-setup.ts';

@Controller('api/v1/webhooks')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class WebhookSetupController {
  constructor(@Inject(WEBHOOK_SETUP) private readonly setup: WebhookSetup) {}

  /** Holds the address of the webhook, which is no credential but nobody else's business: never cached. */
  @Get(':id/setup')
  @Header('cache-control', 'no-store')
  of(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.setup.of(caller.workspaceId, id);
  }
}
