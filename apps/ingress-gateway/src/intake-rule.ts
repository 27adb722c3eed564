import type { SealedSecret, WebhookDocument } from '@tocsin/contracts';
import { credentialRuleOf, type CredentialRule, type LiveSecret } from '@tocsin/domain/authentication';
import { Problem, type ConfigurationFeed, type KeyRing, type Logger } from '@tocsin/nest-shell';
import { connectorAuthOf, deliveryHeadersOf, listKeyOf } from './platforms.ts';

/** Everything about a webhook that a request needs and that does not depend on the request. */
export interface IntakeRule {
  credential: CredentialRule;
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
    const { connector, auth } = webhook.body;
    const rule: IntakeRule = {
      credential: credentialRuleOf(connectorAuthOf(connector), auth, this.opened(webhook)),
      listKey: listKeyOf(connector),
      deliveryHeaders: deliveryHeadersOf(connector),
    };
    this.rules.set(webhook, rule);
    return rule;
  }

  private opened(webhook: WebhookDocument): LiveSecret[] {
    const { secrets } = webhook.body;
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
