import {
  encodeRecord,
  PACKED_ALERTS_MAX,
  PACKED_BYTES_MAX,
  type AlertsCorrelated,
  type AlertsNormalized,
  type CorrelatedAlert,
} from '@tocsin/contracts';
import type { Input, Output } from '@tocsin/postgres';

/** Bytes that the record's own fields take at most, beside its alerts. */
const ENVELOPE_BYTES = 1024;

/**
 * The answers to one input record as output records: the same receipt and order, packed up to 200 alerts and 256 KiB.
 * An alert that is larger than that by itself gets a record of its own. The same answers always pack the same way.
 */
export function correlatedRecords(
  input: Input,
  record: AlertsNormalized,
  answers: readonly CorrelatedAlert[],
): Output[] {
  const { receiptId, workspaceId, webhookId, scope, receivedAt, receiptTotal } = record;
  const normalizedAt = new Date(input.timestamp).toISOString();
  const headers = input.headers['traceparent'] ? { traceparent: input.headers['traceparent'] } : undefined;
  return packed(answers).map((alerts): Output => {
    const envelope = { receiptId, workspaceId, webhookId, scope, receivedAt, normalizedAt, receiptTotal };
    const value: AlertsCorrelated = { ...envelope, alerts };
    const type = 'alerts.correlated.v1';
    return {
      topic: 'alert.correlated',
      key: scope,
      type,
      value: encodeRecord(type, value),
      ...(headers && { headers }),
      by: { input: input.offset },
    };
  });
}

function packed(answers: readonly CorrelatedAlert[]): CorrelatedAlert[][] {
  const packs: CorrelatedAlert[][] = [];
  let pack: CorrelatedAlert[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const answer of answers) {
    // Most records hold one alert: their size does not matter, so it is not measured.
    const size = answers.length === 1 ? 0 : Buffer.byteLength(JSON.stringify(answer)) + 1;
    if (pack.length > 0 && (pack.length === PACKED_ALERTS_MAX || bytes + size > PACKED_BYTES_MAX)) {
      packs.push(pack);
      pack = [];
      bytes = ENVELOPE_BYTES;
    }
    pack.push(answer);
    bytes += size;
  }
  return pack.length > 0 ? [...packs, pack] : packs;
}
