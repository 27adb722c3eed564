import { Notes } from '@tocsin/domain/mapping';
import { describe, expect, it } from 'vitest';
import { compileChain, instantFrom, listFrom, textFrom } from './fields.ts';
import type { FieldSources, Reading } from './source-connector.ts';

const readingOf = (element: unknown): Reading => ({
  element,
  root: { outer: 'around', list: ['x', 'y'] },
  receivedAt: '2026-11-21T09:00:00.000Z',
  receiptId: 'rcv_a',
  headers: {},
});
const textOf = (sources: FieldSources, element: unknown) => {
  const notes = new Notes();
  return { text: textFrom(compileChain(sources), readingOf(element), notes, 'title'), notes: notes.all() };
};
const FIRST = [{ code: 'first-of-list', path: 'title' }];

describe('a text of a chain', () => {
  it.each<[string, FieldSources, unknown, string | undefined, unknown]>([
    ['a key', ['$.a'], { a: 'one' }, 'one', []],
    ['zero and false', ['$.a', '$.b'], { a: 0, b: 'later' }, '0', []],
    ['the next source where the first is blank', ['$.a', '$.b'], { a: ' ', b: 'later' }, 'later', []],
    ['the first of a list, with a note', ['$.a', '$.b'], { a: ['one', 'two'], b: 'later' }, 'one', FIRST],
    ['the first of a list that is not empty', ['$.a'], { a: ['', null, 'two'] }, 'two', []],
    ['the next source where the list is empty', ['$.a', '$.b'], { a: [], b: 'later' }, 'later', []],
    ['the first of several found', ['$.a[*].n'], { a: [{ n: 'one' }, { n: 'two' }] }, 'one', FIRST],
    ['the only one found', ['$.a[*].n'], { a: [{}, { n: 'two' }] }, 'two', []],
    ['what a function gives', [() => ['one', 'two']], {}, 'one', FIRST],
    ['what stands around the element', ['$root.outer'], {}, 'around', []],
    ['nothing', ['$.a', () => undefined], {}, undefined, []],
  ])('is %s', (_what, sources, element, text, notes) => {
    expect(textOf(sources, element)).toEqual({ text, notes });
  });
});

describe('a list of a chain', () => {
  it.each<[FieldSources, unknown, string[]]>([
    [['$.a'], { a: ['one', 2] }, ['one', '2']],
    [['$.a[*].n'], { a: [{ n: 'one' }, { n: ['two', 'three'] }] }, ['one', 'two', 'three']],
    [['$.a', '$root.list'], { a: '' }, ['x', 'y']],
    [['$.a'], { a: { team: 'edge', area: 'web' } }, ['area:web', 'team:edge']],
  ])('of %j', (sources, element, list) => {
    expect(listFrom(compileChain(sources), readingOf(element))).toEqual(list);
  });
});

describe('an instant of a chain', () => {
  it('passes over what is not set, and notes what cannot be read', () => {
    const notes = new Notes();
    const chain = compileChain(['$.a', '$.b', '$.c[*]']);
    const instant = instantFrom(chain, readingOf({ a: 0, b: 'soon', c: ['later', '2026-11-21T08:00:00Z'] }), notes);
    expect(instant).toBe('2026-11-21T08:00:00.000Z');
    expect(notes.all()).toMatchObject([{ code: 'time-unreadable', detail: 'soon' }]);
  });
});
