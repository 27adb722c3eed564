import type { SealedSecret, WebhookDocument } from '@tocsin/contracts';
import { credentialRuleOf, type CredentialRule, type LiveSecret } from '@tocsin/domain/authentication';
import { Problem, type ConfigurationFeed, type KeyRing, type Logger } from '@tocsin/nest-shell';
import type { BodyKinds } from './body.ts';
import { bodyKindsOf, connectorAuthOf, deliveryHeadersOf, listKeyOf, retriesOn429 } from './platforms.ts';

/** Everything about a webhook that a request needs and that does not depend on the request. */
export interface IntakeRule {
  credential: CredentialRule;
  /** What held before the method was changed, until it ends (milliseconds since the epoch). */
  previous: { credential: CredentialRule; notAfter: number } | undefined;
  /** Lower-case names of the headers, and names of the query parameters, that may carry a credential: never stored. */
  secretHeaders: readonly string[];
  secretParameters: readonly string[];
  kinds: BodyKinds;
  retriesOn429: boolean;
  listKey: Uint8Array;
  deliveryHeaders: readonly string[];
}

/**
 * Works out a webhook's rule once per document revision. The opened secrets live as long as the document: a newer revision
 * replaces the object on the feed, and the old rule goes with it.
 */
export class IntakeRules {
  private readonly rules = new WeakMap<WebhookDocument, IntakeRule>();

  constructor(
    private readonly feed: Pick<ConfigurationFeed, 'workspace'>,
    private readonly keyRing: Pick<KeyRing, 'open'>,
    private readonly log: Logger,
  ) {}

  /** @throws Problem `unavailable` while not one secret of the webhook can be opened */
  of(webhook: WebhookDocument): IntakeRule {
    return this.rules.get(webhook) ?? this.make(webhook);
  }

  private make(webhook: WebhookDocument): IntakeRule {
    const { connector, auth, secrets, previousAuth } = webhook.body;
    const credential = credentialRuleOf(connectorAuthOf(connector), auth, this.opened(webhook, secrets));
    const previous = previousAuth && this.previousOf(webhook, previousAuth);
    const rules = previous ? [credential, previous.credential] : [credential];
    const rule: IntakeRule = {
      credential,
      previous,
      secretHeaders: rules.flatMap(({ headers }) => headers),
      secretParameters: rules.flatMap(({ parameters }) => parameters),
      kinds: bodyKindsOf(connector),
      retriesOn429: retriesOn429(connector),
      listKey: listKeyOf(connector),
      deliveryHeaders: deliveryHeadersOf(connector),
    };
    this.rules.set(webhook, rule);
    return rule;
  }

  private previousOf(
    webhook: WebhookDocument,
    { auth, secrets, notAfter }: NonNullable<WebhookDocument['body']['previousAuth']>,
  ) {
    const credential = credentialRuleOf(connectorAuthOf(webhook.body.connector), auth, this.opened(webhook, secrets));
    return { credential, notAfter: Date.parse(notAfter) };
  }

  private opened(webhook: WebhookDocument, secrets: readonly SealedSecret[]): LiveSecret[] {
    const opened = secrets.map((secret) => this.open(webhook, secret)).filter((secret) => secret !== null);
    if (opened.length === 0 && secrets.length > 0) {
      throw new Problem('unavailable', 'The credential of this webhook cannot be checked now; try again.', {
        headers: { 'retry-after': '5' },
      });
    }
    return opened;
  }

  private open(webhook: WebhookDocument, { id, sealed, notAfter }: SealedSecret): LiveSecret | null {
    const workspace = this.feed.workspace(webhook.workspaceId);
    try {
      if (!workspace) throw new Error('the workspace is not on the configuration feed');
      return {
        bytes: Buffer.from(this.keyRing.open(workspace, webhook.id, sealed), 'utf8'),
        notAfter: notAfter === null ? null : Date.parse(notAfter),
      };
    } catch (error) {
      // One unreadable secret of a rotation must not shut out the senders that use the other.
      this.log.error(
        { webhookId: webhook.id, secretId: id, revision: webhook.revision, err: error },
        'secret.unreadable',
      );
      return null;
    }
  }
}
