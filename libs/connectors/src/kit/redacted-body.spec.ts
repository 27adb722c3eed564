import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectorOf, connectors } from '../registry.ts';
import { compileConnector, type NormalizeContext } from './compile.ts';
import { redactedBody } from './redacted-body.ts';
import { samplesOf } from './samples.ts';
import type { SourceConnector } from './source-connector.ts';

const sourceOf = (id: string): SourceConnector => connectorOf(id)!.source;
const json = (value: unknown) => ({ bytes: Buffer.from(JSON.stringify(value)), contentType: 'application/json' });
const textOf = (id: string, bytes: Buffer, contentType: string | null) => {
  const kept = redactedBody(sourceOf(id), { bytes, contentType });
  return kept && { ...kept, text: Buffer.from(kept.bytes).toString('utf8') };
};

describe('a body as it may be kept', () => {
  it('is the given bytes where the connector has nothing to hide, readable or not', () => {
    const bytes = Buffer.from([0xff, 0, 1]);
    expect(redactedBody(sourceOf('generic'), { bytes, contentType: 'x/y' })).toEqual({
      bytes,
      contentType: 'x/y',
      changed: false,
    });
  });

  it('is the given bytes where nothing is hidden in this one', () => {
    const payload = json({ id: 't', name: 'x' });
    expect(redactedBody(sourceOf('honeycomb'), payload)).toMatchObject({ bytes: payload.bytes, changed: false });
  });

  it('loses a secret, and keeps the digits of large numbers', () => {
    const kept = textOf('honeycomb', Buffer.from('{"id":12345678901234567890,"shared_secret":"s"}'), null);
    expect(kept).toMatchObject({
      text: '{"id":"12345678901234567890","shared_secret":"[redacted]"}',
      contentType: 'application/json',
      changed: true,
    });
  });

  it('loses one inside the field of a form', () => {
    const document = { build_url: 'https://ci.example/1', config: { env: 'TOKEN=t0ken' }, repository: { name: 'r' } };
    const form = new URLSearchParams({ other: 'x', payload: JSON.stringify(document) }).toString();
    const kept = textOf('travis', Buffer.from(form), 'application/x-www-form-urlencoded');
    const fields = new URLSearchParams(kept?.text);
    expect(fields.get('other')).toBe('x');
    expect(JSON.parse(fields.get('payload') ?? '')).toEqual({ ...document, config: { env: '[redacted]' } });
    expect(kept?.contentType).toBe('application/x-www-form-urlencoded');
  });

  it('loses one inside a document inside a text; a text without one stays as it is', () => {
    const secret = JSON.stringify({ name: 'm', basic_auth_pass: 'pa55' });
    const heartbeat = JSON.stringify({ status: 0 });
    const kept = textOf('uptime-kuma', json({ heartbeat, monitor: secret, msg: 'down' }).bytes, 'application/json');
    expect(kept?.text).not.toContain('pa55');
    expect(JSON.parse(kept?.text ?? '')).toMatchObject({ monitor: { basic_auth_pass: '[redacted]' } });
    const plain = json({ Type: 'Notification', Message: '{"AlarmName":"a"}', Signature: 's' });
    expect(JSON.parse(textOf('cloudwatch', plain.bytes, null)?.text ?? '')).toMatchObject({
      Message: '{"AlarmName":"a"}',
      Signature: '[redacted]',
    });
  });

  it('is nothing where it cannot be read', () => {
    expect(textOf('honeycomb', Buffer.from('{"shared_secret":"s"'), 'application/json')).toBeUndefined();
  });

  it('never throws', () => {
    const hiding = connectors.filter(({ source }) => source.redact);
    fc.assert(
      fc.property(fc.constantFrom(...hiding), fc.uint8Array(), fc.json(), (connector, bytes, text) => {
        for (const body of [bytes, Buffer.from(text), Buffer.from(`payload=${encodeURIComponent(text)}`)])
          redactedBody(connector.source, { bytes: body, contentType: null });
      }),
    );
  });
});

const context: NormalizeContext = {
  receiptId: 'rcv_a',
  workspaceId: 'ws_a',
  webhookId: 'whk_a',
  receivedAt: '2026-11-21T09:00:00.000Z',
  configRevision: 1,
  defaultSeverity: 'medium',
  severityProfile: 'tocsin',
  notes: [],
};

describe.each(connectors.filter(({ source }) => source.redact).map(({ source }) => source.id))('%s', (id) => {
  const folder = new URL(`../${id}/samples/`, import.meta.url);
  const samples = samplesOf(readdirSync(folder), (file) => readFileSync(new URL(file, folder)));
  it.each(samples.map(({ name, payload }) => [name, payload] as const))(
    'gives the same alerts from what is kept of %s',
    (_name, payload) => {
      const connector = compileConnector(sourceOf(id));
      const kept = { ...payload, ...redactedBody(sourceOf(id), payload)! };
      expect(connector.normalize(kept, context)).toEqual(connector.normalize(payload, context));
    },
  );
});
