import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

const read = (bytes: Uint8Array) => {
  const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
  return result.kind === 'alerts' ? result.alerts[0] : undefined;
};
const sample = (name: string) => read(readFileSync(new URL(`./samples/${name}`, import.meta.url)));
const incident = (body: object) => read(Buffer.from(JSON.stringify({ id: 'i1', ...body })));

describe('what is kept of an incident', () => {
  it('is its alerts as a list, wherever a template put them', () => {
    expect(sample('active.json')?.fields).toMatchObject({ alerts: [{ id: 'a1' }, { id: 'a2' }], snoozed: false });
    expect(sample('template.json')?.fields).toMatchObject({ alerts: [{ tags: { site: 'hall-3' } }], snoozed: true });
  });
});

describe('the state of an incident', () => {
  it.each([
    [{ active: false, status: 'critical', severity: 'critical' }, 'resolved', 'critical'],
    [{ active: 'false', severity: 'warning' }, 'resolved', 'medium'],
    [{ active: true, status: 'ok', severity: 'critical' }, 'resolved', 'critical'],
    [{ active: true, status: 'unknown', severity: 'critical' }, 'triggered', 'critical'],
    [{ status: 'acknowledged', severity: 'critical' }, 'acknowledged', 'critical'],
  ])('%j is %s and %s', (body, status, severity) => expect(incident(body)).toMatchObject({ status, severity }));
});
