import { createVerify, X509Certificate } from 'node:crypto';
import type { Authentication } from '@tocsin/domain/authentication';
import {
  SNS_TIME_WINDOW_MS,
  snsConfirmationUrl,
  snsHost,
  snsStringToSign,
  type SnsMessage,
} from '@tocsin/domain/authentication';
import { Fetched } from './fetched.ts';
import { certificatesIn, TrustChain } from './trust-chain.ts';
import { VendorAway, type VendorFetch } from './vendor-fetch.ts';

const CERTIFICATE_KEPT_MS = 24 * 3_600_000;

/** Verifies messages of Amazon SNS: where the certificate is, who issued it, whom it is for, and what it signed. */
export class SnsVerifier {
  private readonly certificates: Fetched<X509Certificate[]>;
  private readonly chain: TrustChain;

  constructor(
    private readonly fetch: VendorFetch,
    roots: () => readonly X509Certificate[],
    private readonly now: () => number,
  ) {
    this.certificates = new Fetched(fetch, certificatesIn, CERTIFICATE_KEPT_MS, now);
    this.chain = new TrustChain(roots, new Fetched(fetch, (der) => new X509Certificate(der), CERTIFICATE_KEPT_MS, now));
  }

  /** @throws VendorAway where the certificate cannot be read now */
  async verify(message: SnsMessage): Promise<Authentication> {
    const now = this.now();
    const age = now - message.sentAt;
    if (age > SNS_TIME_WINDOW_MS.past || age < -SNS_TIME_WINDOW_MS.future)
      return { ok: false, reason: 'credential-stale' };
    const certificates = await this.certificates.get(message.certificateUrl);
    const [leaf] = certificates ?? [];
    if (!certificates || !leaf || !isForSns(leaf, message.region) || !(await this.chain.trusts(certificates, now))) {
      return { ok: false, reason: 'vendor-key-refused' };
    }
    const signed = createVerify(message.algorithm)
      .update(snsStringToSign(message), 'utf8')
      .verify(leaf.publicKey, message.signature);
    return signed ? { ok: true } : { ok: false, reason: 'credential-wrong' };
  }

  /**
   * Confirms the subscription of a verified message, at an address built from its topic and token.
   * @throws VendorAway where SNS does not take it, so that it sends the message again
   */
  async confirm(message: SnsMessage): Promise<void> {
    const url = snsConfirmationUrl(message);
    if (!url) throw new VendorAway('the message holds no token of a subscription');
    const { status } = await this.fetch(url).catch((error: unknown) => {
      throw new VendorAway(`${url.host} does not answer`, { cause: error });
    });
    if (status !== 200) throw new VendorAway(`${url.host} answered ${status} to a confirmation`);
  }
}

const isForSns = (leaf: X509Certificate, region: string): boolean =>
  ['sns.amazonaws.com', 'sns.amazonaws.com.cn', snsHost(region)].some((name) => leaf.checkHost(name) !== undefined);
