import type { AuthMethod } from '@tocsin/contracts';

export type DigestAlgorithm = 'sha256' | 'sha1';

/** How a platform signs with a secret that both sides know. Plain data, so that it also serves the docs and Setup. */
export interface SignatureScheme {
  /** Lower-case names; the first header that is there counts. */
  readonly headers: readonly string[];
  /** Any of them may fit; default SHA-256. */
  readonly algorithms?: readonly DigestAlgorithm[];
  /** Default hex: bare, `sha256=` hex, or a comma list of `v1=` hex. */
  readonly encoding?: 'hex' | 'base64';
  /**
   * What is signed; default the raw body.
   * `digest-timestamp`: base64(SHA-256(body)) `:` t `:v1` with `t=` from the signature header (Grafana Incident).
   * `url-form`: the address as the sender knows it, then key and value of each form field, sorted by key (Splunk On-Call).
   */
  readonly signs?: 'body' | 'digest-timestamp' | 'url-form';
  /** Where this header is there, `<its value>:<body>` is signed instead of the body, and the value (Unix seconds) must be fresh. */
  readonly timestampHeader?: string;
  /** How far a signed time may be from ours, both ways. Default 300. */
  readonly toleranceSeconds?: number;
}

/** A key in a header, behind an optional word (`GenieKey`, `Api-Token`). */
export interface KeyHeader {
  /** Lower case. */
  readonly header: string;
  readonly prefix?: string;
}

/** Schemes whose key belongs to the vendor: verified against something fetched from the vendor, so never on the synchronous path. */
export type VendorScheme =
  /** Signed in the body with the vendor's certificate; what is not an SNS message shows the API key instead (EventBridge). */
  | { readonly kind: 'sns' }
  /** `Signature`: base64 RSA-SHA1 over the `payload` form field, with the key that Travis CI publishes. */
  | { readonly kind: 'travis' }
  /** `Authorization: Bearer <JWT>` of a Google service account (Pub/Sub push) or of Microsoft Entra ID (secure webhook). */
  | { readonly kind: 'jwt'; readonly provider: 'google' | 'entra' };

/** How the senders of a platform can prove who they are. The method of a webhook can be switched to any other all the same. */
export interface ConnectorAuth {
  readonly default: AuthMethod;
  readonly also: readonly AuthMethod[];
  /** Where the signature is looked for when it is the usual one (SHA-256, hex, raw body); lower case, the first that is there counts. */
  readonly signatureHeaders?: readonly string[];
  /** Signatures of another kind; where given, `signatureHeaders` is only for the docs. */
  readonly signatures?: readonly SignatureScheme[];
  /** Where the API key is when the webhook names no header; `X-API-Key` and `Api-Key` are read as well. */
  readonly apiKey?: KeyHeader;
  /** Headers that carry the bare secret (GitLab, Honeycomb); read beside the usual header under bearer, api_key and vendor. */
  readonly secretHeaders?: readonly string[];
  /** Names of the query parameter that carries the secret; default `token` and `auth_token`. */
  readonly queryParameters?: readonly string[];
  readonly vendor?: VendorScheme;
}

/** Whether method `vendor` means something for a platform: a scheme of its own, a signature, or a header of its own. */
export const hasVendorScheme = ({ vendor, signatures, signatureHeaders, secretHeaders }: ConnectorAuth): boolean =>
  vendor !== undefined || signatures !== undefined || signatureHeaders !== undefined || secretHeaders !== undefined;

/**
 * Whether a webhook of this method keeps a secret that its senders must know. The vendor's own key does for `travis` and
 * `jwt`; SNS has one for what comes beside it (EventBridge).
 */
export const needsSecret = (method: AuthMethod, connector: Pick<ConnectorAuth, 'vendor'>): boolean =>
  method !== 'none' && !(method === 'vendor' && connector.vendor !== undefined && connector.vendor.kind !== 'sns');
