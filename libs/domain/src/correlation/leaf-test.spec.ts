import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allLeaves, couldHold, readCondition, type ConditionSubject } from '../conditions/index.ts';
import { leafTest } from './leaf-test.ts';
import { anAlert } from './scenario.ts';

const words = ['', 'api', 'API', 'db', 'a', 'High', 'high', 'disk full', 'é'];
const lists = fc.array(fc.constantFrom(...words), { maxLength: 4 });
const word = fc.constantFrom(...words);
const leaves = fc.record({
  field: fc.constantFrom(
    ...['title', 'description', 'severity', 'status', 'kind', 'connector', 'source', 'url', 'service', 'services'],
    ...['tags', 'webhook_id', 'custom_fields.team', 'metadata.x', 'unheard'],
  ),
  operator: fc.constantFrom(
    ...['equals', 'not_equals', 'contains', 'not_contains', 'starts_with', 'ends_with', 'in', 'not_in', 'intersects'],
    ...['exists', 'matches_regex'],
  ),
  value: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.constant(5)),
});
const subjects = fc
  .record({ title: word, description: word, source: fc.option(word), url: fc.option(word), services: lists })
  .chain((fields) =>
    fc
      .record({ tags: lists, severity: fc.constantFrom('high', 'low'), team: word })
      .map(({ team, ...others }): ConditionSubject => ({
        ...anAlert('r', 0),
        ...fields,
        ...(others as Pick<ConditionSubject, 'tags' | 'severity'>),
        customFields: { team },
        fields: { x: team },
      })),
  );

it('a compiled leaf says what its condition says', () => {
  let asked = 0;
  let held = 0;
  fc.assert(
    fc.property(leaves, subjects, (document, subject) => {
      const read = readCondition(document);
      if (!read.ok) return;
      const [leaf] = allLeaves(read.condition);
      if (!leaf) throw new Error('no leaf');
      const expected = couldHold(leaf, subject);
      expect(leafTest(leaf)(subject)).toBe(expected);
      asked += 1;
      if (expected) held += 1;
    }),
    { numRuns: 5_000 },
  );
  expect(asked).toBeGreaterThan(1_000);
  expect(held).toBeGreaterThan(asked / 10);
  expect(held).toBeLessThan(asked * 0.9);
});

it('reads lists longer than conditions look at as conditions do', () => {
  const read = readCondition({ field: 'services', operator: 'equals', value: 'last' });
  const leaf = read.ok ? allLeaves(read.condition)[0] : undefined;
  if (!leaf) throw new Error('no leaf');
  const services = [...Array.from({ length: 1_000 }, (_, index) => `s${index}`), 'last'];
  const subject = { ...anAlert('r', 0), services };
  expect(leafTest(leaf)(subject)).toBe(couldHold(leaf, subject));
});
