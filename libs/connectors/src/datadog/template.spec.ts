import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';

const read = (body: object) => {
  const payload = payloadOfSample(Buffer.from(JSON.stringify({ title: '[Triggered] Disk', ...body })));
  const result = compileConnector(source).normalize(payload, sampleContext);
  return result.kind === 'alerts' ? result.alerts[0] : undefined;
};

describe('the status of an event', () => {
  it.each([
    ...['Triggered', 'Re-Triggered', 'No Data', 'Re-No Data', 'Warn', 'Re-Warn', 'Renotify'].map(
      (word) => [{ alert_transition: word }, 'triggered'] as const,
    ),
    [{ alert_transition: 'Recovered', alert_type: 'error' }, 'resolved'],
    [{ alert_transition: '$ALERT_TRANSITION', alert_type: 'success' }, 'resolved'],
    [{ title: '[Recovered on {host:a}] Disk' }, 'resolved'],
    [{ title: '[Recovered] Disk' }, 'resolved'],
    [{ event_type: 'recovered' }, 'resolved'],
    [{ title: 'Disk', status: 'ok' }, 'resolved'],
    [{ title: 'Disk' }, 'triggered'],
  ] as const)('%j → %s', (body, status) => expect(read(body)?.status).toBe(status));
});

describe('the severity of an event', () => {
  it.each([
    [{ alert_priority: 'P3', alert_type: 'error' }, 'medium'],
    [{ alert_priority: 'null', alert_type: 'warning' }, 'medium'],
    [{ alert_type: 'info' }, 'info'],
    [{ title: '[Warn on {host:a}] Disk', alert_priority: '$ALERT_PRIORITY' }, 'medium'],
    [{ priority: 'low', alert_type: 'error' }, 'high'],
  ])('%j → %s', (body, severity) => expect(read(body)?.severity).toBe(severity));
});

describe('the key of an event', () => {
  it('is the same for a trigger and its recovery by title and scope, and another one in another scope', () => {
    const key = read({ title: '[Triggered on {host:a}] Disk' })?.dedupKey;
    expect(read({ title: '[Recovered on {host:a}] Disk' })?.dedupKey).toBe(key);
    expect(read({ title: '[Triggered on {host:b}] Disk' })?.dedupKey).not.toBe(key);
  });

  it('keeps a cycle key of 19 digits without quotes', () => {
    const bytes = Buffer.from('{"title":"Disk","alert_cycle_key":9007199254740993123}');
    const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
    expect(result).toMatchObject({ alerts: [{ dedupKey: '9007199254740993123' }] });
  });
});

it('services are the tags that name them, else the key of that name, else all tags', () => {
  expect(read({ tags: 'a:b, service:x,service:y', service: 'z' })?.services).toEqual(['x', 'y']);
  expect(read({ tags: ['a:b'], service: 'z' })?.services).toEqual(['z']);
  expect(read({ tags: 'a:b,c' })?.services).toEqual(['a:b', 'c']);
});
