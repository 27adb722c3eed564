import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

const alertsOf = (body: string | Uint8Array) => {
  const result = compileConnector(source).normalize(payloadOfSample(Buffer.from(body)), sampleContext);
  return result.kind === 'alerts' ? result.alerts : [];
};
const sample = (name: string) => alertsOf(readFileSync(new URL(`./samples/${name}`, import.meta.url)));

describe('what is kept of an alert', () => {
  it('is its values, its links under plain names, and what it shares with its group', () => {
    const [panel, rule] = sample('firing.json');
    expect(panel?.fields).toMatchObject({
      values: { A: 2.41, C: 1 },
      commonLabels: { service: 'basket' },
      links: {
        dashboard: 'https://grafana.shop.example/d/basket',
        panel: 'https://grafana.shop.example/d/basket?viewPanel=4',
        silence: expect.stringContaining('/alerting/silence/new') as string,
      },
    });
    expect(rule?.fields['links']).toEqual({
      silence: expect.stringContaining('/alerting/silence/new') as string,
      image: 'https://grafana.shop.example/render/2.png',
    });
  });

  it('is the rule with its matches where it is of legacy alerting', () =>
    expect(sample('legacy-alerting.json')[0]?.fields).toMatchObject({ panelId: 3, evalMatches: [{ value: 93.2 }] }));
});

it('a resolve without an end is still firing, with a note', () => {
  const labels = { alertname: 'A' };
  const alert = { status: 'resolved', labels, startsAt: '2026-11-20T10:00:00Z', endsAt: '0001-01-01T00:00:00Z' };
  expect(alertsOf(JSON.stringify({ alerts: [alert] }))).toMatchObject([
    { status: 'triggered', notes: expect.arrayContaining([{ code: 'end-not-set', path: 'status' }]) as unknown },
  ]);
});
