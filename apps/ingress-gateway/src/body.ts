import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { BODY_LIMIT, Problem } from '@tocsin/nest-shell';
import { JsonScanner, positionOf, type JsonFault } from '@tocsin/nest-shell';

/** Safety caps of one request (product P7). */
export const CAPS = { depth: 64, keys: 50_000, alerts: 10_000 } as const;

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

/** Media types that can carry JSON: what says so, and what senders put on it without meaning it (curl's default among them). */
const JSON_CARRIERS =
  /^(application\/([\w.+-]+\+)?json|application\/x-www-form-urlencoded|application\/octet-stream|text\/[\w.+-]+)$/;
const UTF8 = /^"?(utf-?8|us-ascii)"?$/;

/** @throws Problem 415 for a type that cannot be JSON in UTF-8 */
export function checkMediaType(contentType: string | undefined): void {
  if (contentType === undefined || contentType === '' || contentType === 'application/json') return;
  const [type = '', ...parameters] = contentType.toLowerCase().split(';');
  if (!JSON_CARRIERS.test(type.trim()))
    throw new Problem('unsupported-media-type', 'The body must be JSON, sent as application/json.');
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=');
    if (name.trim() === 'charset' && !UTF8.test(value.trim()))
      throw new Problem('unsupported-media-type', 'JSON must be encoded in UTF-8.');
  }
}

const SAID: Record<JsonFault, string> = {
  'not-json': 'Not JSON',
  'too-deep': `Nested deeper than ${CAPS.depth} levels`,
  'too-many-keys': `More than ${CAPS.keys} keys`,
};

/**
 * Reads the body once, building nothing, to refuse garbage before it is accepted.
 * @throws Problem 400 with the position, 413 for more alerts than one request may carry
 */
export function checkJson(body: Buffer, listKey: Uint8Array): void {
  const found = scanner.scan(body, listKey);
  if (found.ok) {
    if (found.items <= CAPS.alerts) return;
    throw new Problem(
      'body-too-large',
      `The body carries ${found.items} alerts; one request may carry ${CAPS.alerts}.`,
    );
  }
  if (body.length === 0) throw malformed('The body is empty; JSON is expected', body, found);
  throw malformed(SAID[found.fault], body, found);
}

function malformed(what: string, body: Buffer, { fault, offset }: { fault: JsonFault; offset: number }): Problem {
  const { line, column } = positionOf(body, offset);
  const where = `line ${line}, column ${column}`;
  return new Problem('malformed-body', `${what}: ${where} (byte ${offset}).`, {
    errors: [{ path: '$', code: fault, message: where }],
  });
}
