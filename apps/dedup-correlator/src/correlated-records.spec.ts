import {
  decodeRecord,
  encodeRecord,
  PACKED_ALERTS_MAX,
  PACKED_BYTES_MAX,
  type AlertsNormalized,
  type CorrelatedAlert,
  type NormalizedAlert,
} from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correlatedRecords } from './correlated-records.ts';

const anAnswer = (index: number, size: number): CorrelatedAlert => ({
  alert: {
    id: `alr_${index}`,
    index,
    receiptId: 'rcv_a',
    workspaceId: 'ws_a',
    webhookId: 'whk_a',
    connector: 'generic',
    kind: 'alert',
    status: 'triggered',
    severity: 'high',
    title: 'x'.repeat(size),
    description: '',
    services: [],
    tags: [],
    source: null,
    url: null,
    occurredAt: null,
    occurredAtOrders: false,
    receivedAt: '2026-11-21T09:00:00.000Z',
    dedupKey: 'k',
    dedupKeyOrigin: 'connector',
    resolveKey: 'k',
    firingKey: null,
    scope: 'ws_a',
    incidentType: null,
    customFields: {},
    fields: {},
    configRevision: 1,
    notes: [],
  } satisfies NormalizedAlert,
  decision: { kind: 'opened', incidentId: 'inc_a' },
  why: { reason: 'new-alert', tried: [], configRevision: 1 },
});
const pack = (answers: CorrelatedAlert[]) => {
  const record: AlertsNormalized = {
    receiptId: 'rcv_a',
    workspaceId: 'ws_a',
    webhookId: 'whk_a',
    scope: 'ws_a',
    receivedAt: '2026-11-21T09:00:00.000Z',
    receiptTotal: 900,
    alerts: [],
  };
  const input = {
    offset: 4n,
    key: 'ws_a',
    type: 'alerts.normalized.v1',
    value: Buffer.alloc(0),
    headers: {},
    timestamp: 0,
  };
  return correlatedRecords(input, record, answers).map(({ value, by }) => ({
    bytes: value.byteLength,
    by,
    record: decodeRecord('alerts.correlated.v1', value),
  }));
};

describe('the answers to one record', () => {
  it('are packed up to 200 alerts, all in order, each record with the whole receipt count', () => {
    const records = pack(Array.from({ length: 450 }, (_, index) => anAnswer(index, 10)));
    expect(records.map(({ record }) => record.alerts.length)).toEqual([PACKED_ALERTS_MAX, PACKED_ALERTS_MAX, 50]);
    expect(records.flatMap(({ record }) => record.alerts.map(({ alert }) => alert.index))).toEqual(
      Array.from({ length: 450 }, (_, index) => index),
    );
    expect(records.every(({ record, by }) => record.receiptTotal === 900 && 'input' in by && by.input === 4n)).toBe(
      true,
    );
  });

  it('are packed up to 256 KiB', () => {
    const records = pack(Array.from({ length: 60 }, (_, index) => anAnswer(index, 10_000)));
    expect(records.length).toBeGreaterThan(1);
    expect(records.every(({ bytes }) => bytes <= PACKED_BYTES_MAX)).toBe(true);
    expect(records.flatMap(({ record }) => record.alerts)).toHaveLength(60);
  });

  it('keep an alert that is larger than a record by itself', () =>
    expect(
      pack([anAnswer(0, 10), anAnswer(1, PACKED_BYTES_MAX), anAnswer(2, 10)]).map(({ record }) =>
        record.alerts.map(({ alert }) => alert.index),
      ),
    ).toEqual([[0], [1], [2]]));

  it('are no record when there are none', () => expect(pack([])).toEqual([]));
});

describe('the answer to an alert that came alone', () => {
  const received = '2026-11-21T09:00:00.000Z';
  const envelope = { receiptId: 'rcv_a', workspaceId: 'ws_a', webhookId: 'whk_a', scope: 'ws_a', receivedAt: received };
  const heard = (alert: NormalizedAlert): AlertsNormalized => ({ ...envelope, receiptTotal: 1, alerts: [alert] });
  const answerTo = (value: Uint8Array, change: (alert: NormalizedAlert) => NormalizedAlert = (alert) => alert) => {
    const record = decodeRecord('alerts.normalized.v1', value);
    const input = {
      offset: 4n,
      key: 'ws_a',
      type: 'alerts.normalized.v1',
      headers: {},
      timestamp: Date.parse(received),
    };
    const answer = { ...anAnswer(0, 1), alert: change(record.alerts[0] as NormalizedAlert), holdUntil: received };
    const [output] = correlatedRecords({ ...input, value: Buffer.from(value) }, record, [answer]);
    const expected = { ...envelope, normalizedAt: received, receiptTotal: 1, alerts: [answer] };
    return { read: decodeRecord('alerts.correlated.v1', output!.value), bytes: Buffer.from(output!.value), expected };
  };

  it('says the same as a record that is written anew, in the same bytes', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.dictionary(fc.string(), fc.jsonValue()), (title, customFields) => {
        const alert = { ...anAnswer(0, 1).alert, title, customFields };
        const { bytes, expected } = answerTo(encodeRecord('alerts.normalized.v1', heard(alert)));
        expect(bytes.equals(encodeRecord('alerts.correlated.v1', expected))).toBe(true);
      }),
    ));

  it.each([
    ['with spaces', (record: AlertsNormalized) => JSON.stringify(record, null, 1)],
    ['with its alerts elsewhere', ({ alerts, ...others }: AlertsNormalized) => JSON.stringify({ alerts, ...others })],
    ['with more behind', (record: AlertsNormalized) => JSON.stringify({ ...record, others: [{ a: 1 }] })],
    [
      'with a list before',
      (record: AlertsNormalized) => JSON.stringify({ before: { alerts: [{ id: 'alr_b' }] }, ...record }),
    ],
  ])('is the same where the record is written otherwise: %s', (_name, written) => {
    const { read, expected } = answerTo(Buffer.from(written(heard(anAnswer(0, 1).alert))));
    expect(read).toEqual(expected);
  });

  it('has the notes that the correlator adds', () => {
    const noted = (alert: NormalizedAlert) => ({ ...alert, notes: [{ code: 'config-behind' }] });
    const { read } = answerTo(encodeRecord('alerts.normalized.v1', heard(anAnswer(0, 1).alert)), noted);
    expect(read.alerts[0]?.alert.notes).toEqual([{ code: 'config-behind' }]);
  });

  it('is refused where it does not fit', () => {
    const alert = { ...anAnswer(0, 1).alert, title: 5 } as unknown as NormalizedAlert;
    expect(() => answerTo(Buffer.from(JSON.stringify(heard(alert))))).toThrow('/alerts/0/alert/title');
  });
});
