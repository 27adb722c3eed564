import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

export interface BodyText {
  /** Without a byte order mark. */
  readonly text: string;
  readonly isBlank: boolean;
  /** Bytes that are not of the charset were replaced by U+FFFD. */
  readonly invalid: boolean;
}

const CHARSET = /;\s*charset\s*=\s*"?([\w.:-]{1,40})/i;
const BYTE_ORDER_MARK = '\uFEFF';
/** What nearly every sender says: nothing to search in it. */
const JSON_TYPE = 'application/json';

/** The text of a body: a byte order mark decides, then the charset of the content type, else UTF-8. */
export function textOfBody(bytes: Uint8Array, contentType: string | null): BodyText {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const other = otherCharset(buffer, contentType);
  const text = other === undefined ? buffer.toString('utf8') : other.decode(buffer);
  const invalid = other === undefined ? text.includes('\uFFFD') && !isUtf8(buffer) : false;
  const clean = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  return { text: clean, isBlank: !/\S/.test(clean), invalid };
}

/** A decoder for what is not UTF-8; undefined for UTF-8 and for a charset that nobody knows. */
function otherCharset(buffer: Buffer, contentType: string | null): TextDecoder | undefined {
  if (buffer[0] === 0xff && buffer[1] === 0xfe) return new TextDecoder('utf-16le');
  if (buffer[0] === 0xfe && buffer[1] === 0xff) return new TextDecoder('utf-16be');
  const label =
    contentType === null || contentType === JSON_TYPE ? undefined : CHARSET.exec(contentType)?.[1]?.toLowerCase();
  if (label === undefined || /^(?:utf-?8|us-ascii)$/.test(label)) return undefined;
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}
