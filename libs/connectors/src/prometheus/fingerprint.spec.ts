import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectorOf } from '../registry.ts';
import { sampleContext } from '../kit/expected-result.ts';
import { fingerprintOf } from './fingerprint.ts';

/** The definition, in the arithmetic that it is written in. */
function byDefinition(labels: Record<string, string>): string {
  let hash = 14_695_981_039_346_656_037n;
  const add = (byte: number) => (hash = ((hash ^ BigInt(byte)) * 1_099_511_628_211n) & 0xffff_ffff_ffff_ffffn);
  const names = Object.keys(labels).filter((name) => labels[name] !== '');
  for (const name of names.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))))
    for (const text of [name, labels[name] ?? '']) [...Buffer.from(text), 0xff].forEach(add);
  return hash.toString(16).padStart(16, '0');
}

describe('the fingerprint of labels', () => {
  it('is the one that Alertmanager 0.25 said of these labels', () =>
    expect(fingerprintOf({ alertname: 'Watchdog', instance: 'db-4:9100', severity: 'critical' })).toBe(
      'c0f1a07d7446c4d3',
    ));

  it('is FNV-1a with 64 bits, whatever the labels are and in whatever order they come', () => {
    const labels = fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.string({ unit: 'grapheme' }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(labels, (some) => {
        const has = Object.values(some).some((value) => value !== '');
        expect(fingerprintOf(some)).toBe(has ? byDefinition(some) : undefined);
        const reversed = Object.fromEntries(Object.entries(some).reverse());
        expect(fingerprintOf(reversed)).toBe(fingerprintOf(some));
      }),
    );
  });

  it('is none of no labels, and of what are no labels', () => {
    for (const nothing of [{}, { empty: '' }, null, undefined, 'labels', 7, []])
      expect(fingerprintOf(nothing)).toBeUndefined();
  });
});

it('one alert has one key and one firing, sent by Prometheus itself or through an Alertmanager', () => {
  const labels = { alertname: 'Watchdog', instance: 'db-4:9100', severity: 'critical' };
  const times = { startsAt: '2026-11-21T08:59:30.120Z', endsAt: '2026-11-21T09:03:30.120Z' };
  const byAlertmanager = {
    status: 'firing',
    labels,
    startsAt: '2026-11-21T08:59:30.12Z',
    fingerprint: 'c0f1a07d7446c4d3',
  };
  const read = (root: unknown) => {
    const bytes = Buffer.from(JSON.stringify(root));
    const result = connectorOf('prometheus')?.normalize({ bytes, contentType: 'application/json' }, sampleContext);
    if (result?.kind !== 'alerts') throw new Error('no alerts');
    return result.alerts.map(({ dedupKey, firingKey, status }) => ({ dedupKey, firingKey, status }));
  };
  expect(read([{ labels, ...times }])).toEqual(read({ alerts: [byAlertmanager] }));
});
