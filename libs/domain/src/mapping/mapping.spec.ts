import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, valueAt } from './json.ts';
import { alertLimits, limitFields, limitList, limitText } from './limits.ts';
import { Notes } from './notes.ts';
import { instantOf, isUnsetTime } from './times.ts';
import { isEmpty, listOf, pairsOf, textOf } from './values.ts';
import { severityOf, statusOf } from './vocabulary.ts';

describe('parsing JSON', () => {
  it('keeps the digits of integers beyond 2^53 and of numbers beyond a double', () =>
    expect(
      parseJson(
        '{"ns":1745000000123456789,"neg":-9223372036854775808,"big":1e400,"ok":9007199254740991,"float":0.12345678901234567}',
      ),
    ).toEqual({
      ns: '1745000000123456789',
      neg: '-9223372036854775808',
      big: '1e400',
      ok: 9007199254740991,
      float: 0.12345678901234567,
    }));

  it('agrees with JSON.parse wherever that loses nothing', () =>
    fc.assert(
      fc.property(fc.json(), (text) => {
        fc.pre(!/\d{16}/.test(text));
        expect(parseJson(text)).toEqual(JSON.parse(text));
      }),
    ));

  it('follows own properties only', () => {
    expect(valueAt({ a: [{ b: 0 }] }, 'a', 0, 'b')).toBe(0);
    expect(valueAt({}, 'constructor', 'name')).toBeUndefined();
    expect(valueAt('text', 'length')).toBeUndefined();
  });
});

describe('values', () => {
  it('passes over null, undefined and empty only', () => {
    for (const empty of [null, undefined, '', '  ', []]) expect(isEmpty(empty)).toBe(true);
    for (const value of [0, false, '0', {}, [0]]) expect(isEmpty(value)).toBe(false);
  });

  it.each([
    [0, '0'],
    [false, 'false'],
    [{ name: 'n', summary: 's' }, 's'],
    [{ summary: '', name: 'n' }, 'n'],
    [{ value: 0 }, '0'],
    [['', null, 'x'], 'x'],
    [{ other: 1 }, undefined],
    [[[1]], undefined],
  ])('reads the text of %j as %j', (value, text) => expect(textOf(value)).toBe(text));

  it('reads lists, single values and label maps', () => {
    expect(listOf(['a', null, { name: 'b' }, 0])).toEqual(['a', 'b', '0']);
    expect(listOf('one')).toEqual(['one']);
    expect(listOf({ z: 1, a: 'x', gone: null })).toEqual(['a:x', 'z:1']);
    expect(pairsOf({ name: 'x' })).toEqual(['name:x']);
  });
});

describe('vocabularies', () => {
  it.each([
    ['CRITICAL ', 'critical', 'critical'],
    ['high', 'high', 'critical'],
    ['error', 'high', 'high'],
    ['warning', 'medium', 'medium'],
    ['low', 'low', 'info'],
    ['info', 'info', 'info'],
    ['page', 'critical', 'critical'],
    ['none', 'info', 'info'],
    ['P1', 'critical', 'critical'],
    ['p3 - later', 'medium', 'medium'],
    ['SEV-2', 'high', 'high'],
    ['Severity 5', 'info', 'info'],
    ['0', 'critical', 'critical'],
    ['whatever', undefined, undefined],
    ['5xx', undefined, undefined],
    ['constructor', undefined, undefined],
  ])('reads severity %j as %s, in the opsknight profile as %s', (word, tocsin, opsknight) => {
    expect(severityOf(word, 'tocsin')).toBe(tocsin);
    expect(severityOf(word, 'opsknight')).toBe(opsknight);
  });

  it.each([
    ['Firing', 'triggered'],
    ['problem_open', 'triggered'],
    [' new ', 'triggered'],
    ['OK', 'resolved'],
    ['Recovered', 'resolved'],
    ['manually resolved', 'resolved'],
    ['ack', 'acknowledged'],
    ['In Progress', 'acknowledged'],
    ['sideways', undefined],
    ['toString', undefined],
  ])('reads status %j as %s', (word, status) => expect(statusOf(word)).toBe(status));
});

