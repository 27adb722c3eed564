import { type Severity, severities } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Notes, severityOf, statusOf } from '../mapping/index.ts';
import { applyMapping, compileMapping, readMapping, type Vocabulary } from './index.ts';

const vocabulary: Vocabulary = { severityOf: (text) => severityOf(text, 'tocsin'), statusOf };
const compiled = (input: unknown) => {
  const read = readMapping(input);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return compileMapping(read.mapping);
};
function apply(input: unknown, root: unknown, element: unknown = root, index = 0) {
  const notes = new Notes();
  return { ...applyMapping(compiled(input), { element, root, index }, vocabulary, notes), notes: notes.all() };
}
const first = { labels: { alertname: 'Disk', severity: 'page' }, status: 'firing', values: [0, 2] };
const second = { labels: { alertname: 'Memory', severity: 'warning' }, status: 'resolved', values: [] };
const group = { status: 'firing', receiver: 'r', commonLabels: { team: 'ops' }, alerts: [first, second] };

describe('a mapping over an element', () => {
  it('says only what it finds', () =>
    expect(apply({ fields: { title: 'labels.alertname', services: '$.values', url: [] } }, first)).toMatchObject({
      overrides: { title: 'Disk', services: ['0', '2'] },
      notes: [],
    }));

  it('falls through null, undefined and empty only', () => {
    const fields = { title: ['$.a', '$.b', '$.c', '$.d'] };
    expect(apply({ fields }, { a: null, b: ' ', c: 0, d: 'x' }).overrides).toEqual({ title: '0' });
    expect(apply({ fields }, { a: [], c: false }).overrides).toEqual({ title: 'false' });
  });

  it('takes the first of several for a text, with a note, and all of them for a list', () =>
    expect(apply({ fields: { title: '$.values', tags: '$.values[*]' } }, first)).toMatchObject({
      overrides: { title: '0', tags: ['0', '2'] },
      notes: [{ code: 'first-of-list', path: 'title' }],
    }));

  it('reads all fields', () =>
    expect(
      apply(
        {
          fields: {
            ...{
              description: '$.d',
              source: '$.s',
              url: '$.u',
              occurred_at: '$.t',
              incident_type: '$.k',
              dedup_key: '$.id',
            },
            ...{ status: '$.state', severity: '$.level' },
          },
        },
        {
          d: 'D',
          s: { name: 'S' },
          u: 'U',
          t: 1795162530,
          k: 'K',
          id: '9007199254740993',
          state: 'recovered',
          level: 'P2',
        },
      ).overrides,
    ).toEqual({
      ...{ description: 'D', source: 'S', url: 'U', occurredAt: '2026-11-20T08:15:30.000Z', incidentType: 'K' },
      ...{ dedupKey: '9007199254740993', status: 'resolved', severity: 'high' },
    }));
});

describe('a mapping on a connector that splits', () => {
  const title = (path: string, element: unknown, index: number) =>
    apply({ fields: { title: path } }, group, element, index).overrides.title;

  it.each([
    '$.alerts[0].labels.alertname',
    'alerts[0].labels.alertname',
    '$.alerts[*].labels.alertname',
    "$['alerts'][0]['labels'].alertname",
  ])('reads the current element by %s', (path) => {
    expect(title(path, first, 0)).toBe('Disk');
    expect(title(path, second, 1)).toBe('Memory');
  });

  it('reads the element before the payload, and the payload where the element has nothing', () => {
    expect(title('$.status', second, 1)).toBe('resolved');
    expect(title('$root.status', second, 1)).toBe('firing');
    expect(title('$.commonLabels.team', second, 1)).toBe('ops');
    expect(title('$.alerts[1].status', first, 0)).toBe('resolved');
  });

  it('finds nothing for a current element that has nothing, not the value of another', () =>
    expect(apply({ fields: { title: '$.alerts[0].values[1]' } }, group, second, 1).overrides).toEqual({}));

  it('reads elements of a root list', () =>
    expect(apply({ fields: { title: '$[0].a' } }, [{ a: 1 }, { a: 2 }], { a: 3 }, 0).overrides.title).toBe('1'));
});

describe('the words of a mapping', () => {
  const words = {
    fields: { severity: '$.s', status: '$.t' },
    severity: { Warning: 'critical', P1: 'low' },
    status: { up: 'triggered' },
  };

  it('go before the vocabulary, in any case', () =>
    expect(apply(words, { s: ' WARNING ', t: 'Up' }).overrides).toEqual({ severity: 'critical', status: 'triggered' }));

  it('leave the rest to it', () =>
    expect(apply(words, { s: 'p3', t: 'ok' }).overrides).toEqual({ severity: 'medium', status: 'resolved' }));

  it('are noted where nobody knows them, and say nothing then', () =>
    expect(apply(words, { s: 'purple', t: 'constructor' })).toMatchObject({
      overrides: {},
      notes: [
        { code: 'severity-unknown', path: 'severity', detail: 'purple' },
        { code: 'status-unknown', path: 'status', detail: 'constructor' },
      ],
    }));

  it('hold for what the connector reads as well', () => {
    const { severityOf: own } = compiled({ severity: { Sev1: 'critical' } });
    expect([own('sev1'), own('sev2'), own('__proto__')]).toEqual(['critical', undefined, undefined]);
  });
});

