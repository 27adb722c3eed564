import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { WebhookDocument } from '@tocsin/contracts';
import { BODY_LIMIT, Problem } from '@tocsin/nest-shell';
import { JsonScanner, positionOf, type JsonFault } from '@tocsin/nest-shell';

/** Safety caps of one request (product P7). */
export const CAPS = { depth: 64, keys: 50_000, alerts: 10_000 } as const;

const STRICT_BYTES = 100 * 1024;

const scanner = new JsonScanner(CAPS);
const inflate = promisify(gunzip);

export const isPlain = (encoding: string | undefined): boolean =>
  encoding === undefined || encoding === '' || encoding === 'identity';

/**
 * The body behind its content-encoding. Only gzip is undone, and never beyond the size cap.
 * @throws Problem 415 for another encoding, 413 above the cap, 400 where it is no gzip
 */
export async function inflated(body: Buffer, encoding: string | undefined): Promise<Buffer> {
  if (isPlain(encoding)) return body;
  if (!/^(x-)?gzip$/i.test((encoding as string).trim())) {
    throw new Problem('unsupported-media-type', 'The only content-encoding that is understood is gzip.', {
      headers: { 'accept-encoding': 'gzip' },
    });
  }
  try {
    return await inflate(body, { maxOutputLength: BODY_LIMIT });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Problem('body-too-large', 'The body is larger than 1 MiB when inflated.');
    throw new Problem('malformed-body', 'The body says that it is gzip, and is not.');
  }
}

/** @throws Problem 413 above 100 KB where the webhook asks for `limits.strict` (product P7) */
export function checkSize({ body: { limits } }: WebhookDocument, body: Buffer): void {
  if (limits?.strict && body.length > STRICT_BYTES)
    throw new Problem('body-too-large', 'The body is larger than 100 KB; this webhook takes no more (limits.strict).');
}

/** Media types that can carry JSON: what says so, and what senders put on it without meaning it (curl's default among them). */
const JSON_CARRIERS =
  /^(application\/([\w.+-]+\+)?json|application\/x-www-form-urlencoded|application\/octet-stream|text\/[\w.+-]+)$/;
const FORM = /^(multipart\/form-data|application\/x-www-form-urlencoded)$/;
/** Charsets in which JSON's own characters are the bytes of ASCII; the connector decodes the rest. */
const ASCII_BASED = /^"?(utf-?8|us-ascii|ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d)"?$/;

/** What kinds of body a connector's senders send, worked out once from its declared decodings. */
export interface BodyKinds {
  /** Fields of a form, url-encoded or multipart. */
  forms: boolean;
  /** Everything in the query string, and no body. */
  query: boolean;
  /** JSON that its template broke: the connector repairs it, so it is no garbage here. */
  looseJson: boolean;
}

const mediaTypeOf = (contentType: string | undefined): string =>
  (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';

/** @throws Problem 415 for a type that the connector's senders cannot mean */
export function checkMediaType(contentType: string | undefined, kinds: BodyKinds): void {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') return;
  const type = mediaTypeOf(contentType);
  if (!JSON_CARRIERS.test(type) && !(kinds.forms && FORM.test(type)))
    throw new Problem('unsupported-media-type', 'The body must be JSON, sent as application/json.');
  for (const parameter of contentType.toLowerCase().split(';').slice(1)) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'charset' && !ASCII_BASED.test(value.trim()))
      throw new Problem('unsupported-media-type', 'The body must be encoded in UTF-8.');
  }
}

const SAID: Record<JsonFault, string> = {
  'not-json': 'Not JSON',
  'too-deep': `Nested deeper than ${CAPS.depth} levels`,
  'too-many-keys': `More than ${CAPS.keys} keys`,
};

const QUERY_ONLY = 1;

export interface BodyToCheck {
  body: Buffer;
  contentType: string | undefined;
  hasQuery: boolean;
}

/**
 * Looks through the body once, building nothing, to refuse garbage before it is accepted. Returns how many alerts it carries as far
 * as that can be told here: the elements of its list, else one.
 * @throws Problem 400 with the position, 413 for more alerts than one request may carry
 */
export function checkBody({ body, contentType, hasQuery }: BodyToCheck, kinds: BodyKinds, listKey: Uint8Array): number {
  if (kinds.query && body.length === 0 && hasQuery) return QUERY_ONLY;
  const text = withoutMark(body);
  if (kinds.forms && body.length > 0 && FORM.test(mediaTypeOf(contentType)) && !opensJson(text)) return 1;
  return checkJson(text, listKey, kinds.looseJson);
}

/** The same for a body that must be JSON. */
export function checkJson(body: Buffer, listKey: Uint8Array, loose = false): number {
  const found = scanner.scan(body, listKey);
  if (found.ok) {
    if (found.items <= CAPS.alerts) return Math.max(found.items, 1);
    throw new Problem(
      'body-too-large',
      `The body carries ${found.items} alerts; one request may carry ${CAPS.alerts}.`,
    );
  }
  if (body.length === 0) throw malformed('The body is empty; JSON is expected', body, found);
  if (loose && found.fault === 'not-json') return 1;
  throw malformed(SAID[found.fault], body, found);
}

/** A byte order mark is allowed in front of what some senders call UTF-8. */
export const withoutMark = (body: Buffer): Buffer =>
  body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? body.subarray(3) : body;

/** curl says "form" of everything: what opens as JSON is read as JSON. */
function opensJson(body: Buffer): boolean {
  let at = 0;
  while (at < body.length && (body[at] as number) <= 0x20) at += 1;
  return body[at] === 0x7b || body[at] === 0x5b;
}

function malformed(what: string, body: Buffer, { fault, offset }: { fault: JsonFault; offset: number }): Problem {
  const { line, column } = positionOf(body, offset);
  const where = `line ${line}, column ${column}`;
  return new Problem('malformed-body', `${what}: ${where} (byte ${offset}).`, {
    errors: [{ path: '$', code: fault, message: where }],
  });
}
