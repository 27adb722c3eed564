import {
  type CredentialRule,
  type DigestAlgorithm,
  dressOf,
  type SynchronousCheck,
  wordAsWritten,
} from '@tocsin/domain/authentication';

/** What is signed, in the order in which it is joined by colons; `url-form` is a text of its own. */
export type SignedText = 'body' | 'time-body' | 'digest-time' | 'url-form';

export interface Signing {
  header: string;
  /** What stands before the digest. */
  dress: string;
  /** Header with the time in Unix seconds; null = none, or the time stands in the signature header. */
  timeHeader: string | null;
  algorithm: DigestAlgorithm;
  encoding: 'hex' | 'base64';
  signs: SignedText;
}

/** How a sender shows the credential of one webhook. `vendor`: only the platform itself can. */
export type Recipe =
  | { kind: 'open' }
  | { kind: 'header'; header: string; prefix: string }
  | { kind: 'basic'; header: string; username: string }
  | { kind: 'query'; parameter: string }
  | ({ kind: 'signature' } & Signing)
  | { kind: 'vendor' };

export function recipeOf({ check }: Pick<CredentialRule, 'check'>): Recipe {
  const how: SynchronousCheck = check.kind === 'vendor' ? check.otherwise : check;
  switch (how.kind) {
    case 'open':
      return { kind: 'open' };
    case 'refuse':
      return { kind: 'vendor' };
    case 'header': {
      const [{ header, prefix } = { header: 'authorization', prefix: 'bearer ' }] = how.carriers;
      return { kind: 'header', header: titleCase(header), prefix: wordAsWritten(prefix) };
    }
    case 'basic': {
      const username = how.username === null ? 'tocsin' : Buffer.from(how.username).toString('utf8');
      return { kind: 'basic', header: titleCase(how.header), username };
    }
    case 'query':
      return { kind: 'query', parameter: how.parameters[0] ?? 'token' };
    case 'signature':
      return signingOf(how);
    default:
      return how satisfies never;
  }
}

function signingOf({ schemes: [scheme], timestampHeader }: Extract<SynchronousCheck, { kind: 'signature' }>): Recipe {
  const header = scheme?.headers[0];
  if (!scheme || header === undefined) return { kind: 'vendor' };
  // A time that the platform may leave out is left out here too, unless this webhook asks for it.
  const timeHeader = timestampHeader ?? null;
  const own = scheme.signs ?? 'body';
  const signs: SignedText =
    own === 'digest-timestamp' ? 'digest-time' : own === 'url-form' ? own : timeHeader === null ? 'body' : 'time-body';
  return {
    kind: 'signature',
    header: titleCase(header),
    dress: dressOf(header),
    timeHeader: timeHeader === null ? null : titleCase(timeHeader),
    algorithm: scheme.algorithms?.[0] ?? 'sha256',
    encoding: scheme.encoding ?? 'hex',
    signs,
  };
}

/** Header names are read in any case; people know them like this. */
export const titleCase = (header: string): string => header.replaceAll(/(^|-)([a-z])/g, (part) => part.toUpperCase());

type Variable = 'secret' | 'credential' | 'time' | 'signature';
export type Part = { text: string } | { variable: Variable };
export interface Shown {
  name: string;
  value: readonly Part[];
}

/** Headers and query parameters that carry the credential, with its changing parts as variables. */
export function shownBy(recipe: Recipe): { headers: readonly Shown[]; query: readonly Shown[] } {
  const inHeader = (name: string, ...value: Part[]) => ({ headers: [{ name, value }], query: [] });
  switch (recipe.kind) {
    case 'open':
    case 'vendor':
      return { headers: [], query: [] };
    case 'header':
      return inHeader(recipe.header, { text: recipe.prefix }, { variable: 'secret' });
    case 'basic':
      return inHeader(recipe.header, { text: 'Basic ' }, { variable: 'credential' });
    case 'query':
      return { headers: [], query: [{ name: recipe.parameter, value: [{ variable: 'secret' }] }] };
    case 'signature':
      return { headers: signatureHeaders(recipe), query: [] };
    default:
      return recipe satisfies never;
  }
}

function signatureHeaders({ header, dress, timeHeader, signs }: Signing): Shown[] {
  const inside: Part[] = signs === 'digest-time' ? [{ text: 't=' }, { variable: 'time' }, { text: ',v1=' }] : [];
  const value: Part[] = [...inside, { text: dress }, { variable: 'signature' }];
  const time: Shown[] = timeHeader === null ? [] : [{ name: timeHeader, value: [{ variable: 'time' }] }];
  return [{ name: header, value: value.filter((part) => !('text' in part) || part.text !== '') }, ...time];
}

export const isTimed = (recipe: Recipe): boolean =>
  recipe.kind === 'signature' && (recipe.signs === 'time-body' || recipe.signs === 'digest-time');
