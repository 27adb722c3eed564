import { setTimeout as pause } from 'node:timers/promises';
import type { WebhookDocument } from '@tocsin/contracts';
import { Problem, type ConfigurationFeed, type KeyRing } from '@tocsin/nest-shell';
import { connectorIdOfSlug, knownSlugs } from './platforms.ts';

/** Longest wait for the feed to catch up with a webhook that was made a moment ago (architecture §7). */
const CATCH_UP_MS = 1_000;
/** The feed reads at most every 200 ms; after this pause it reads again for whoever asks. */
const FEED_GAP_MS = 250;
/** Body bytes that requests for unknown webhooks may hold while they wait; beyond it they are told to come back. */
const HELD_BYTES_MAX = 16 * 1024 * 1024;
const MAX_TOKEN_CHARACTERS = 200;
const CACHED_TOKENS_MAX = 50_000;

type Find = () => WebhookDocument | undefined;

/** Finds webhooks in memory, from the configuration feed. An unknown one waits for the feed before it is a 404. */
export class WebhookDirectory {
  private readonly hmacs = new Map<string, string>();
  private heldBytes = 0;
  private nextRead: Promise<void> | undefined;

  constructor(
    private readonly feed: ConfigurationFeed,
    private readonly keyRing: Pick<KeyRing, 'pepperedHmac'>,
    private readonly clock: () => Date,
  ) {}

  /** The webhook of a path token. @throws Problem `unknown-webhook`, or `unavailable` before the first configuration */
  byToken(token: string, bodyBytes: number): WebhookDocument | Promise<WebhookDocument> {
    if (token.length > MAX_TOKEN_CHARACTERS) throw unknownWebhook();
    const cached = this.hmacs.get(token);
    const hmac = cached ?? this.keyRing.pepperedHmac(token);
    const found = this.liveByHmac(hmac);
    if (found === undefined) return this.afterCatchUp(() => this.liveByHmac(hmac), bodyBytes);
    if (cached === undefined) this.remember(token, hmac);
    return found;
  }

  /** The webhook of `/api/integrations/{slug}`, and the connector that the address names. @throws Problem also `unknown-platform` */
  async byPlatform(
    slug: string,
    webhookId: unknown,
    bodyBytes: number,
  ): Promise<{ webhook: WebhookDocument; connector: string }> {
    const connector = connectorIdOfSlug(slug);
    if (!connector)
      throw new Problem('unknown-platform', `There is no platform of this name. Known: ${knownSlugs().join(', ')}.`);
    if (typeof webhookId !== 'string' || webhookId === '') {
      throw new Problem('malformed-request', 'integrationId must name the webhook, once.', {
        errors: [
          { path: 'integrationId', code: 'required', message: 'the id of a webhook, e.g. ?integrationId=whk_…' },
        ],
      });
    }
    const find = () => enabled(this.feed.webhook(webhookId));
    return { webhook: find() ?? (await this.afterCatchUp(find, bodyBytes)), connector };
  }

  private liveByHmac(hmac: string): WebhookDocument | undefined {
    const webhook = enabled(this.feed.webhookByTokenHmac(hmac));
    if (!webhook || webhook.body.tokenHmac === hmac) return webhook;
    const now = this.clock().toISOString();
    return webhook.body.previousTokens?.some((old) => old.tokenHmac === hmac && old.notAfter > now)
      ? webhook
      : undefined;
  }

  /** Only tokens that led somewhere are kept, so that guesses cannot fill the memory. */
  private remember(token: string, hmac: string): void {
    if (this.hmacs.size >= CACHED_TOKENS_MAX) this.hmacs.clear();
    this.hmacs.set(token, hmac);
  }

  private async afterCatchUp(find: Find, bodyBytes: number): Promise<WebhookDocument> {
    if (this.heldBytes + bodyBytes > HELD_BYTES_MAX) throw comeBack('The configuration is being read; try again.');
    this.heldBytes += bodyBytes;
    const ending = new AbortController();
    try {
      const late = pause(CATCH_UP_MS, undefined, { signal: ending.signal }).catch(() => undefined);
      await Promise.race([this.catchUp(find), late]);
    } finally {
      ending.abort();
      this.heldBytes -= bodyBytes;
    }
    const webhook = find();
    if (webhook) return webhook;
    throw this.feed.loaded() ? unknownWebhook() : comeBack('The configuration is not loaded yet; try again.');
  }

  /** Resolves when the feed has been read at least once from a moment after the call, or has what is looked for. */
  private async catchUp(find: Find): Promise<void> {
    await this.feed.refresh();
    if (find()) return;
    this.nextRead ??= pause(FEED_GAP_MS).then(() => {
      this.nextRead = undefined;
      return this.feed.refresh();
    });
    await this.nextRead;
  }
}

/** A disabled webhook answers exactly as one that never was: nobody outside learns that it exists. */
const enabled = (webhook: WebhookDocument | undefined): WebhookDocument | undefined =>
  webhook && webhook.body.enabled && !webhook.deleted ? webhook : undefined;

const unknownWebhook = () => new Problem('unknown-webhook', 'There is no webhook at this address.');
const comeBack = (detail: string) => new Problem('unavailable', detail, { headers: { 'retry-after': '1' } });

/** @throws Problem `platform-mismatch` where the webhook's connector does not read what comes in at an address */
export function checkPlatform({ body: { connector } }: WebhookDocument, ofAddress: string): void {
  if (connector === ofAddress) return;
  const detail = `This webhook belongs to the platform ${connector}; this address is for ${ofAddress}.`;
  throw new Problem('platform-mismatch', detail);
}