describe('a path that finds nothing', () => {
  const noteOf = (path: string, root: unknown) => apply({ fields: { title: path } }, root).notes;

  it.each([
    ['$.alerts[0].label.alertname', group, '$.alerts[0].labels.alertname'],
    ['$.alerts[0].labels.alert_name', group, '$.alerts[0].labels.alertname'],
    ['$.labels.team', group, '$.commonLabels.team'],
    ['$.alerts[7].status', group, '$.alerts[0].status'],
    ['$.alertname', group, '$.alerts[0].labels.alertname'],
    ['$.detail.name', { 'detail-type': 'x', meta: { name: 'n' } }, '$.meta.name'],
    ['$..sevreity', { severity: 1 }, undefined],
    ['$.receiver.name', group, '$.receiver'],
    ['$.nothing', {}, undefined],
    ['$.nothing', 7, undefined],
  ])('%s is noted with the nearest that exists', (path, root, nearest) =>
    expect(noteOf(path, root)).toEqual([
      {
        code: 'path-found-nothing',
        path: 'title',
        detail: nearest === undefined ? path : `${path}; nearest: ${nearest}`,
      },
    ]),
  );
});

describe('custom and extracted fields', () => {
  const mapping = {
    custom_fields: [
      { name: 'retries', type: 'number', path: '$.retries', default_value: 1 },
      { name: 'muted', type: 'boolean', path: '$.muted' },
      { name: 'owners', type: 'list', path: '$.owners[*].name' },
      { name: 'at', type: 'datetime', path: '$.at' },
      { name: 'raw', type: 'object', path: '$.raw' },
    ],
    extracted_fields: [
      { name: 'region', path: ['$.zone', '$.region'] },
      { name: 'all', path: '$.owners[*].name' },
    ],
  };

  it('have their types', () =>
    expect(
      apply(mapping, {
        retries: '0',
        muted: false,
        owners: [{ name: 'a' }, { name: 'b' }],
        at: '2026-11-20T08:15:30Z',
        raw: '{"x":null}',
        region: 0,
      }),
    ).toMatchObject({
      customFields: { retries: 0, muted: false, owners: ['a', 'b'], at: '2026-11-20T08:15:30.000Z', raw: { x: null } },
      extractedFields: { region: 0, all: ['a', 'b'] },
      notes: [],
    }));

  it('take their default where a value would be lost, with a note', () => {
    const { customFields, notes } = apply(
      { custom_fields: mapping.custom_fields.slice(0, 2) },
      { retries: '007', muted: { a: 1 } },
    );
    expect(customFields).toEqual({ retries: 1 });
    expect(notes).toEqual([
      { code: 'value-not-converted', path: 'retries', detail: '"007" is no number' },
      { code: 'value-not-converted', path: 'muted', detail: 'an object is no boolean' },
    ]);
  });

  it('are cut at the limits of what is kept', () => {
    const { customFields, extractedFields } = apply(
      {
        custom_fields: [{ name: 'long', type: 'string', path: '$.long' }],
        extracted_fields: [{ name: 'wide', path: '$.wide' }],
      },
      { long: 'x'.repeat(50_000), wide: { list: Array.from({ length: 5_000 }, () => 'y'.repeat(500)) } },
    );
    expect((customFields['long'] as string).length).toBe(10_000);
    expect(JSON.stringify(extractedFields).length).toBeLessThanOrEqual(100 * 1024);
  });
});

it('any mapping over any payload gives a result of the right types, and the same one again', () => {
  const path = fc.constantFrom(
    '$.a',
    'a.b',
    '$.list[0].a',
    '$.list[*]',
    '$root.a',
    '$..b',
    '$.constructor',
    '$.__proto__.x',
    '$',
  );
  const chain = fc.array(path, { minLength: 1, maxLength: 3 });
  const mappings = fc.record({
    fields: fc.record(
      { title: chain, severity: chain, status: chain, tags: chain, occurred_at: chain, dedup_key: chain },
      { requiredKeys: [] },
    ),
    severity: fc.dictionary(fc.constantFrom('a', 'b', 'constructor'), fc.constantFrom<Severity>(...severities)),
    custom_fields: chain.map((paths) => [
      { name: 'one', type: 'number', path: paths },
      { name: 'two', type: 'list', path: paths },
    ]),
    extracted_fields: chain.map((paths) => [{ name: 'constructor', path: paths }]),
  });
  const payloads = fc.oneof(
    fc.jsonValue({ maxDepth: 5 }),
    fc.record({ a: fc.jsonValue(), list: fc.array(fc.record({ a: fc.jsonValue() })) }),
  );
  fc.assert(
    fc.property(mappings, payloads, (mapping, root) => {
      const list = (root as { list?: unknown[] } | null)?.list;
      const element = Array.isArray(list) && list.length > 0 ? list.at(-1) : root;
      const run = () => apply(mapping, root, element, 0);
      const { overrides } = run();
      if (overrides.severity !== undefined) expect(severities).toContain(overrides.severity);
      if (overrides.title !== undefined) expect(typeof overrides.title).toBe('string');
      if (overrides.occurredAt !== undefined) expect(overrides.occurredAt).toMatch(/Z$/);
      expect(JSON.stringify(run())).toBe(JSON.stringify(run()));
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    }),
  );
});
