import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, params, Problem, Scopes } from '@tocsin/nest-shell';
import { SubscriptionPath } from './delivery-pages.ts';
import { SUBSCRIPTION_COMMANDS, type Selection, type SubscriptionCommands } from './subscription-commands.ts';
import { RedeliverDeliveries, TestSubscription } from './subscription-commands.dto.ts';

/** Trying a receiver, asking how it does, and sending it things again. */
@Controller('api/v1/subscriptions/:id')
@UseGuards(ApiKeyGuard)
export class SubscriptionCommandsController {
  constructor(@Inject(SUBSCRIPTION_COMMANDS) private readonly commands: SubscriptionCommands) {}

  @Post('test')
  @HttpCode(200)
  @Scopes('admin')
  test(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id }: SubscriptionPath,
    @Body(body(TestSubscription)) { event_type: eventType, data }: TestSubscription,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return this.commands.test(workspaceId, id, { eventType, data, idempotencyKey });
  }

  @Get('health')
  @Scopes('read')
  health(@CallerOf() { workspaceId }: Caller, @Param(params(SubscriptionPath)) { id }: SubscriptionPath) {
    return this.commands.health(workspaceId, id);
  }

  @Post('redeliver')
  @HttpCode(202)
  @Scopes('respond')
  redeliver(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id }: SubscriptionPath,
    @Body(body(RedeliverDeliveries)) asked: RedeliverDeliveries,
  ) {
    return this.commands.redeliverMany(workspaceId, id, selectionOf(asked));
  }
}

/** @throws Problem validation-failed where nothing says which deliveries: everything at once is not meant */
function selectionOf({ limit, ...asked }: RedeliverDeliveries): Selection {
  if (Object.values(asked).every((value) => value === undefined))
    throw new Problem('validation-failed', 'Say which deliveries: delivery_ids, or at least one filter.', {
      errors: [{ path: 'delivery_ids', code: 'ids-or-filter', message: 'give delivery_ids, from, to, status, …' }],
    });
  return {
    ids: asked.delivery_ids,
    from: asked.from === undefined ? undefined : new Date(asked.from),
    to: asked.to === undefined ? undefined : new Date(asked.to),
    ...{ status: asked.status, eventType: asked.event_type, incidentId: asked.incident_id },
    ...{ neverAttempted: asked.never_attempted, limit },
  };
}
