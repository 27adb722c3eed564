import { withinLimits } from '@tocsin/domain/mapping';
import type { FullLetterRow, LetterRow } from './dead-letter-store.ts';

/** One line of the list. */
export const letterView = (row: LetterRow) => ({
  id: row.id,
  service: row.service,
  topic: row.topic,
  partition: row.partition,
  offset: row.log_offset,
  reason: row.reason,
  detail: row.detail,
  at: row.at.toISOString(),
  webhook_id: row.webhook_id,
  receipt_id: row.receipt_id,
  parts: row.parts,
  size_bytes: row.size,
  bytes_kept: row.kept,
  status: row.status,
  redriven_at: row.redriven_at?.toISOString() ?? null,
  redriven_by: row.redriven_by,
});

/** With the original record: its headers and its bytes, as text where they are UTF-8, and decoded where they are JSON. */
export const fullLetterView = (row: FullLetterRow) => ({
  ...letterView(row),
  key: row.key,
  headers: row.headers ?? {},
  ...contentView(row.value),
});

interface Content {
  encoding: 'text' | 'base64' | null;
  value: string | null;
  json: unknown;
}

export function contentView(value: Buffer | null): Content {
  if (value === null) return { encoding: null, value: null, json: null };
  const text = textOf(value);
  return text === undefined
    ? { encoding: 'base64', value: value.toString('base64'), json: null }
    : { encoding: 'text', value: text, json: jsonOf(text) };
}

function textOf(value: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    return undefined; // not UTF-8
  }
}

/** Null where the text is no JSON, or is nested so deep that an answer could not be written. */
function jsonOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return withinLimits(value) ? value : null;
  } catch {
    return null;
  }
}