describe('times', () => {
  it.each([
    ['2026-11-20T08:15:30.123456789Z', '2026-11-20T08:15:30.123Z'],
    ['2026-11-20T09:15:30+01:00', '2026-11-20T08:15:30.000Z'],
    ['2026-11-20T08:15:30.5+0000', '2026-11-20T08:15:30.500Z'],
    ['2026-11-20 08:15:30 UTC', '2026-11-20T08:15:30.000Z'],
    ['2026-11-20 08:15:30', '2026-11-20T08:15:30.000Z'],
    [1_795_000_000, '2026-11-18T11:06:40.000Z'],
    ['1795000000123', '2026-11-18T11:06:40.123Z'],
    ['1795000000123456789', '2026-11-18T11:06:40.123Z'],
    ['Wed Oct 07 08:25:04 GMT 2026', '2026-10-07T08:25:04.000Z'],
    ['Wed Oct 07 08:25:04 CEST 2026', '2026-10-07T06:25:04.000Z'],
    ['Wed Oct 07 08:25:04 XYZ 2026', undefined],
    ['27 Jan 2021 16:00 GMT', '2021-01-27T16:00:00.000Z'],
    ['Tue, 06 Oct 2026 16:00:05 GMT', '2026-10-06T16:00:05.000Z'],
    ['0001-01-01T00:00:00Z', undefined],
    ['20122-01-01T00:00:00Z', undefined],
    ['2026-13-40T00:00:00Z', undefined],
    ['yesterday', undefined],
    [0, undefined],
    [true, undefined],
  ])('reads %j as %s', (value, instant) => expect(instantOf(value)).toBe(instant));

  // A space before the zone is read the careful way.
  it('reads the plain forms as it reads every other', () => {
    const two = (most: number) => fc.integer({ min: 0, max: most }).map((part) => String(part).padStart(2, '0'));
    const year = fc.oneof(fc.integer({ min: 1980, max: 2210 }), fc.constantFrom(1989, 1990, 2199, 2200)).map(String);
    const fraction = fc.option(fc.stringMatching(/^\.\d{1,9}$/));
    const offset = fc.tuple(fc.constantFrom('+', '-'), two(25), fc.constantFrom('', ':'), two(61));
    const zone = fc.oneof(
      fc.constant('Z'),
      offset.map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(
        fc.tuple(year, two(13), two(32)),
        fc.tuple(two(25), two(61), two(62)),
        fraction,
        zone,
        (day, time, rest, where) => {
          const text = `${day.join('-')}T${time.join(':')}${rest ?? ''}`;
          expect(instantOf(`${text}${where}`)).toBe(instantOf(`${text} ${where}`));
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('knows the ways to say "not set"', () => {
    for (const value of ['0001-01-01T00:00:00Z', '', 0, -1, '-1', null, undefined])
      expect(isUnsetTime(value)).toBe(true);
    for (const value of ['yesterday', 1_795_000_000]) expect(isUnsetTime(value)).toBe(false);
  });
});

describe('limits', () => {
  it('cut a text with a mark and a note, never through a surrogate pair', () => {
    const notes = new Notes();
    const cut = limitText('😀'.repeat(8_000), notes, 'description');
    expect(cut.length).toBeLessThanOrEqual(alertLimits.characters);
    expect(cut.isWellFormed()).toBe(true);
    expect(cut.endsWith('… [truncated]')).toBe(true);
    expect(cut).not.toContain('\uFFFD');
    expect(notes.all()).toEqual([{ code: 'text-truncated', path: 'description', detail: '16000 characters' }]);
  });

  it('replace what a database cannot hold', () => {
    const notes = new Notes();
    expect(limitText('a\0b\uD800c', notes, 'title')).toBe('a\uFFFDb\uFFFDc');
    expect(notes.all()).toEqual([{ code: 'text-cleaned', path: 'title' }]);
  });

  it('keep 100 distinct items of a list', () => {
    const notes = new Notes();
    expect(limitList(['a', 'a', ...Array.from({ length: 150 }, (_, n) => `t${n}`)], notes, 'tags')).toHaveLength(100);
    expect(notes.all()[0]?.code).toBe('list-truncated');
  });

  it('keep fields within depth, items and bytes whatever they are, and repeatably', () => {
    const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'a\0b'));
    const { value } = fc.letrec<{ value: unknown; tree: unknown }>((tie) => ({
      value: fc.oneof({ maxDepth: 14 }, fc.string(), fc.integer(), fc.boolean(), tie('tree')),
      tree: fc.oneof(fc.array(tie('value'), { maxLength: 5 }), fc.dictionary(key, tie('value'), { maxKeys: 4 })),
    }));
    fc.assert(
      fc.property(fc.dictionary(key, value), (fields) => {
        const kept = limitFields(fields, new Notes(), 400);
        const text = JSON.stringify(kept);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(400);
        expect(text).not.toContain('\\u0000');
        expect(Object.hasOwn(kept, '__proto__')).toBe(false);
        expect(JSON.stringify(limitFields(fields, new Notes(), 400))).toBe(text);
      }),
    );
    expect(Object.prototype).not.toHaveProperty('polluted');
  });

  it('mark what is nested too deep and shorten before they drop', () => {
    const notes = new Notes();
    let deep: unknown = 'end';
    for (let level = 0; level < 30; level += 1) deep = { deep };
    const kept = limitFields(
      { first: 'small', long: Array.from({ length: 60 }, () => 'x'.repeat(9_000)), deep },
      notes,
    );
    expect(Buffer.byteLength(JSON.stringify(kept))).toBeLessThanOrEqual(alertLimits.fieldsBytes);
    expect(kept).toMatchObject({ first: 'small' });
    expect(kept['long']).toHaveLength(60);
    expect(JSON.stringify(kept)).toContain('nested too deep');
    expect(notes.all().map((note) => note.code)).toEqual(
      expect.arrayContaining(['depth-truncated', 'fields-truncated']),
    );
  });

  it('stop copying where a payload is far too large', () => {
    const wide = Object.fromEntries(Array.from({ length: 60_000 }, (_, n) => [`k${n}`, n]));
    expect(Buffer.byteLength(JSON.stringify(limitFields(wide, new Notes())))).toBeLessThanOrEqual(
      alertLimits.fieldsBytes,
    );
  });
});
