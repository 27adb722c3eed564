import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileMapping, emptyMapping, mappingLimits, readMapping } from './index.ts';

const problemsOf = (input: unknown) => {
  const read = readMapping(input);
  return read.ok ? [] : read.problems;
};
const mappingOf = (input: unknown) => {
  const read = readMapping(input);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.mapping;
};

describe('a mapping at save', () => {
  it.each([undefined, null, {}])('may be empty: %j', (input) => expect(mappingOf(input)).toEqual(emptyMapping));

  it('reads one path as a chain of one, and leaves out what is empty', () =>
    expect(mappingOf({ fields: { title: ' $.a ', severity: ['$.b', 'c.d'], status: '', url: null } }).fields).toEqual({
      title: ['$.a'],
      severity: ['$.b', 'c.d'],
    }));

  it('takes field_mapping for fields, and dedup_key beside them for the one among them', () => {
    expect(mappingOf({ field_mapping: { title: '$.a', dedup_key: '$.id' } }).fields).toEqual({
      title: ['$.a'],
      dedup_key: ['$.id'],
    });
    expect(mappingOf({ dedup_key: ['$.id', '$.key'] }).fields).toEqual({ dedup_key: ['$.id', '$.key'] });
    expect(mappingOf({ fields: { dedup_key: '$.a' }, dedup_key: '$.b' }).fields).toEqual({ dedup_key: ['$.a'] });
  });

  it('keeps tables, defaults and named fields in one form', () =>
    expect(
      mappingOf({
        severity: { ' warning ': 'MEDIUM', P1: 'critical' },
        status: { FIXED: 'resolved' },
        defaults: { severity: 'Low', services: 'shop', tags: ['a', 1], title: 0 },
        custom_fields: [
          { name: 'retries', type: 'number', default_value: '3', path: '$.retries', description: 'How often' },
        ],
        extracted_fields: [{ name: 'region', path: ['$.region', '$.zone'] }],
      }),
    ).toEqual({
      fields: {},
      severity: { warning: 'medium', P1: 'critical' },
      status: { FIXED: 'resolved' },
      defaults: { severity: 'low', services: ['shop'], tags: ['a', '1'], title: '0' },
      custom_fields: [
        { name: 'retries', type: 'number', default_value: 3, path: ['$.retries'], description: 'How often' },
      ],
      extracted_fields: [{ name: 'region', path: ['$.region', '$.zone'] }],
    }));

  it('shows the column of a path that cannot be read', () =>
    expect(problemsOf({ fields: { title: ['$.ok', '$.a[?(@.x)]'] } })).toEqual([
      {
        path: 'mapping.fields.title[1]',
        code: 'path-syntax',
        message: expect.stringContaining('(column 5)') as string,
        column: 5,
      },
    ]));

  const custom = (over: object) => ({ custom_fields: [{ name: 'a', type: 'string', path: '$.a', ...over }] });
  it.each([
    ['a list for the mapping', [], 'mapping', 'wrong-type'],
    ['a text for the fields', { fields: 'x' }, 'mapping.fields', 'wrong-type'],
    ['an unknown section', { colour: {} }, 'mapping.colour', 'unknown-key'],
    ['an unknown field', { fields: { colour: '$.a' } }, 'mapping.fields.colour', 'unknown-key'],
    [
      'a field named like a prototype',
      JSON.parse('{"fields":{"__proto__":"$.a"}}'),
      'mapping.fields.__proto__',
      'unknown-key',
    ],
    ['both names of the fields', { fields: {}, field_mapping: {} }, 'mapping.field_mapping', 'unknown-key'],
    ['a number for a path', { fields: { title: 7 } }, 'mapping.fields.title', 'wrong-type'],
    ['an empty path in a chain', { fields: { title: ['$.a', ''] } }, 'mapping.fields.title[1]', 'path-syntax'],
    ['a slow path', { fields: { title: '$..*..*..*' } }, 'mapping.fields.title', 'path-syntax'],
    [
      'too many paths',
      { fields: { title: Array.from({ length: 11 }, () => '$.a') } },
      'mapping.fields.title',
      'too-many',
    ],
    ['an unknown level', { severity: { red: 'purple' } }, 'mapping.severity.red', 'unknown-value'],
    ['a level that is no text', { severity: { red: 1 } }, 'mapping.severity.red', 'unknown-value'],
    ['a word twice', { severity: { Red: 'high', red: 'low' } }, 'mapping.severity.red', 'duplicate-name'],
    ['an empty word', { status: { ' ': 'resolved' } }, 'mapping.status', 'bad-name'],
    [
      'a default level that is none',
      { defaults: { severity: 'purple' } },
      'mapping.defaults.severity',
      'unknown-value',
    ],
    ['a default that may not be', { defaults: { dedup_key: 'x' } }, 'mapping.defaults.dedup_key', 'unknown-key'],
    ['an object for a default text', { defaults: { title: {} } }, 'mapping.defaults.title', 'wrong-type'],
    ['a default that is too long', { defaults: { title: 'x'.repeat(1_001) } }, 'mapping.defaults.title', 'too-long'],
    ['an object for the custom fields', { custom_fields: {} }, 'mapping.custom_fields', 'wrong-type'],
    ['a text for a custom field', { custom_fields: ['x'] }, 'mapping.custom_fields[0]', 'wrong-type'],
    ['no name', custom({ name: '' }), 'mapping.custom_fields[0].name', 'required'],
    ['no path', custom({ path: [] }), 'mapping.custom_fields[0].path', 'required'],
    ['a name in capitals', custom({ name: 'Retries' }), 'mapping.custom_fields[0].name', 'bad-name'],
    ['a name with a dash', custom({ name: 'a-b' }), 'mapping.custom_fields[0].name', 'bad-name'],
    ['a name of a prototype', custom({ name: '__proto__' }), 'mapping.custom_fields[0].name', 'bad-name'],
    ['a name that is too long', custom({ name: 'a'.repeat(65) }), 'mapping.custom_fields[0].name', 'too-long'],
    ['an unknown type', custom({ type: 'colour' }), 'mapping.custom_fields[0].type', 'unknown-value'],
    [
      'a default of another type',
      custom({ type: 'number', default_value: 'many' }),
      'mapping.custom_fields[0].default_value',
      'default-mismatch',
    ],
    ['an unknown key of a field', custom({ colour: 1 }), 'mapping.custom_fields[0].colour', 'unknown-key'],
    [
      'one name for two fields',
      { ...custom({}), extracted_fields: [{ name: 'a', path: '$.b' }] },
      'mapping.extracted_fields[0].name',
      'duplicate-name',
    ],
    [
      'too many fields',
      { extracted_fields: Array.from({ length: 101 }, (_one, i) => ({ name: `f${i}`, path: '$.a' })) },
      'mapping.extracted_fields',
      'too-many',
    ],
  ])('refuses %s', (_name, input: unknown, path, code) => expect(problemsOf(input)).toMatchObject([{ path, code }]));

  it('shows all problems at once, up to a limit', () => {
    expect(problemsOf({ fields: { title: '$.a[', colour: '' }, severity: 3 }).map(({ path }) => path)).toEqual([
      'mapping.fields.colour',
      'mapping.fields.title',
      'mapping.severity',
    ]);
    const many = Object.fromEntries(Array.from({ length: 500 }, (_one, i) => [`k${i}`, 1]));
    expect(problemsOf(many)).toHaveLength(mappingLimits.problems);
  });

  it('reads anything without a throw, and what it accepts stays as it is', () => {
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.record(
        {
          fields: fc.dictionary(
            fc.constantFrom('title', 'severity', 'x'),
            fc.oneof(fc.string(), fc.array(fc.constantFrom('$.a', 'b[', '$..c'))),
          ),
          severity: fc.dictionary(fc.string(), fc.constantFrom('high', 'LOW', 'x')),
          defaults: fc.dictionary(fc.constantFrom('title', 'severity', 'tags'), fc.jsonValue({ maxDepth: 1 })),
          custom_fields: fc.array(
            fc.dictionary(
              fc.constantFrom('name', 'type', 'path', 'default_value'),
              fc.constantFrom('a', 'number', '$.a', '7'),
            ),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(anything, (input) => {
        const read = readMapping(input);
        if (!read.ok) {
          expect(read.problems.length).toBeGreaterThan(0);
          return;
        }
        expect(readMapping(read.mapping)).toEqual(read);
        expect(compileMapping(read.mapping).broken).toEqual([]);
      }),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
