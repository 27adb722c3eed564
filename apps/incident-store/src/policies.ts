import { defaultPolicy, policyOfWebhook, type AlertPolicy } from '@tocsin/domain/incident';
import type { Clock, ConfigurationFeed } from '@tocsin/nest-shell';

/** How long a batch waits for a revision that its alerts were made with; then the newest one serves. */
const REVISION_WAIT_MS = 10_000;

/** Policies of webhooks as the configuration feed has them: the revision of the alert or a newer one. */
export interface AlertPolicies {
  /** Waits until the feed is as new as these revisions, for a bounded time. */
  settle(revisions: readonly number[]): Promise<void>;
  readonly of: (webhookId: string, revision: number) => AlertPolicy;
  /** The wall clock, for what is shown as the time of settling; no decision looks at it. */
  now(): string;
}

export const alertPolicies = (feed: ConfigurationFeed, clock: Clock): AlertPolicies => ({
  async settle(revisions) {
    const newest = revisions.reduce((a, b) => Math.max(a, b), 0);
    if (feed.revision() < newest) await feed.atLeast(newest, REVISION_WAIT_MS);
  },
  of(webhookId, revision) {
    const webhook = feed.webhook(webhookId);
    return webhook ? policyOfWebhook(webhook, revision) : { ...defaultPolicy, configRevision: revision };
  },
  now: () => clock().toISOString(),
});
