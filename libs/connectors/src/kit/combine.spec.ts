import { compileMapping, readMapping } from '@tocsin/domain/mapping-rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectorOf } from '../registry.ts';
import type { NormalizeContext } from './compile.ts';

const context: NormalizeContext = {
  ...{ receiptId: 'rcv_a', workspaceId: 'ws_a', webhookId: 'whk_a', receivedAt: '2026-11-21T09:00:00.000Z' },
  ...{ configRevision: 1, defaultSeverity: 'medium', severityProfile: 'tocsin', notes: [] },
};

function normalized(payload: unknown, input: unknown, connector = 'generic') {
  const read = readMapping(input);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const payloadOf = { bytes: Buffer.from(JSON.stringify(payload)), contentType: 'application/json' };
  const result = connectorOf(connector)?.normalize(payloadOf, { ...context, mapping: compileMapping(read.mapping) });
  if (result?.kind !== 'alerts') throw new Error(result?.kind);
  return result;
}

const two = [
  { id: 'a', title: 'A', severity: 'low', status: 'resolved', services: ['pay'] },
  { id: 'b', title: 'B', severity: 'high', status: 'firing', services: ['shop'], tags: ['x'] },
  { id: 'c', title: 'C', severity: 'medium', status: 'firing', services: ['cart'] },
];
const prometheus = (...statuses: ('firing' | 'resolved')[]) => ({
  ...{ version: '4', groupKey: '{}:{cluster="eu"}', receiver: 'r', status: 'firing', groupLabels: { cluster: 'eu' } },
  ...{ commonLabels: {}, commonAnnotations: {}, externalURL: 'http://am' },
  alerts: statuses.map((status, index) => ({
    ...{ status, labels: { alertname: `N${index}`, severity: 'critical' }, annotations: {}, fingerprint: `f${index}` },
    ...{
      startsAt: '2026-11-21T08:00:00Z',
      endsAt: status === 'resolved' ? '2026-11-21T08:30:00Z' : '0001-01-01T00:00:00Z',
    },
  })),
});

describe('a payload of several alerts', () => {
  it('is an alert each, unless the webhook says otherwise', () =>
    expect(normalized(two, { split: 'all' }).alerts.map(({ title }) => title)).toEqual(['A', 'B', 'C']));

  it('is its first alert with split first; the others are accounted for', () => {
    const { alerts, omitted, total } = normalized(two, { split: 'first' });
    expect(alerts.map(({ title, index }) => ({ title, index }))).toEqual([{ title: 'A', index: 0 }]);
    expect(total).toBe(3);
    expect(omitted).toMatchObject([
      { index: 1, outcome: 'ignored', reason: 'only-first' },
      { index: 2, outcome: 'ignored', reason: 'only-first' },
    ]);
  });

  it('is one alert with split group, which fires while any fires', () => {
    const { alerts, omitted, total } = normalized(two, { split: 'group' });
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({
      ...{ status: 'triggered', severity: 'high', title: 'B', services: ['shop', 'cart'], tags: ['x'], dedupKey: 'a' },
      fields: { grouped_alerts: [{ title: 'A', status: 'resolved' }, { title: 'B' }, { title: 'C' }] },
    });
    expect(total).toBe(3);
    expect(omitted.map(({ index, reason }) => ({ index, reason }))).toEqual([
      { index: 0, reason: 'grouped' },
      { index: 2, reason: 'grouped' },
    ]);
  });

  it('keeps the key of the group whichever of its alerts fires, and resolves with the last', () => {
    const keys = [
      prometheus('firing', 'firing'),
      prometheus('resolved', 'firing'),
      prometheus('resolved', 'resolved'),
    ].map((payload) => normalized(payload, { split: 'group' }, 'prometheus').alerts[0]);
    expect(new Set(keys.map((alert) => alert?.dedupKey))).toEqual(new Set(['{}:{cluster="eu"}']));
    expect(keys.map((alert) => alert?.status)).toEqual(['triggered', 'triggered', 'resolved']);
  });

  it('takes the key of the user’s mapping before that of the group', () =>
    expect(
      normalized(prometheus('firing', 'firing'), { split: 'group', dedup_key: '$.groupLabels.cluster' }, 'prometheus')
        .alerts[0],
    ).toMatchObject({ dedupKey: 'eu', dedupKeyOrigin: 'mapping' }));

  it('accounts for every element, whatever is broken or ignored among them', () =>
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...two), fc.jsonValue()), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('all', 'first', 'group'),
        (elements, split) => {
          const read = readMapping({ split });
          if (!read.ok) throw new Error('the mapping is good');
          const bytes = Buffer.from(JSON.stringify(elements));
          const payload = { bytes, contentType: 'application/json' };
          const result = connectorOf('generic')?.normalize(payload, {
            ...context,
            mapping: compileMapping(read.mapping),
          });
          if (result?.kind !== 'alerts') return;
          const told = [...result.alerts, ...result.omitted].map(({ index }) => index).sort((a, b) => a - b);
          expect(told).toEqual(Array.from({ length: result.total }, (_, index) => index));
        },
      ),
      { numRuns: 300 },
    ));
});

describe('the word of a split', () => {
  it('is refused with what is known', () =>
    expect(readMapping({ split: 'each' })).toMatchObject({ ok: false, problems: [{ path: 'mapping.split' }] }));
});
