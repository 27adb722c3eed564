import { compileMapping, readMapping } from '@tocsin/domain/mapping-rules';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectorOf } from '../registry.ts';

const context = {
  ...{ receiptId: 'rcv_a', workspaceId: 'ws_a', webhookId: 'whk_a', receivedAt: '2026-11-21T09:00:00.000Z' },
  ...{ configRevision: 1, defaultSeverity: 'medium' as const, severityProfile: 'tocsin' as const, notes: [] },
};

function normalized(payload: unknown, input: unknown, connector = 'generic') {
  const read = readMapping(input);
  if (!read.ok) return undefined;
  const bytes = Buffer.from(JSON.stringify(payload));
  const mapping = compileMapping(read.mapping);
  return connectorOf(connector)?.normalize({ bytes, contentType: 'application/json' }, { ...context, mapping });
}
const alertOf = (payload: unknown, input: unknown) => {
  const result = normalized(payload, input);
  return result?.kind === 'alerts' ? result.alerts[0] : undefined;
};

describe('a mapping over a connector', () => {
  it('silences remarks on what it fills, and only those', () => {
    const notes = (input: unknown) => alertOf({ lvl: 'P1' }, input)?.notes.map(({ code }) => code);
    expect(notes({})).toEqual(['severity-missing', 'title-missing']);
    expect(notes({ fields: { severity: '$.lvl' } })).toEqual(['title-missing']);
    expect(notes({ fields: { severity: '$.lvl' }, defaults: { title: 'T' } })).toEqual([]);
  });

  it('puts its words before those of the connector where the connector finds them', () =>
    expect(
      alertOf(
        { title: 't', severity: 'Warning', status: 'ok' },
        { severity: { warning: 'info' }, status: { OK: 'update' } },
      ),
    ).toMatchObject({ severity: 'info', status: 'update' }));

  it('falls back to the connector’s key where its own finds nothing', () =>
    expect(alertOf({ title: 't', id: 3 }, { dedup_key: '$.uid' })).toMatchObject({
      ...{ dedupKey: '3', dedupKeyOrigin: 'connector' },
      notes: [{ code: 'path-found-nothing', path: 'dedup_key' }, { code: 'severity-missing' }],
    }));
});

const key = fc.oneof(fc.constantFrom('a', 'b', 'alerts', '__proto__', 'constructor', 'labels', 'id'), fc.string());
const path = fc
  .array(
    fc.oneof(
      key.map((name) => `.${name}`),
      fc.constantFrom('[0]', '[*]', '..a', '..*', '[0:2]', "['a']", '$'),
    ),
    {
      maxLength: 6,
    },
  )
  .map((steps) => `$${steps.join('')}`);
const chain = fc.oneof(path, fc.array(path, { maxLength: 3 }));
const field = fc.constantFrom(
  ...['title', 'description', 'severity', 'status', 'services', 'tags', 'source', 'url', 'dedup_key', 'occurred_at'],
);
const named = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('x', 'y', 'constructor', 'z'),
    type: fc.constantFrom('string', 'number', 'boolean', 'datetime', 'list', 'object'),
    path: path,
  }),
  { selector: ({ name }) => name, maxLength: 3 },
);
const mapping = fc.record(
  {
    fields: fc.dictionary(field, chain, { maxKeys: 5 }),
    severity: fc.dictionary(key, fc.constantFrom('critical', 'low'), { maxKeys: 3 }),
    defaults: fc.dictionary(fc.constantFrom('title', 'url', 'source'), fc.string(), { maxKeys: 2 }),
    custom_fields: named,
  },
  { requiredKeys: [] },
);

describe('any mapping over any payload', () => {
  it.each(['generic', 'prometheus', 'github'])('of %s ends as alerts, ignored or unreadable', (connector) => {
    let applied = 0;
    fc.assert(
      fc.property(mapping, fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(key, fc.jsonValue()))), (input, payload) => {
        const started = performance.now();
        const shaped = connector === 'prometheus' ? { version: '4', status: 'firing', alerts: [payload] } : payload;
        const result = normalized(shaped, input, connector);
        if (result === undefined) return;
        applied += 1;
        expect(['alerts', 'ignored', 'unreadable']).toContain(result.kind);
        expect(() => JSON.stringify(result)).not.toThrow();
        expect(performance.now() - started).toBeLessThan(5_000);
        expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
      }),
      { numRuns: 300 },
    );
    expect(applied).toBeGreaterThan(30);
  });
});
