import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { conditionOperators } from '@tocsin/contracts';
import { readCondition } from '@tocsin/domain/conditions';
import { compileRules } from '@tocsin/domain/correlation';
import { validated } from '@tocsin/nest-shell';
import { describe, expect, it } from 'vitest';
import { rulesOf } from './correlation-rule-sets.ts';
import { PutCorrelationRules } from './correlation.dto.ts';

/** Rule documents as manuals print them, where such pages lie beside the repository, and ones of the same structure. */
const folder = fileURLToPath(new URL('../../../../../shared/seeds/', import.meta.url));
const pages = existsSync(folder) ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8')) : [];

/** Every JSON object that begins a line. */
function objectsIn(page: string): object[] {
  return [...page.matchAll(/^\{/gm)].flatMap(({ index }) => {
    for (let end = page.indexOf('\n}', index); end >= 0; end = page.indexOf('\n}', end + 1))
      try {
        return [JSON.parse(page.slice(index, end + 2)) as object];
      } catch {
        continue; // it ends further down, or is something else
      }
    return [];
  });
}

/** Lines of a table that end in a condition: `… field operator value`, the value as JSON. */
function conditionsIn(page: string): { field: string; operator: string; value?: unknown }[] {
  const operators = conditionOperators.join('|');
  return [...page.matchAll(new RegExp(`^(${operators}).*?([a-z_.]+) (\\1)(?: (".*"|\\[.*\\]))?$`, 'gm'))].map(
    ([, , field = '', operator = '', value]) => ({ field, operator, ...(value && { value: JSON.parse(value) }) }),
  );
}

const isRuleDocument = (document: object): boolean => 'correlation_rules' in document || 'rules' in document;
const printed = pages.flatMap(objectsIn).filter(isRuleDocument);

const related = {
  name: 'Neighbours in trouble',
  priority: 2,
  weight: 0.7,
  conditions: {
    operator: 'and',
    items: [
      { field: 'tags', operator: 'intersects', value: [] },
      { field: 'severity', operator: 'in', value: ['medium', 'high'] },
      {
        operator: 'or',
        items: [
          { field: 'title', operator: 'regex', value: '^Cache .*evicted$' },
          { field: 'service', operator: 'starts_with', value: 'edge-' },
        ],
      },
    ],
  },
};
const own = [
  { enable_correlation: true, correlation_rules: { enabled: true, min_match_weight: 0.6, rules: [related] } },
  { correlation_rules: { enabled: true, rules: [{ ...related, enabled: true, applies_to: 'alert' }] } },
  { strategy: 'sum', min_match_weight: 1.2, rules: [related, { ...related, name: 'Once more', weight: 0.5 }] },
];

const asPut = (document: object) => rulesOf(validated(PutCorrelationRules, document));
interface Printed {
  correlation_rules?: Printed;
  rules?: { name: string }[];
}
const namesIn = ({ correlation_rules: wrapped, rules = wrapped?.rules ?? [] }: Printed): string[] =>
  rules.map(({ name }) => name);

describe('rule documents as they are printed', () => {
  it('are found where there are pages', () => {
    expect(printed.length > 0).toBe(pages.length > 0);
    expect(objectsIn(`See\n${JSON.stringify(own[0], null, 2)}\nand\n{ not JSON\n}\n`)).toEqual([own[0]]);
  });

  it.each([...own, ...printed].map((document, index) => [index, document] as const))(
    'are accepted, and every rule of them decides: %i',
    (_index, document) => {
      const stored = asPut(document);
      expect(stored?.rules.map(({ name }) => name)).toEqual(namesIn(document));
      expect(compileRules(stored, 'webhook')?.rules).toHaveLength(namesIn(document).length);
    },
  );

  it('name conditions that can be read, one by one', () => {
    const examples = pages.flatMap(conditionsIn);
    expect(examples.length > 0).toBe(pages.length > 0);
    expect(
      conditionsIn('endsEnds withwith\nends_withEnd of a texturl ends_with "/health"\nexistsIs thereurl exists'),
    ).toEqual([
      { field: expect.stringMatching(/url$/) as string, operator: 'ends_with', value: '/health' },
      { field: expect.stringMatching(/url$/) as string, operator: 'exists' },
    ]);
    for (const { field, operator, value = true } of examples)
      expect(readCondition({ field, operator, value }, { incident: true }), `${field} ${operator}`).toMatchObject({
        ok: true,
      });
  });
});
