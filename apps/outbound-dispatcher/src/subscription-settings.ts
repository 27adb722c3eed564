import type { SubscriptionDocument } from '@tocsin/contracts';
import type { ConfigurationFeed } from '@tocsin/nest-shell';

/** What a worker must know of a subscription before it claims anything for it. */
export interface EndpointSettings {
  workspaceId: string;
  revision: number;
  active: boolean;
  retains: boolean;
  timeoutMs: number;
  maxInFlight: number | null;
  maxPerSecond: number | null;
  disableAfterDays: number | null;
}

const settingsOf = ({ workspaceId, revision, body }: SubscriptionDocument): EndpointSettings => ({
  ...{ workspaceId, revision, active: body.active, retains: body.retainWhilePaused === true },
  ...{
    timeoutMs: body.timeoutSeconds * 1000,
    maxInFlight: body.maxInFlight ?? null,
    maxPerSecond: body.maxPerSecond ?? null,
  },
  disableAfterDays: body.disableAfterDays ?? null,
});

/** Settings by subscription id, read anew after each change of the configuration. Undefined where it was deleted. */
export function endpointSettings(
  feed: Pick<ConfigurationFeed, 'allSubscriptions' | 'revision'>,
): (subscriptionId: string) => EndpointSettings | undefined {
  let known: Map<string, EndpointSettings> = new Map();
  let of: number | undefined;
  return (id) => {
    if (of !== feed.revision()) {
      of = feed.revision();
      known = new Map(feed.allSubscriptions().map((document) => [document.id, settingsOf(document)]));
    }
    return known.get(id);
  };
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LEASE_MARGIN_MS = 15_000;

/** How long a claim holds: the timeout of an attempt, and what it may wait before. */
export const leaseMsOf = (settings: EndpointSettings | undefined): number =>
  (settings?.timeoutMs ?? DEFAULT_TIMEOUT_MS) + LEASE_MARGIN_MS;
