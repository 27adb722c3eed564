import type { SealedSecret, SubscriptionDocument } from '@tocsin/contracts';
import {
  checkCustomHeaders,
  defaultSignatures,
  DEFAULT_RETRY_SCHEDULE,
  isDisabled,
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
import { checkedUrl } from './checked-url.ts';
import type { ClaimedDelivery } from './claim-store.ts';
import { masking } from './mask-secrets.ts';
import type { AttemptLog, SettledDelivery } from './settle-store.ts';
import { vendorLink, vendorRequest, type VendorRequest } from './vendor-request.ts';

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

/** A list is replaced when one of its documents changes. */
const byId = new WeakMap<readonly SubscriptionDocument[], Map<string, SubscriptionDocument>>();

export const subscriptionOf = (
  feed: Pick<ConfigurationFeed, 'subscriptions'>,
  delivery: Pick<ClaimedDelivery, 'workspaceId' | 'subscriptionId'>,
): SubscriptionDocument | undefined => {
  const documents = feed.subscriptions(delivery.workspaceId);
  let known = byId.get(documents);
  if (!known) byId.set(documents, (known = new Map(documents.map((document) => [document.id, document]))));
  return known.get(delivery.subscriptionId);
};

/** One attempt from the claim to what becomes of the delivery; undefined when the process is going down and it must be given back. */
export async function attemptDelivery(
  delivery: ClaimedDelivery,
  parts: AttemptParts,
): Promise<SettledDelivery | undefined> {
  await parts.feed.atLeast(delivery.configRevision, CONFIGURATION_WAIT_MS);
  const subscription = subscriptionOf(parts.feed, delivery);
  const { attempts } = delivery;
  const finishedAt = parts.clock();
  if (!subscription) {
    const settled = { status: 'failed', reason: 'subscription-deleted', attempts, finishedAt } as const;
    return { delivery, attempt: null, settled, revision: delivery.configRevision };
  }
  const { revision, body } = subscription;
  const reason = idleBecause(delivery, subscription);
  if (reason && body.retainWhilePaused)
    return { delivery, attempt: null, settled: { status: 'retained', reason, attempts }, revision };
  if (reason)
    return { delivery, attempt: null, settled: { status: 'skipped-paused', reason, attempts, finishedAt }, revision };
  return send(delivery, subscription, parts);
}

/** Why nothing is sent for a subscription at the moment; a test that somebody asked for is. */
function idleBecause(
  { test, disabledRevision }: ClaimedDelivery,
  { revision, body }: SubscriptionDocument,
): 'subscription-paused' | 'subscription-disabled' | undefined {
  if (test) return undefined;
  if (!body.active) return 'subscription-paused';
  return isDisabled(disabledRevision, revision) ? 'subscription-disabled' : undefined;
}

async function send(
  delivery: ClaimedDelivery,
  subscription: SubscriptionDocument,
  parts: AttemptParts,
): Promise<SettledDelivery | undefined> {
  const startedAt = parts.clock();
  const request = prepare(delivery, subscription, parts, startedAt);
  const url = checkedUrl('refused' in request ? subscription.body.url : request.url, parts.allow);
  let response: OutboundResponse;
  if (!url.ok) response = { kind: 'no-response', reason: 'url-not-allowed', error: url.message };
  else if ('refused' in request) response = { kind: 'no-response', ...request.refused };
  else {
    const timeoutMs = subscription.body.timeoutSeconds * 1000;
    response = await parts.sender.send({ url: url.url, headers: request.headers, body: request.body, timeoutMs });
  }
  if (response.kind === 'given-back') return undefined;
  const attempt = logOf(delivery.attempts + 1, response, { startedAt, finishedAt: parts.clock() });
  if (!('refused' in request)) hideSecrets(attempt, request);
  const finishedAt = parts.clock();
  const asked = response.kind === 'response' ? retryAfterSeconds(response.headers['retry-after'], finishedAt) : null;
  const settled = settleAttempt(
    {
      ...{ number: attempt.number, reason: attempt.reason, responseStatus: attempt.responseStatus, finishedAt },
      ...{ retryAfterSeconds: asked, before: delivery.attemptsBase },
    },
    scheduleOf(delivery, subscription),
    attempt.reason === 'delivered' ? 0 : parts.random(), // jitter of the next one: there is none
  );
  const { template } = subscription.body;
  const link =
    template && settled.status === 'delivered' && response.kind === 'response'
      ? vendorLink(template, delivery.body, response.body)
      : undefined;
  return {
    ...{ delivery, attempt, settled, revision: subscription.revision, retryAfterSeconds: asked },
    ...(link ? { externalLink: link } : {}),
  };
}

/** A test is tried once: who asked for it is waiting. */
function scheduleOf({ test }: ClaimedDelivery, { body }: SubscriptionDocument): readonly number[] {
  if (test) return [0];
  return body.retrySchedule.length > 0 ? body.retrySchedule : DEFAULT_RETRY_SCHEDULE;
}

/** What is sent, and what of it may not be seen. */
interface Request {
  url: string;
  headers: Record<string, string>;
  body: string;
  customNames: string[];
  secrets: string[];
}
type Prepared = Request | { refused: { reason: AttemptReason; error: string } };

/** The log shows the request without its secrets; a receiver that echoes them does not bring them in either. */
function hideSecrets(attempt: AttemptLog, { headers, customNames, secrets }: Request): void {
  attempt.requestHeaders = maskRequestHeaders(headers, customNames);
  const mask = masking(secrets);
  if (attempt.responseBody !== null) attempt.responseBody = mask(attempt.responseBody);
  if (attempt.responseHeaders)
    attempt.responseHeaders = Object.fromEntries(
      Object.entries(attempt.responseHeaders).map(([name, value]) => [name, mask(value)]),
    );
}

function prepare(
  delivery: ClaimedDelivery,
  subscription: SubscriptionDocument,
  parts: AttemptParts,
  now: Date,
): Prepared {
  const opened = openSecrets(subscription, delivery, parts, now);
  if (!opened)
    return {
      refused: {
        reason: 'secret-unreadable',
        error: 'a secret of the subscription cannot be opened with the key ring of this process',
      },
    };
  const { request } = opened;
  const wrong = checkCustomHeaders(opened.headers) ?? checkCustomHeaders(request.headers);
  if (wrong)
    return { refused: { reason: 'header-not-allowed', error: `custom header "${wrong.name}": ${wrong.message}` } };
  const headers = requestHeaders({
    ...{
      eventId: delivery.eventId,
      eventType: delivery.eventType,
      deliveryId: delivery.id,
      attempt: delivery.attempts + 1,
    },
    ...{ sequence: delivery.sequence, body: request.body, timestamp: Math.floor(now.getTime() / 1000) },
    contentType: delivery.contentType,
    contentHeaders: delivery.contentHeaders,
    signing: {
      schemes: subscription.body.signatures ?? defaultSignatures,
      secrets: opened.secrets,
      signingKeys: opened.signingKeys,
    },
    customHeaders: [...request.headers, ...opened.headers], // what somebody set goes before what the template sets
    test: delivery.test,
    userAgent: subscription.body.userAgent ?? parts.userAgent,
  });
  const custom = [...request.headers, ...opened.headers];
  return {
    ...{ url: request.url, body: request.body, headers, customNames: custom.map(({ name }) => name) },
    secrets: [...opened.secrets, ...opened.headers.map(({ value }) => value), ...request.secrets],
  };
}

interface OpenedSecrets {
  secrets: string[];
  signingKeys: string[];
  headers: { name: string; value: string }[];
  request: VendorRequest;
}

const liveSecrets = (secrets: readonly SealedSecret[], now: Date): SealedSecret[] =>
  secrets
    .filter(({ notAfter }) => notAfter === null || new Date(notAfter) > now)
    .sort((a, b) => Number(a.notAfter !== null) - Number(b.notAfter !== null));

/** Live secrets, the current one first, and custom headers in the clear. Undefined when the key ring cannot open one of them. */
function openSecrets(
  { id, workspaceId, body }: SubscriptionDocument,
  delivery: Pick<ClaimedDelivery, 'body'>,
  { feed, keyRing }: AttemptParts,
  now: Date,
): OpenedSecrets | undefined {
  const workspace = feed.workspace(workspaceId);
  if (!workspace) return undefined;
  const open = (secrets: readonly SealedSecret[] = []): string[] =>
    liveSecrets(secrets, now).map(({ sealed }) => keyRing.open(workspace, id, sealed));
  try {
    const request = body.template
      ? vendorRequest(body.template, delivery.body, (sealed) => keyRing.open(workspace, id, sealed))
      : { url: body.url, headers: [], body: delivery.body, secrets: [] };
    return (
      request && {
        request,
        secrets: open(body.secrets),
        signingKeys: open(body.signingKeys),
        headers: body.headers.map(({ name, sealed }) => ({ name, value: keyRing.open(workspace, id, sealed) })),
      }
    );
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
