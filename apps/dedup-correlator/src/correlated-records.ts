import {
  checkRecord,
  encodeRecord,
  PACKED_ALERTS_MAX,
  PACKED_BYTES_MAX,
  type AlertsCorrelated,
  type AlertsNormalized,
  type CorrelatedAlert,
} from '@tocsin/contracts';
import { instantOf } from '@tocsin/domain/correlation';
import type { Input, Output } from '@tocsin/postgres';
import { ByteRoom } from './byte-room.ts';

/** Bytes that the record's own fields take at most, beside its alerts. */
const ENVELOPE_BYTES = 1024;

const TYPE = 'alerts.correlated.v1';
const room = new ByteRoom();

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
  const normalizedAt = instantOf(input.timestamp);
  const headers = input.headers['traceparent'] ? { traceparent: input.headers['traceparent'] } : undefined;
  return packed(answers).map((alerts): Output => {
    const value = { receiptId, workspaceId, webhookId, scope, receivedAt, normalizedAt, receiptTotal, alerts };
    return {
      topic: 'alert.correlated',
      key: scope,
      type: TYPE,
      value: bytesOf(value, input, record),
      ...(headers && { headers }),
      by: { input: input.offset },
    };
  });
}

/** As `encodeRecord` makes them. An alert that came alone, as most do, goes on in the bytes that it came in. */
function bytesOf(value: AlertsCorrelated, input: Input, record: AlertsNormalized): Uint8Array {
  const [answer] = value.alerts;
  const alert = answer?.alert === record.alerts[0] ? aloneIn(input.value, record) : undefined;
  if (!answer || !alert) return encodeRecord(TYPE, value);
  checkRecord(TYPE, value);
  const { decision, why, holdUntil } = answer;
  const { receiptId, workspaceId, webhookId, scope, receivedAt, normalizedAt, receiptTotal } = value;
  const envelope = { receiptId, workspaceId, webhookId, scope, receivedAt, normalizedAt, receiptTotal };
  const before = JSON.stringify(envelope);
  const said = JSON.stringify({ decision, why, holdUntil });
  return room
    .begin(alert.byteLength, before.length + OPENING.length + said.length + CLOSING.length)
    .opened(before)
    .text(OPENING)
    .bytes(alert)
    .continued(said)
    .text(CLOSING)
    .take();
}

const ALERTS = '"alerts":[';
const OPENING = `${ALERTS}{"alert":`;
const CLOSING = ']}';

/**
 * The bytes of a record's only alert where it stands as `encodeRecord` writes it: at the end, behind values without a list. No text has such
 * quotes in it, so what is found first is the list itself.
 */
function aloneIn(bytes: Buffer, record: AlertsNormalized): Buffer | undefined {
  if (record.alerts.length !== 1 || !endsWith(bytes, '}]}')) return undefined;
  let last = '';
  for (const name in record) {
    if (last === 'alerts' || (name !== 'alerts' && typeof record[name as keyof AlertsNormalized] === 'object'))
      return undefined;
    last = name;
  }
  const at = last === 'alerts' ? bytes.indexOf(`${ALERTS}{`) : -1;
  return at < 0 ? undefined : bytes.subarray(at + ALERTS.length, -2);
}

function endsWith(bytes: Buffer, end: string): boolean {
  for (let index = 1; index <= end.length; index++)
    if (bytes[bytes.length - index] !== end.charCodeAt(end.length - index)) return false;
  return true;
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
