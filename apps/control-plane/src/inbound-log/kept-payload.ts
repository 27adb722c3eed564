import { isUtf8 } from 'node:buffer';
import { connectorOf, redactedBody } from '@tocsin/connectors';
import type { ReceiptFacts } from '@tocsin/contracts';

/** Larger bodies are cut (product P7). */
export const PAYLOAD_MAX_BYTES = 100 * 1024;

/** Why a row has no payload. `expired` is said of those whose time is over. */
export type PayloadAbsence = 'empty' | 'unredactable' | 'unknown-connector' | 'erased';

export interface KeptPayload {
  body: Buffer;
  contentType: string | null;
  truncated: boolean;
  redacted: boolean;
}

/**
 * What of a body may be kept: without what the connector must not store, and at most 100 KB. A body of a connector with such paths that
 * cannot be read is not kept, because nobody can say what is in it (the event log has it where it was dead-lettered).
 */
export function keptPayload(body: Buffer, facts: ReceiptFacts): KeptPayload | PayloadAbsence {
  if (body.length === 0) return 'empty';
  const connector = connectorOf(facts.connector);
  if (!connector) return 'unknown-connector';
  const { contentType, headers, query } = facts;
  const redacted = redactedBody(connector.source, { bytes: body, contentType, headers, query });
  if (redacted === undefined) return 'unredactable';
  const kept = Buffer.from(redacted.bytes.buffer, redacted.bytes.byteOffset, redacted.bytes.byteLength);
  return {
    body: kept.length > PAYLOAD_MAX_BYTES ? cut(kept) : kept,
    contentType: redacted.contentType,
    truncated: kept.length > PAYLOAD_MAX_BYTES,
    redacted: redacted.changed,
  };
}

/** Text is cut between characters. */
function cut(body: Buffer): Buffer {
  let end = PAYLOAD_MAX_BYTES;
  if (isUtf8(body)) while (((body[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return body.subarray(0, end);
}

/** As people get it: text where it is text, else base64. */
export const shownBody = (body: Buffer): { content: string; encoding: 'text' | 'base64' } =>
  isUtf8(body) && !body.includes(0)
    ? { content: body.toString('utf8'), encoding: 'text' }
    : { content: body.toString('base64'), encoding: 'base64' };
