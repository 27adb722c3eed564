import { gunzipSync, inflateSync } from 'node:zlib';
import type { Payload } from '@tocsin/connectors';
import { Problem } from '@tocsin/nest-shell';
import { invalidField } from '../fields.ts';
import type { PreviewMapping } from './mapping.dto.ts';

const LARGEST = 1024 * 1024;

/** The request that a preview stands for. @throws Problem validation-failed, body-too-large */
export function payloadOf({ payload, headers = {}, query = '', content_type: type }: PreviewMapping): Payload {
  if (payload === undefined) throw invalidField('payload', 'required', 'is required: any JSON, or the text of a body');
  const bytes = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  if (bytes.length > LARGEST) throw new Problem('body-too-large', 'A payload has at most 1 MiB.');
  const texts = Object.entries(headers).map(([name, value]) => {
    if (typeof value === 'string') return [name.toLowerCase(), value] as const;
    throw invalidField(`headers.${name}`.slice(0, 200).toWellFormed(), 'is-string', 'must be a text');
  });
  const named = Object.fromEntries(texts);
  return { bytes, contentType: type ?? named['content-type'] ?? guessed(payload), headers: named, query };
}

const FORM = 'application/x-www-form-urlencoded';
const guessed = (payload: unknown): string =>
  typeof payload === 'string' && /^[\w.%+-]+=[^\s{[]*/.test(payload) ? FORM : 'application/json';

/** The bytes of a body as the sender meant them. @throws Problem */
export function inflated(body: Buffer, encoding: string | undefined): Buffer {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  const inflate = name === 'gzip' ? gunzipSync : name === 'deflate' ? inflateSync : undefined;
  if (!inflate) throw new Problem('unsupported-media-type', 'A body may be compressed with gzip or deflate.');
  try {
    return inflate(body, { maxOutputLength: LARGEST });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Problem('body-too-large', 'A payload has at most 1 MiB.');
    throw new Problem('malformed-body', `The body is not ${name}.`);
  }
}
