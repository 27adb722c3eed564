import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonScanner, positionOf } from './json-scan.ts';

const roomy = new JsonScanner({ depth: 1_000, keys: 1_000_000 });
const capped = new JsonScanner({ depth: 64, keys: 50_000 });
const ALERTS = Buffer.from('alerts');
const parses = (bytes: Uint8Array): boolean => {
  try {
    JSON.parse(Buffer.from(bytes).toString('utf8'));
    return true;
  } catch {
    return false;
  }
};
const scan = (text: string, key?: Uint8Array) => roomy.scan(Buffer.from(text), key);

/** Texts near JSON: pieces of its grammar in any order, so that most are broken in one place only. */
const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '"a"',
  '"\\u00e9"',
  '"\\u12g4"',
  '"\\x"',
  '\\',
  '0',
  '01',
  '-',
  '-0',
  '1.',
  '1.5e+3',
  '1e',
  'true',
  'nul',
  'null',
  ' ',
  '\n',
  '\t',
  '\f',
  '\u00a0',
  'é',
  '\u2028',
  '\ufeff',
  '\u0000',
];
const nearJson = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
/** A JSON text with one byte changed, taken out or put in. */
const damaged = fc
  .tuple(fc.json({ maxDepth: 4 }), fc.nat(), fc.nat(255), fc.constantFrom('change', 'cut', 'insert', 'end'))
  .map(([text, where, byte, how]) => {
    const bytes = Buffer.from(text);
    const at = where % (bytes.length + 1);
    if (how === 'end') return bytes.subarray(0, at);
    return Buffer.concat([
      bytes.subarray(0, at),
      ...(how === 'cut' ? [] : [Buffer.from([byte])]),
      bytes.subarray(how === 'insert' ? at : at + 1),
    ]);
  });

describe('the verdict', () => {
  it.each([
    '',
    ' ',
    '{}',
    '[]',
    '[ ]',
    '{ }',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{"a":}',
    '{a:1}',
    '[,1]',
    '[1 2]',
    '1 2',
    '-',
    '-1',
    '01',
    '1.',
    '.5',
    '1e5',
    '1E-',
    '"',
    '"\\',
    '"\\u',
    '"\\u123"',
    '"\\ud800"',
    '"a\nb"',
    'tru',
    'truely',
    'null ',
    '{"a":{"b":[{}]}}',
    ']',
    '}',
    '[}',
    '{]',
    '{"a":1]',
    '[[]',
    '{"a":[1,2,{"b":null}]} x',
    "{'a':1}",
    'NaN',
    '[1,2',
  ])('is that of JSON.parse for %j', (text) => expect(scan(text).ok).toBe(parses(Buffer.from(text))));

  it('is that of JSON.parse for every JSON value', () => {
    fc.assert(
      fc.property(fc.json(), (text) => scan(text).ok),
      { numRuns: 500 },
    );
  });

  it('is that of JSON.parse for indented JSON and for keys of any kind', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        fc.constantFrom(1, 4, '\t'),
        (value, indent) => scan(JSON.stringify(value, null, indent)).ok,
      ),
      { numRuns: 300 },
    );
  });

  it('is that of JSON.parse for texts made of pieces of its grammar', () => {
    fc.assert(
      fc.property(nearJson, (text) => scan(text).ok === parses(Buffer.from(text))),
      { numRuns: 20_000 },
    );
  });

  it('is that of JSON.parse for damaged JSON', () => {
    fc.assert(
      fc.property(damaged, (bytes) => roomy.scan(bytes).ok === parses(bytes)),
      { numRuns: 5_000 },
    );
  });

  it('is that of JSON.parse for any bytes in a string', () => {
    const quoted = fc
      .uint8Array({ maxLength: 40 })
      .map((bytes) => Buffer.concat([Buffer.from('"'), bytes, Buffer.from('"')]));
    fc.assert(
      fc.property(quoted, (bytes) => roomy.scan(bytes).ok === parses(bytes)),
      { numRuns: 5_000 },
    );
  });

  it('does not depend on what was scanned before', () => {
    fc.assert(
      fc.property(nearJson, fc.json(), (broken, good) => {
        const before = scan(good, ALERTS);
        scan(broken, ALERTS);
        expect(scan(good, ALERTS)).toEqual(before);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the place of a fault', () => {
  it.each([
    ['{"a":1,}', 7],
    ['{"a":1', 6],
    ['', 0],
    ['[1,2', 4],
    ['{"title": oops}', 10],
    ['"abc', 4],
    ['[true, falsy]', 11],
    ['{} {}', 3],
  ])('of %j is offset %i', (text, offset) => expect(scan(text)).toEqual({ ok: false, fault: 'not-json', offset }));

  it('is never behind the end of the text', () => {
    fc.assert(
      fc.property(nearJson, (text) => {
        const found = scan(text);
        return found.ok || (found.offset >= 0 && found.offset <= Buffer.byteLength(text));
      }),
      { numRuns: 2_000 },
    );
  });

  it('is told in lines and in columns of characters', () => {
    const text = '{\n  "título": "x",\n  "é": }';
    const offset = Buffer.from(text).indexOf('}');
    expect(positionOf(Buffer.from(text), offset)).toEqual({ line: 3, column: 8 });
    expect(positionOf(Buffer.from('x'), 0)).toEqual({ line: 1, column: 1 });
  });
});

describe('the caps', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  const withKeys = (count: number) => `[${Array.from({ length: count }, () => '{"k":1}').join(',')}]`;

  it('let depth 64 pass and refuse depth 65 where it begins', () => {
    expect(capped.scan(Buffer.from(nested(64)))).toEqual({ ok: true, items: 1 });
    expect(capped.scan(Buffer.from(nested(65)))).toEqual({ ok: false, fault: 'too-deep', offset: 64 });
    expect(capped.scan(Buffer.from('{"a":'.repeat(65)))).toEqual({ ok: false, fault: 'too-deep', offset: 320 });
  });

  it('let 50,000 keys pass, over all objects, and refuse one more', () => {
    expect(capped.scan(Buffer.from(withKeys(50_000)))).toEqual({ ok: true, items: 50_000 });
    expect(capped.scan(Buffer.from(withKeys(50_001)))).toMatchObject({ ok: false, fault: 'too-many-keys' });
  });

  it('read no further than the cap in a body of brackets', () => {
    expect(capped.scan(Buffer.alloc(1024 * 1024, '['))).toEqual({ ok: false, fault: 'too-deep', offset: 64 });
    expect(capped.scan(Buffer.alloc(1024 * 1024, '{"a":'))).toEqual({ ok: false, fault: 'too-deep', offset: 320 });
  });
});

describe('the items', () => {
  it('are the elements of a root array', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (values) => {
        expect(scan(JSON.stringify(values))).toEqual({ ok: true, items: values.length });
      }),
    );
  });

  it('are the elements under the list key of the root object, wherever it stands', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.jsonValue(), (alerts, other) => {
        const text = JSON.stringify({
          version: '4',
          before: { alerts: [1, 2, 3, 4, 5] },
          alerts,
          after: [other, other],
        });
        expect(scan(text, ALERTS)).toEqual({ ok: true, items: alerts.length });
        expect(scan(text)).toEqual({ ok: true, items: 0 });
      }),
    );
  });

  it('are none in a scalar or another list', () => {
    expect(scan('"alerts"', ALERTS)).toEqual({ ok: true, items: 0 });
    expect(scan('{"tags":["a","b"]}', ALERTS)).toEqual({ ok: true, items: 0 });
  });
});
