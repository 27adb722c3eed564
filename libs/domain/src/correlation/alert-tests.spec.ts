import fc from 'fast-check';
import { expect, it } from 'vitest';
import { allLeaves, couldHold, readCondition, type CompiledLeaf } from '../conditions/index.ts';
import { AlertTests } from './alert-tests.ts';
import { anAlert } from './scenario.ts';

const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '😀'), maxLength: 6 });
const leaves = fc.array(
  fc.record({
    field: fc.constantFrom('title', 'title', 'description', 'severity', 'source'),
    operator: fc.constantFrom('contains', 'contains', 'not_contains', 'equals'),
    value: letters,
  }),
  { minLength: 1, maxLength: 30 },
);
const alerts = fc.array(fc.record({ title: letters, description: letters, source: fc.option(letters) }), {
  minLength: 1,
  maxLength: 4,
});

const leafOf = (document: unknown): CompiledLeaf => {
  const read = readCondition(document);
  const leaf = read.ok ? allLeaves(read.condition)[0] : undefined;
  if (!leaf) throw new Error('no leaf');
  return leaf;
};

it('answers for each alert what its conditions say, whichever of them is asked first', () => {
  let held = 0;
  fc.assert(
    fc.property(leaves, alerts, (documents, subjects) => {
      const tests = new AlertTests();
      const asked = documents.map((document) => ({ leaf: leafOf(document), test: tests.numberOf(leafOf(document)) }));
      for (const subject of subjects) {
        const alert = anAlert('r', 0, subject);
        tests.ask(alert);
        for (const { leaf, test } of asked) {
          const expected = couldHold(leaf, alert);
          expect(tests.holds(test)).toBe(expected);
          if (expected && leaf.operator === 'contains' && String(leaf.value).length > 1) held += 1;
        }
      }
    }),
    { numRuns: 1_000 },
  );
  expect(held).toBeGreaterThan(100); // words were found, too
});
