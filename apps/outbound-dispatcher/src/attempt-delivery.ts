import type { SealedSecret, SubscriptionDocument } from '@tocsin/contracts';
import {
  checkCustomHeaders,
  checkUrl,
  defaultSignatures,
  DEFAULT_RETRY_SCHEDULE,
  maskRequestHeaders,
  maskResponseHeaders,
  reasonOfStatus,
  requestHeaders,
  retryAfterSeconds,
  settleAttempt,
  type AllowList,
  type AttemptReason,
} from '@tocsin/domain/delivery';
import type { OutboundResponse, Sender } from '@tocsin/egress';
import type { ConfigurationFeed, KeyRing } from '@tocsin/nest-shell';
import type { ClaimedDelivery } from './claim-store.ts';
import type { AttemptLog, SettledDelivery } from './settle-store.ts';

export interface AttemptParts {
  feed: Pick<ConfigurationFeed, 'subscriptions' | 'workspace' | 'atLeast'>;
  keyRing: Pick<KeyRing, 'open'>;
  sender: Pick<Sender, 'send'>;
  allow: AllowList;
  clock(): Date;
  /** 0 ≤ r < 1 */
  random(): number;
  userAgent: string;
}

/** A worker whose configuration is older than the delivery waits this long for it, then uses what it has. */
const CONFIGURATION_WAIT_MS = 10_000;

export const subscriptionOf = (
  feed: Pick<ConfigurationFeed, 'subscriptions'>,
  delivery: Pick<ClaimedDelivery, 'workspaceId' | 'subscriptionId'>,
): SubscriptionDocument | undefined =>
  feed.subscriptions(delivery.workspaceId).find(({ id }) => id === delivery.subscriptionId);

/** One attempt from the claim to what becomes of the delivery; undefined when the process is going down and it must be given back. */
export async function attemptDelivery(
  delivery: ClaimedDelivery,
  parts: AttemptParts,
): Promise<SettledDelivery | undefined> {
  await parts.feed.atLeast(delivery.configRevision, CONFIGURATION_WAIT_MS);
  const subscription = subscriptionOf(parts.feed, delivery);
  const unsent = { attempts: delivery.attempts, finishedAt: parts.clock() };
  if (!subscription)
    return { delivery, attempt: null, settled: { status: 'failed', reason: 'subscription-deleted', ...unsent } };
  if (!subscription.body.active) {
    return { delivery, attempt: null, settled: { status: 'skipped-paused', reason: 'subscription-paused', ...unsent } };
  }
  return send(delivery, subscription, parts);
}

async function send(
  delivery: ClaimedDelivery,
  subscription: SubscriptionDocument,
  parts: AttemptParts,
): Promise<SettledDelivery | undefined> {
  const startedAt = parts.clock();
  const request = prepare(delivery, subscription, parts, startedAt);
  const url = checkUrl(subscription.body.url, parts.allow);
  let response: OutboundResponse;
  if (!url.ok) response = { kind: 'no-response', reason: 'url-not-allowed', error: url.message };
  else if ('refused' in request) response = { kind: 'no-response', ...request.refused };
  else {
    const timeoutMs = subscription.body.timeoutSeconds * 1000;
    response = await parts.sender.send({ url: url.url, headers: request.headers, body: delivery.body, timeoutMs });
  }
  if (response.kind === 'given-back') return undefined;
  const attempt = logOf(delivery.attempts + 1, response, { startedAt, finishedAt: parts.clock() });
  attempt.requestHeaders = 'refused' in request ? {} : maskRequestHeaders(request.headers, request.customNames);
  const schedule =
    subscription.body.retrySchedule.length > 0 ? subscription.body.retrySchedule : DEFAULT_RETRY_SCHEDULE;
  const finishedAt = parts.clock();
  const settled = settleAttempt(
    {
      ...{ number: attempt.number, reason: attempt.reason, responseStatus: attempt.responseStatus, finishedAt },
      retryAfterSeconds:
        response.kind === 'response' ? retryAfterSeconds(response.headers['retry-after'], finishedAt) : null,
    },
    schedule,
    parts.random(),
  );
  return { delivery, attempt, settled };
}

