import type { Payload } from '../compile.ts';
import type { BodyText } from './body-text.ts';

/** More fields than any sender has; what comes after them is left out. */
const MAX_FIELDS = 1_000;
/** `__proto__` as a field would be lost silently in an object literal and is never a field of a sender. */
const REFUSED = new Set(['__proto__']);
/** Credentials in the address; the gateway keeps them out of a receipt already. */
const CREDENTIALS = /^(?:token|auth_token|integrationid)$/i;

const boundaryOf = (contentType: string): string | undefined =>
  /^\s*multipart\/form-data\b.*?;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i
    .exec(contentType)
    ?.slice(1)
    .find(Boolean);

/**
 * Whether a body is a form: what its content type says, unless it looks like JSON (curl's default type is a form's); and a body of an
 * unsaid or wrong type that begins like a form.
 */
export function isForm({ contentType }: Payload, { text }: BodyText): boolean {
  if (contentType !== null && /^\s*multipart\/form-data\b/i.test(contentType)) return true;
  return /^\s*[\w.%+*[\]-]{1,100}=/.test(text);
}

/** The fields of a form, url-encoded or multipart. Of a field that comes twice the first one counts. */
export function formFieldsOf({ contentType }: Payload, { text }: BodyText): Record<string, string> {
  const boundary = contentType === null ? undefined : boundaryOf(contentType);
  return collect(boundary === undefined ? urlEncoded(text) : multipart(text, boundary));
}

/** The parameters of an address without the credentials. */
export function queryFieldsOf(query: string): Record<string, string> {
  const fields = collect(urlEncoded(query));
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !CREDENTIALS.test(name)));
}

function collect(pairs: Iterable<readonly [string, string]>): Record<string, string> {
  const fields: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of pairs) {
    if (count >= MAX_FIELDS) break;
    count += 1;
    if (name !== '' && !REFUSED.has(name) && !Object.hasOwn(fields, name)) fields[name] = value;
  }
  return fields;
}

const urlEncoded = (text: string): Iterable<readonly [string, string]> => new URLSearchParams(text.trim());

/** Text parts only; a part with a file name is a file and left out. */
function* multipart(text: string, boundary: string): Generator<readonly [string, string]> {
  const parts = text.split(`--${boundary}`, MAX_FIELDS + 2).slice(1);
  for (const part of parts) {
    if (part.startsWith('--')) return;
    const [, head, value] = /^\r?\n((?:[^\r\n]+\r?\n)*)\r?\n([^]*)$/.exec(part) ?? [];
    const name = head === undefined ? undefined : /;\s*name="([^"]*)"/i.exec(head)?.[1];
    if (name === undefined || value === undefined || /;\s*filename\*?=/i.test(head ?? '')) continue;
    yield [name, value.replace(/\r?\n$/, '')];
  }
}
