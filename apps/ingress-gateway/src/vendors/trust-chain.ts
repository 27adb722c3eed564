import { X509Certificate } from 'node:crypto';
import type { Fetched } from './fetched.ts';

const CHAIN_MAX = 5;
const KNOWN_MAX = 64;
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** Where Amazon's certificate authority keeps what issued a certificate; SNS sends its leaf alone. */
const ISSUER_HOST = /^crt\.[a-z0-9]{1,32}\.amazontrust\.com$/;

/** The certificates of a PEM file in their order. Throws for text that holds none. */
export function certificatesIn(pem: Buffer): X509Certificate[] {
  const found = pem.toString('latin1').match(PEM) ?? [];
  if (found.length === 0 || found.length > CHAIN_MAX) throw new TypeError('not a certificate file');
  return found.map((text) => new X509Certificate(text));
}

const inTime = (certificate: X509Certificate, now: number): boolean =>
  Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
const issued = (issuer: X509Certificate, certificate: X509Certificate): boolean =>
  issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);

/** Decides whether a certificate leads to a trusted root, with every link signed, in time and allowed to sign certificates. */
export class TrustChain {
  /** Leaves that led to a root, and until when each of their links is valid. */
  private readonly known = new Map<string, number>();

  constructor(
    private readonly roots: () => readonly X509Certificate[],
    private readonly issuers: Fetched<X509Certificate>,
  ) {}

  /** @throws VendorAway where a missing link cannot be read */
  async trusts(certificates: readonly X509Certificate[], now: number): Promise<boolean> {
    const [leaf, ...others] = certificates;
    if (!leaf || !inTime(leaf, now)) return false;
    const until = this.known.get(leaf.fingerprint256);
    if (until !== undefined && now < until) return true;
    const links = await this.linksOf(leaf, others, now);
    if (!links) return false;
    if (this.known.size >= KNOWN_MAX) this.known.clear();
    this.known.set(leaf.fingerprint256, Math.min(...links.map(({ validTo }) => Date.parse(validTo))));
    return true;
  }

  private async linksOf(leaf: X509Certificate, others: readonly X509Certificate[], now: number) {
    const links = [leaf];
    for (let current = leaf; links.length <= CHAIN_MAX;) {
      const root = this.roots().find((candidate) => inTime(candidate, now) && issued(candidate, current));
      if (root) return [...links, root];
      const next = others.find((candidate) => issued(candidate, current)) ?? (await this.issuerOf(current));
      if (!next || !inTime(next, now) || !issued(next, current) || links.includes(next)) return undefined;
      links.push(next);
      current = next;
    }
    return undefined;
  }

  private async issuerOf(certificate: X509Certificate): Promise<X509Certificate | undefined> {
    const text = /^CA Issuers - URI:(\S+)$/m.exec(certificate.infoAccess ?? '')?.[1];
    const url = text === undefined ? null : URL.parse(text);
    // Plain http is how issuers are published; what comes back must carry the signature all the same.
    if (!url || !ISSUER_HOST.test(url.host) || !['http:', 'https:'].includes(url.protocol)) return undefined;
    return this.issuers.get(url);
  }
}
