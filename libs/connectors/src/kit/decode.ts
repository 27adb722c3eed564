import { isUtf8 } from 'node:buffer';
import { type NoteCode, parseJson } from '@tocsin/domain/mapping';
import type { Payload } from './compile.ts';
import type { Decoding } from './source-connector.ts';

export type Decoded = { kind: 'decoded'; root: unknown; note?: NoteCode } | { kind: 'undecodable'; detail: string };

/**
 * The value of a body in the first encoding that fits. The content type does not decide: several senders post JSON as text/plain.
 * Never throws.
 */
export function decodePayload(decodings: readonly Decoding[], payload: Payload): Decoded {
  let detail = 'the connector has no decoding for this body';
  for (const decoding of decodings) {
    const decoded = decoders[decoding](payload);
    if (decoded.kind === 'decoded') return decoded;
    detail = decoded.detail;
  }
  return { kind: 'undecodable', detail };
}

const decoders: Record<Decoding, (payload: Payload) => Decoded> = { json: decodeJson };

const BYTE_ORDER_MARK = '\uFEFF';

function decodeJson({ bytes }: Payload): Decoded {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (text.trim() === '') return { kind: 'undecodable', detail: 'the body is empty' };
  try {
    const root = parseJson(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
    return isUtf8(buffer) ? { kind: 'decoded', root } : { kind: 'decoded', root, note: 'invalid-utf8' };
  } catch (error) {
    // A RangeError is nesting beyond the stack, which the gateway refuses but a replayed record could still hold.
    return {
      kind: 'undecodable',
      detail: `not JSON: ${error instanceof Error ? error.message : String(error)}`.slice(0, 300),
    };
  }
}
