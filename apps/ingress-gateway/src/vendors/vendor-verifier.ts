import type { X509Certificate } from 'node:crypto';
import type { WebhookDocument } from '@tocsin/contracts';
import {
  check,
  looksLikeSns,
  snsMessageOf,
  type Attempt,
  type Authentication,
  type CredentialRule,
} from '@tocsin/domain/authentication';
import { Problem, type Logger } from '@tocsin/nest-shell';
import { CAPS } from '../body.ts';
import { parseWithin } from './parse-within.ts';
import { SnsVerifier } from './sns-verifier.ts';
import { SubjectPins, type PinSubject } from './subject-pins.ts';
import { TokenVerifier } from './token-verifier.ts';
import { TravisVerifier } from './travis-verifier.ts';
import { VendorAway, type VendorFetch } from './vendor-fetch.ts';

export interface VendorParts {
  fetch: VendorFetch;
  roots: () => readonly X509Certificate[];
  pin: PinSubject;
  now: () => number;
  log: Logger;
}

type VendorCheck = Extract<CredentialRule['check'], { kind: 'vendor' }>;

/** What a vendor's scheme is checked for. */
export interface VendorAttempt extends Attempt {
  webhook: WebhookDocument;
  /** Addresses under which this installation offers the webhook: the default audience of a token. */
  audiences: string[];
}

const NOT_ALLOWED: Authentication = { ok: false, reason: 'subject-not-allowed' };
const MALFORMED: Authentication = { ok: false, reason: 'credential-malformed' };

/** The schemes whose keys are the vendor's. Their keys are read over the network, so this is never on the way of other webhooks. */
export class VendorVerifier {
  private readonly sns: SnsVerifier;
  private readonly travis: TravisVerifier;
  private readonly tokens: TokenVerifier;
  private readonly pins: SubjectPins;

  constructor(private readonly parts: VendorParts) {
    const { fetch, roots, pin, now } = parts;
    this.sns = new SnsVerifier(fetch, roots, now);
    this.travis = new TravisVerifier(fetch, now);
    this.tokens = new TokenVerifier(fetch, now);
    this.pins = new SubjectPins(pin);
  }

  /** @throws Problem `unavailable` where the vendor, or the memory of whom it may speak for, cannot be asked now */
  async verify(what: VendorCheck, rule: CredentialRule, attempt: VendorAttempt): Promise<Authentication> {
    try {
      switch (what.scheme.kind) {
        case 'sns':
          return await this.verifySns(what, rule, attempt);
        case 'travis': {
          const { authentication, repository } = await this.travis.verify(attempt);
          return await this.about(attempt.webhook, repository, authentication);
        }
        case 'jwt': {
          const { auth } = attempt.webhook.body;
          const audiences = auth.audience ? [auth.audience] : attempt.audiences;
          const { authentication, subject } = await this.tokens.verify(what.scheme.provider, auth, audiences, attempt);
          return await this.about(attempt.webhook, subject, authentication);
        }
      }
    } catch (error) {
      if (!(error instanceof VendorAway)) throw error;
      this.parts.log.warn({ webhookId: attempt.webhook.id, err: error }, 'vendor.away');
      throw new Problem('unavailable', 'The credential cannot be checked now; send it again.', {
        headers: { 'retry-after': '5' },
      });
    }
  }

  private async about(
    webhook: WebhookDocument,
    subject: string,
    authentication: Authentication,
  ): Promise<Authentication> {
    return authentication.ok && !(await this.pins.allows(webhook, subject)) ? NOT_ALLOWED : authentication;
  }

  private async verifySns(what: VendorCheck, rule: CredentialRule, attempt: VendorAttempt): Promise<Authentication> {
    const value = parseWithin(attempt.bodies.at(-1) ?? new Uint8Array(), CAPS);
    // What is no message of SNS came another way (EventBridge, raw delivery) and shows what the webhook asks for there.
    if (!looksLikeSns(value)) return check(what.otherwise, rule.secrets, attempt);
    const message = snsMessageOf(value);
    if (!message) return MALFORMED;
    const result = await this.about(attempt.webhook, message.topicArn, await this.sns.verify(message));
    if (result.ok && message.type === 'SubscriptionConfirmation') {
      await this.sns.confirm(message);
      this.parts.log.info({ webhookId: attempt.webhook.id, topic: message.topicArn }, 'subscription.confirmed');
    }
    return result;
  }
}
