import type { SubscriptionDocument } from '@tocsin/contracts';
import { isDisabled } from '@tocsin/domain/delivery';
import { type Clock, type ConfigurationFeed, Problem, type Random } from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { endpointHealth, type HealthView } from './endpoint-health.ts';
import { disabledRevisions } from './endpoint-store.ts';
import { findDelivery, type DeliveryView } from './delivery-log.ts';
import { knownSubscription } from './known-subscription.ts';
import { redeliverMany, redeliverOne, type Wanted } from './redeliver.ts';
import { sendTest, type TestAsked } from './send-test.ts';

export const SUBSCRIPTION_COMMANDS = Symbol('SUBSCRIPTION_COMMANDS');

export interface CommandParts {
  pool: Pool;
  restPool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'refresh'>;
  clock: Clock;
  random: Random;
  drainPerSecond: number;
  wake: (subscriptionIds: Iterable<string>) => void;
}

export type Selection = Omit<Wanted, 'workspaceId' | 'subscriptionId' | 'perSecond' | 'now'>;

/** What people ask of a subscription's deliveries. */
export class SubscriptionCommands {
  constructor(private readonly parts: CommandParts) {}

  async test(workspaceId: string, subscriptionId: string, asked: TestAsked): Promise<DeliveryView> {
    return sendTest(await knownSubscription(this.parts.feed, workspaceId, subscriptionId), asked, this.parts);
  }

  async health(workspaceId: string, subscriptionId: string): Promise<HealthView> {
    const subscription = await knownSubscription(this.parts.feed, workspaceId, subscriptionId);
    return endpointHealth(this.parts.restPool, subscription, this.parts.clock());
  }

  async redeliverOne(workspaceId: string, subscriptionId: string, id: string): Promise<DeliveryView> {
    const { pipeline, restPool, clock, wake } = this.parts;
    await this.mustSend(workspaceId, subscriptionId);
    const done = await redeliverOne(pipeline, { workspaceId, subscriptionId, id, now: clock() });
    if (done === 'erased')
      throw new Problem('conflict', 'Personal data of its incident was erased, and with it the body of this delivery.');
    const found = done === 'not-found' ? undefined : await findDelivery(restPool, workspaceId, id);
    if (!found) throw new Problem('not-found', 'There is no such delivery.');
    wake([subscriptionId]);
    return found;
  }

  async redeliverMany(workspaceId: string, subscriptionId: string, selection: Selection) {
    const { pipeline, clock, wake, drainPerSecond } = this.parts;
    const { body } = await this.mustSend(workspaceId, subscriptionId);
    const perSecond = body.maxPerSecond ?? drainPerSecond;
    const done = await redeliverMany(pipeline, { ...selection, workspaceId, subscriptionId, perSecond, now: clock() });
    wake([subscriptionId]);
    return { ...done, per_second: perSecond };
  }

  /** @throws Problem not-found, conflict where nothing would be sent */
  private async mustSend(workspaceId: string, subscriptionId: string): Promise<SubscriptionDocument> {
    const { feed } = this.parts;
    const known = await knownSubscription(feed, workspaceId, subscriptionId);
    if (known.body.delivery === 'pull')
      throw new Problem('conflict', 'Events of this subscription are fetched: read its feed with an older cursor.');
    if (await this.isSending(known)) return known;
    await feed.refresh(); // that it is active again may not have reached this process yet
    const latest = await knownSubscription(feed, workspaceId, subscriptionId);
    if (await this.isSending(latest)) return latest;
    throw new Problem('conflict', 'The subscription is paused or disabled; make it active first ({"active": true}).');
  }

  private async isSending({ id, body, revision }: SubscriptionDocument): Promise<boolean> {
    if (!body.active) return false;
    return !isDisabled((await disabledRevisions(this.parts.pool)).get(id) ?? null, revision);
  }
}