type Prepared =
  { headers: Record<string, string>; customNames: string[] } | { refused: { reason: AttemptReason; error: string } };

function prepare(
  delivery: ClaimedDelivery,
  subscription: SubscriptionDocument,
  parts: AttemptParts,
  now: Date,
): Prepared {
  const opened = openSecrets(subscription, parts, now);
  if (!opened)
    return {
      refused: {
        reason: 'secret-unreadable',
        error: 'a secret of the subscription cannot be opened with the key ring of this process',
      },
    };
  const wrong = checkCustomHeaders(opened.headers);
  if (wrong)
    return { refused: { reason: 'header-not-allowed', error: `custom header "${wrong.name}": ${wrong.message}` } };
  const headers = requestHeaders({
    ...{
      eventId: delivery.eventId,
      eventType: delivery.eventType,
      deliveryId: delivery.id,
      attempt: delivery.attempts + 1,
    },
    ...{ sequence: delivery.sequence, body: delivery.body, timestamp: Math.floor(now.getTime() / 1000) },
    contentType: delivery.contentType,
    contentHeaders: delivery.contentHeaders,
    signing: {
      schemes: subscription.body.signatures ?? defaultSignatures,
      secrets: opened.secrets,
      signingKeys: opened.signingKeys,
    },
    customHeaders: opened.headers,
    userAgent: subscription.body.userAgent ?? parts.userAgent,
  });
  return { headers, customNames: opened.headers.map(({ name }) => name) };
}

interface OpenedSecrets {
  secrets: string[];
  signingKeys: string[];
  headers: { name: string; value: string }[];
}

const liveSecrets = (secrets: readonly SealedSecret[], now: Date): SealedSecret[] =>
  secrets
    .filter(({ notAfter }) => notAfter === null || new Date(notAfter) > now)
    .sort((a, b) => Number(a.notAfter !== null) - Number(b.notAfter !== null));

/** Live secrets, the current one first, and custom headers in the clear. Undefined when the key ring cannot open one of them. */
function openSecrets(
  { id, workspaceId, body }: SubscriptionDocument,
  { feed, keyRing }: AttemptParts,
  now: Date,
): OpenedSecrets | undefined {
  const workspace = feed.workspace(workspaceId);
  if (!workspace) return undefined;
  const open = (secrets: readonly SealedSecret[] = []): string[] =>
    liveSecrets(secrets, now).map(({ sealed }) => keyRing.open(workspace, id, sealed));
  try {
    return {
      secrets: open(body.secrets),
      signingKeys: open(body.signingKeys),
      headers: body.headers.map(({ name, sealed }) => ({ name, value: keyRing.open(workspace, id, sealed) })),
    };
  } catch {
    return undefined; // the caller says so in the attempt; the error itself may not be shown
  }
}

function logOf(
  number: number,
  response: Exclude<OutboundResponse, { kind: 'given-back' }>,
  { startedAt, finishedAt }: { startedAt: Date; finishedAt: Date },
): AttemptLog {
  const common = {
    number,
    startedAt,
    durationMs: Math.max(0, finishedAt.getTime() - startedAt.getTime()),
    requestHeaders: {},
  };
  if (response.kind === 'no-response') {
    const nothing = { responseStatus: null, responseHeaders: null, responseBody: null, responseTruncated: false };
    return { ...common, ...nothing, reason: response.reason, error: response.error };
  }
  return {
    ...common,
    reason: reasonOfStatus(response.status),
    error: null,
    responseStatus: response.status,
    responseHeaders: maskResponseHeaders(response.headers),
    responseBody: response.body,
    responseTruncated: response.truncated,
  };
}
