import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCondition } from './read-condition.ts';

const problemsOf = (document: unknown, incident = true) => {
  const read = readCondition(document, { incident });
  return read.ok ? [] : read.problems.map(({ path, code }) => `${path}: ${code}`);
};
const leaf = { field: 'title', operator: 'equals', value: 'x' };
const nested = (depth: number): unknown => (depth === 1 ? leaf : { operator: 'and', items: [nested(depth - 1)] });

describe('what people type', () => {
  it.each([
    ['nothing', undefined, ': not-a-condition'],
    ['a list', [leaf], ': not-a-condition'],
    ['an empty object', {}, 'field: bad-field'],
    ['a group without a word', { items: [leaf] }, 'operator: unknown-operator'],
    ['an unknown word', { operator: 'nor', items: [leaf] }, 'operator: unknown-operator'],
    ['an empty group', { operator: 'and', items: [] }, 'items: empty-group'],
    ['an unknown key', { ...leaf, weight: 3 }, 'weight: unknown-key'],
    ['an operator that is none', { ...leaf, operator: 'matches' }, 'operator: unknown-operator'],
    ['no value', { field: 'title', operator: 'equals' }, 'value: value-missing'],
    ['a list for one value', { ...leaf, value: ['x'] }, 'value: value-type'],
    ['one value for a list', { ...leaf, operator: 'in' }, 'value: value-type'],
    ['an object as value', { ...leaf, value: { a: 1 } }, 'value: value-type'],
    ['an empty list', { ...leaf, operator: 'in', value: [] }, 'value: value-missing'],
    ['a word for exists', { ...leaf, operator: 'exists' }, 'value: value-type'],
    ['a long pattern', { ...leaf, operator: 'regex', value: 'a'.repeat(513) }, 'value: value-too-long'],
    ['too deep a nest', nested(6), `${'items[0].'.repeat(5).slice(0, -1)}: too-deep`],
    [
      'a condition deep inside',
      { operator: 'or', items: [leaf, { operator: 'and', items: [{ ...leaf, field: 4 }] }] },
      'items[1].items[0].field: bad-field',
    ],
    ['too many items', { operator: 'or', items: Array.from({ length: 51 }, () => leaf) }, 'items: too-many-items'],
  ])('%s is refused with its path', (_what, document, problem) => {
    expect(problemsOf(document)).toEqual([problem]);
  });

  it('names the position at which a pattern cannot be compiled', () => {
    const messageOf = (value: string) => {
      const read = readCondition({ field: 'title', operator: 'regex', value });
      return read.ok ? '' : read.problems[0]?.message;
    };
    expect(messageOf('^DB[z-a]$')).toMatch(/z-a at character 5$/);
    expect(messageOf('^DB(?=x)')).toMatch(/at character 4$/);
    expect(messageOf('(open')).toMatch(/missing closing \).* at character 6$/);
  });

  it('takes depth 5, and each operator', () => {
    expect(problemsOf(nested(5))).toEqual([]);
    expect(problemsOf({ field: 'metadata.a', operator: 'exists' })).toEqual([]);
  });

  it('says once that there are too many conditions in all', () => {
    const group = { operator: 'or', items: Array.from({ length: 50 }, () => leaf) };
    expect(problemsOf({ operator: 'and', items: Array.from({ length: 6 }, () => group) })).toEqual([
      'items[4].items[0]: too-many-conditions',
    ]);
  });

  it('warns of an unknown field, which is no error', () => {
    const read = readCondition({ field: 'metdata.team', operator: 'exists' });
    expect(read).toMatchObject({ ok: true, warnings: [{ path: 'field', code: 'unknown-field' }] });
  });

  it('knows the incident only where there is one', () => {
    const own = { field: 'services', operator: 'intersects', value: [] };
    expect(problemsOf(own, true)).toEqual([]);
    expect(problemsOf(own, false)).toEqual(['value: no-incident-here']);
    expect(problemsOf({ ...leaf, value: { incident: 'title' } }, false)).toEqual(['value: no-incident-here']);
  });

  it('never throws, and what it refuses has a path and a code', () =>
    fc.assert(
      fc.property(fc.anything({ maxDepth: 8 }), (document) => {
        const read = readCondition(document);
        if (!read.ok) expect(read.problems.length).toBeGreaterThan(0);
      }),
    ));
});
