import type { SubscriptionDocument } from '@tocsin/contracts';
import { type ConfigurationFeed, Problem } from '@tocsin/nest-shell';
import { subscriptionOf } from './attempt-delivery.ts';

/** A subscription of the workspace; a new one may not have reached this process yet. @throws Problem not-found */
export async function knownSubscription(
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'refresh'>,
  workspaceId: string,
  subscriptionId: string,
): Promise<SubscriptionDocument> {
  const found = await latestSubscription(feed, workspaceId, subscriptionId);
  if (found) return found;
  throw new Problem('not-found', 'There is no such subscription.');
}

export async function latestSubscription(
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'refresh'>,
  workspaceId: string,
  subscriptionId: string,
): Promise<SubscriptionDocument | undefined> {
  const known = subscriptionOf(feed, { workspaceId, subscriptionId });
  if (known) return known;
  await feed.refresh();
  return subscriptionOf(feed, { workspaceId, subscriptionId });
}
