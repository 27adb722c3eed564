import type { Recipe } from './credential-recipe.ts';

/** The request that the examples of a webhook send. */
export interface ExampleRequest {
  /** With the query that the platform itself puts there. */
  url: string;
  contentType: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  recipe: Recipe;
}

/** Environment variable from which examples take the secret, so that it is in no shell history and no file. */
export const SECRET_VARIABLE = 'TOCSIN_WEBHOOK_SECRET';

export const needsSecret = ({ kind }: Recipe): boolean => kind !== 'open' && kind !== 'vendor';

/** What Splunk On-Call signs: the address, then key and value of each form field, sorted by key. */
export function urlFormText({ url, body }: Pick<ExampleRequest, 'url' | 'body'>): string {
  const pairs = [...new URLSearchParams(body)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return url + pairs.map(([name, value]) => name + value).join('');
}
