import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Payload } from './compile.ts';
import { decodePayload } from './decode.ts';
import { repairJson } from './decoding/json-repair.ts';
import type { Decoding, SourceConnector } from './source-connector.ts';

type How = Pick<SourceConnector, 'decode' | 'unwrap'>;
const FORM = 'application/x-www-form-urlencoded';

const read = (how: How, body: string | Uint8Array, more: Partial<Payload> = {}) =>
  decodePayload(how, { bytes: Buffer.from(body as string), contentType: null, ...more });
const rootOf = (...given: Parameters<typeof read>): unknown => {
  const decoded = read(...given);
  return decoded.kind === 'decoded' ? decoded.root : decoded;
};

describe('json', () => {
  const json: How = { decode: ['json'] };

  it.each(['application/json', 'text/plain; charset=UTF-8', FORM, 'nonsense', null])(
    'is read when the type is %s',
    (contentType) => expect(rootOf(json, '{"a":1}', { contentType })).toEqual({ a: 1 }),
  );

  it('may begin with a byte order mark', () => expect(rootOf(json, '\uFEFF{"a":1}')).toEqual({ a: 1 }));

  it('is read in the charset that it is in', () => {
    const latin = { contentType: 'application/json; charset="ISO-8859-1"' };
    expect(rootOf(json, Buffer.from('{"a":"Köln"}', 'latin1'), latin)).toEqual({ a: 'Köln' });
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('{"a":"Köln"}', 'utf16le')]);
    expect(rootOf(json, utf16)).toEqual({ a: 'Köln' });
    expect(rootOf(json, '{"a":"Köln"}', { contentType: 'application/json; charset=klingon' })).toEqual({ a: 'Köln' });
  });

  it('notes bytes that are no UTF-8', () =>
    expect(read(json, Buffer.from('{"a":"K\xf6ln"}', 'latin1'))).toMatchObject({
      kind: 'decoded',
      note: 'invalid-utf8',
    }));

  it('keeps integers beyond 2^53 as they were written', () =>
    expect(rootOf(json, '{"id":9007199254740993}')).toEqual({ id: '9007199254740993' }));

  it.each(['', '  \n', 'not json', '{"a":1', '{"a":1}{"b":2}'])('says what is wrong with %j', (body) =>
    expect(read(json, body).kind).toBe('undecodable'),
  );

  it('survives a million brackets', () => {
    const begun = performance.now();
    expect(read(json, '['.repeat(1_000_000)).kind).toBe('undecodable');
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('forms', () => {
  const payload: How = { decode: [{ formField: 'payload' }, 'json'] };
  const multipart = (boundary: string, ...parts: string[]) =>
    `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`;

  it('open the field that holds JSON', () =>
    expect(rootOf(payload, `x=1&payload=${encodeURIComponent('{"a":"b c+d"}')}`, { contentType: FORM })).toEqual({
      a: 'b c+d',
    }));

  it('open a field of a multipart body, files aside', () => {
    const body = multipart(
      'b0und',
      'Content-Disposition: form-data; name="payload"; filename="x.json"\r\n\r\n{"a":"file"}',
      'Content-Disposition: form-data; name="payload"\r\nContent-Type: application/json\r\n\r\n{"a":"ü"}',
    );
    expect(rootOf(payload, body, { contentType: 'multipart/form-data; boundary="b0und"' })).toEqual({ a: 'ü' });
  });

  it('are passed over when the body is JSON all the same', () =>
    expect(rootOf(payload, '{"a":1}', { contentType: FORM })).toEqual({ a: 1 }));

  it('give their fields as texts, the first of a name', () =>
    expect(rootOf({ decode: ['form'] }, 'a=1&b=x%20y+z&a=2&__proto__=9', { contentType: FORM })).toEqual({
      a: '1',
      b: 'x y z',
    }));

  it('keep the caps of the gateway for the JSON inside', () => {
    const deep = `${'['.repeat(100)}${']'.repeat(100)}`;
    expect(read(payload, `payload=${deep}`, { contentType: FORM }).kind).toBe('undecodable');
  });

  it('and parameters of the address count where there is no body, credentials aside', () => {
    const query = 'monitorID=7&token=secret&auth_token=x&integrationId=whk_1&msg=a%26b';
    expect(rootOf({ decode: ['json', 'query'] }, '', { query })).toEqual({ monitorID: '7', msg: 'a&b' });
    expect(rootOf({ decode: ['json', 'query'] }, '{"a":1}', { query })).toEqual({ a: 1 });
    expect(read({ decode: ['json', 'query'] }, '', { query: 'token=x' }).kind).toBe('undecodable');
  });
});

describe('documents inside', () => {
  it('take the place of their text', () => {
    const how: How = { decode: ['json'], unwrap: [{ at: ['Message'], encoding: 'json', becomes: 'value' }] };
    expect(rootOf(how, '{"T":1,"Message":"{\\"a\\":1}"}')).toEqual({ T: 1, Message: { a: 1 } });
    for (const message of ['plain text', '42', '{broken']) {
      const body = JSON.stringify({ Message: message });
      expect(rootOf(how, body)).toEqual({ Message: message });
    }
    const deep = JSON.stringify({ Message: `${'['.repeat(100)}${']'.repeat(100)}` });
    expect(rootOf(how, deep)).toEqual(JSON.parse(deep));
  });

  it('become the whole value out of base64', () => {
    const how: How = {
      decode: ['json'],
      unwrap: [{ at: ['message', 'data'], encoding: 'base64-json', becomes: 'root' }],
    };
    const data = Buffer.from('{"incident":{}}').toString('base64');
    expect(rootOf(how, JSON.stringify({ message: { data } }))).toEqual({ incident: {} });
    expect(rootOf(how, '{"message":{"data":"%%%"}}')).toEqual({ message: { data: '%%%' } });
  });
});

describe('broken JSON', () => {
  it('is a list where objects come back to back', () => {
    const how: How = { decode: ['json', 'json-sequence'] };
    expect(rootOf(how, '{"a":"}{"}\n{"b":9007199254740993},[3]')).toEqual([
      { a: '}{' },
      { b: '9007199254740993' },
      [3],
    ]);
    for (const body of ['{"a":1}}', '{"a":1} x', '{"a":1}{"b"']) expect(read(how, body).kind).toBe('undecodable');
  });

  const repaired: How = { decode: ['json', 'repaired-json'] };
  it.each([
    ['{"a":"say "hi" to b","c":1}', { a: 'say "hi" to b', c: 1 }],
    ['{"a":"line\nbreak\ttab"}', { a: 'line\nbreak\ttab' }],
    ['{"a":"C:\\share\\x","b":"\\u00e9\\n"}', { a: 'C:\\share\\x', b: 'é\n' }],
    ['{"a":[1,2,],"b":"x",}', { a: [1, 2], b: 'x' }],
    ['{"a":,"b":}', { a: null, b: null }],
    [
      '{"a":"he said "yes", then left","b":["one "two" three"]}',
      { a: 'he said "yes", then left', b: ['one "two" three'] },
    ],
  ])('is mended: %j', (body, root) =>
    expect(read(repaired, body)).toEqual({ kind: 'decoded', root, note: 'json-repaired' }),
  );

  it('is not touched where it is not broken', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(JSON.parse(repairJson(text))).toEqual(JSON.parse(text));
        expect(read(repaired, text)).not.toHaveProperty('note');
      }),
    );
  });

  it('is mended only for a connector that says so', () =>
    expect(read({ decode: ['json'] }, '{"a":"x "y" z"}').kind).toBe('undecodable'));
});

it('never throws, whatever the body and however it is to be read', () => {
  const all: Decoding[] = ['json', 'json-sequence', { formField: 'a' }, 'form', 'query', 'repaired-json'];
  const types = fc.constantFrom(
    null,
    FORM,
    'multipart/form-data; boundary=x',
    'multipart/form-data',
    'text/plain; charset=utf-16be',
  );
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.stringMatching(/^[{}[\]":,\\a=&\n-]{0,40}$/).map((text) => Buffer.from(text)),
  );
  const how: How = { decode: all, unwrap: [{ at: ['a'], encoding: 'json', becomes: 'root' }] };
  fc.assert(
    fc.property(bodies, types, fc.string(), (bytes, contentType, query) => {
      expect(['decoded', 'undecodable']).toContain(decodePayload(how, { bytes, contentType, query }).kind);
    }),
    { numRuns: 500 },
  );
});
