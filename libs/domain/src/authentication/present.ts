import type { CredentialRule } from './credentials.ts';
import { algorithmsOf, digestFor } from './signatures.ts';

/** What a sender would send along: for Setup, test requests and specs. */
export interface PresentedCredential {
  headers: Record<string, string>;
  query: Record<string, string>;
}

export interface Presenter {
  secret: string;
  body: Uint8Array;
  /** Milliseconds since the epoch. */
  now: number;
  /** The webhook's address as its sender has it. */
  url: string;
}

/**
 * A good credential for a rule, as its platform would show it. Undefined where only the vendor can make one.
 * Header names are lower case.
 */
export function presentCredential(
  { check }: CredentialRule,
  { secret, body, now, url }: Presenter,
): PresentedCredential | undefined {
  const how = check.kind === 'vendor' ? check.otherwise : check;
  const inHeader = (header: string, value: string) => ({ headers: { [header]: value }, query: {} });
  switch (how.kind) {
    case 'open':
      return { headers: {}, query: {} };
    case 'refuse':
      return undefined;
    case 'header': {
      const [{ header, prefix } = { header: 'authorization', prefix: '' }] = how.carriers;
      return inHeader(header, `${wordAsWritten(prefix)}${secret}`);
    }
    case 'basic': {
      const name = how.username === null ? 'tocsin' : Buffer.from(how.username).toString('utf8');
      return inHeader(how.header, `Basic ${Buffer.from(`${name}:${secret}`, 'utf8').toString('base64')}`);
    }
    case 'query':
      return { headers: {}, query: { [how.parameters[0] ?? 'token']: secret } };
    case 'signature':
      return signature(how, { secret, body, now, url });
    default:
      return how satisfies never;
  }
}

function signature(
  { schemes: [scheme], timestampHeader }: Extract<CredentialRule['check'], { kind: 'signature' }>,
  { secret, body, now, url }: Presenter,
): PresentedCredential | undefined {
  const header = scheme?.headers[0];
  if (!scheme || header === undefined) return undefined;
  const inSignature = scheme.signs === 'digest-timestamp';
  const timeHeader = timestampHeader ?? scheme.timestampHeader;
  const time = inSignature || timeHeader !== undefined ? String(Math.floor(now / 1_000)) : undefined;
  const algorithm = algorithmsOf(scheme)[0] ?? 'sha256';
  const digest = digestFor(scheme, algorithm, Buffer.from(secret, 'utf8'), { body, time, url }).toString(
    scheme.encoding ?? 'hex',
  );
  const value = inSignature ? `t=${time},v1=${digest}` : `${dressOf(header)}${digest}`;
  return {
    headers: { [header]: value, ...(timeHeader === undefined || time === undefined ? {} : { [timeHeader]: time }) },
    query: {},
  };
}

/** What stands before the digest where a platform's header has a fixed form. */
const DRESS: Readonly<Record<string, string>> = {
  'x-hub-signature': 'sha256=',
  'x-hub-signature-256': 'sha256=',
  'x-pagerduty-signature': 'v1=',
};

/** What stands before the digest in a signature header; '' where it is bare. */
export const dressOf = (header: string): string => DRESS[header] ?? '';

const WORDS: Readonly<Record<string, string>> = {
  'bearer ': 'Bearer ',
  'geniekey ': 'GenieKey ',
  'api-token ': 'Api-Token ',
};
/** The word before a secret as its platform writes it; rules keep it in lower case. */
export const wordAsWritten = (prefix: string): string => WORDS[prefix] ?? prefix;
