import { conditionOperators, type ConditionDocument } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate, holds, type Asked } from './evaluate.ts';
import { plainFields, type ConditionSubject, type IncidentSubject } from './fields.ts';
import { readCondition } from './read-condition.ts';

const words = fc.constantFrom(
  'db',
  'api',
  'production',
  'env:production',
  'team:production',
  'HIGH',
  'high',
  'a.b',
  '5',
  '',
);
const scalars = fc.oneof(words, fc.integer({ min: 0, max: 6 }), fc.boolean());
const severities = fc.constantFrom('critical' as const, 'high' as const, 'low' as const);
const texts = fc.array(words, { maxLength: 3 });
const values: fc.Arbitrary<unknown> = fc.oneof(scalars, fc.constant(null), fc.array(scalars, { maxLength: 3 }));
const records = fc.dictionary(fc.constantFrom('x', 'y'), values, { maxKeys: 2 });
const subjects: fc.Arbitrary<ConditionSubject> = fc.record({
  title: words,
  description: words,
  severity: severities,
  status: fc.constantFrom('triggered' as const, 'resolved' as const),
  kind: fc.constant('alert' as const),
  connector: words,
  webhookId: words,
  source: fc.option(words),
  url: fc.option(words),
  services: texts,
  tags: texts,
  customFields: records,
  fields: records,
});
const fields = fc.oneof(fc.constantFrom(...plainFields), fc.constantFrom('custom_fields.x', 'metadata.y', 'bogus'));
const leaves: fc.Arbitrary<ConditionDocument> = fc
  .record({
    field: fields,
    operator: fc.constantFrom(...conditionOperators),
    one: scalars,
    list: fc.array(scalars, { minLength: 1, maxLength: 3 }),
    own: fields,
    use: fc.nat(3),
  })
  .map(({ field, operator, one, list, own, use }) => {
    if (operator === 'exists') return { field, operator, ...(use > 1 ? { value: use === 2 } : {}) };
    if (operator === 'regex') return { field, operator, value: `^${String(one).replaceAll('.', '\\.')}` };
    if (use === 0) return { field, operator, value: { incident: own } };
    const ofList = ['in', 'not_in', 'intersects'].includes(operator);
    return { field, operator, value: ofList ? list : one };
  });
const documents = fc.letrec<{ node: ConditionDocument }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaves,
    fc.record({
      operator: fc.constantFrom('and' as const, 'or' as const),
      items: fc.array(tie('node'), { minLength: 1, maxLength: 3 }),
    }),
  ),
})).node;

describe('conditions', () => {
  it('agree with a reference that is written as the rules read', () =>
    fc.assert(
      fc.property(
        documents,
        subjects,
        fc.option(subjects),
        fc.constantFrom('both' as const, 'alert' as const),
        (document, alert, other, appliesTo) => {
          const read = readCondition(document, { incident: true });
          if (!read.ok) throw new Error(JSON.stringify(read.problems));
          const asked: Asked = { alert, appliesTo, ...(other && { incident: other satisfies IncidentSubject }) };
          const expected = reference(document, asked);
          expect(holds(read.condition, asked)).toBe(expected);
          const explained = evaluate(read.condition, asked);
          expect(explained.holds).toBe(expected);
          expect(explained.decided.length).toBeGreaterThan(0);
          expect(
            explained.held === explained.conditions || !expected || JSON.stringify(document).includes('"or"'),
          ).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    ));

  it('never throw, whatever the payload holds', () =>
    fc.assert(
      fc.property(documents, subjects, fc.dictionary(fc.string(), fc.anything()), (document, alert, fields) => {
        const read = readCondition(document, { incident: true });
        if (read.ok)
          expect(typeof holds(read.condition, { alert: { ...alert, fields, customFields: fields } })).toBe('boolean');
      }),
    ));
});

const own = new Set(['title', 'severity', 'kind', 'connector', 'webhook_id', 'source', 'service', 'services', 'tags']);
const isOwn = (field: string) => own.has(field) || field.startsWith('custom_fields.');

function reference(node: ConditionDocument, asked: Asked): boolean {
  if ('items' in node)
    return node.operator === 'and'
      ? node.items.every((item) => reference(item, asked))
      : node.items.some((item) => reference(item, asked));
  const { field, operator } = node;
  const incident = asked.incident as ConditionSubject | undefined;
  const value = node.value as { incident?: string } | undefined;
  if (typeof value === 'object' && value !== null && 'incident' in value) {
    const its = value.incident ?? '';
    const known = incident !== undefined && isOwn(its);
    const positive = known && relate(operator, field, valuesOf(field, asked.alert), its, valuesOf(its, incident));
    return operator.startsWith('not_') ? !positive : positive;
  }
  const mine = constant(node, valuesOf(field, asked.alert));
  if (!incident || asked.appliesTo === 'alert' || !isOwn(field)) return mine;
  return mine && constant(node, valuesOf(field, incident));
}

const VOCABULARY = ['severity', 'status', 'kind', 'connector'];

function valuesOf(field: string, subject: ConditionSubject): string[] {
  const [root, key] = field.split('.');
  const raw: unknown =
    root === 'custom_fields'
      ? subject.customFields[key ?? '']
      : root === 'metadata'
        ? subject.fields[key ?? '']
        : field === 'service'
          ? subject.services
          : field === 'webhook_id'
            ? subject.webhookId
            : (subject as unknown as Record<string, unknown>)[field];
  const list = (Array.isArray(raw) ? raw : [raw]).filter((one) => one !== undefined && one !== null && one !== '');
  return list.map((one) => (VOCABULARY.includes(field) ? String(one).toLowerCase() : String(one)));
}

const bare = (tag: string) => (/^[^:]+:./s.test(tag) ? [tag.slice(tag.indexOf(':') + 1)] : []);
const forms = (field: string, list: string[]) => (field === 'tags' ? list.flatMap((tag) => [tag, ...bare(tag)]) : list);

function test(operator: string, texts: string[], expected: string[]): boolean {
  if (operator.endsWith('contains')) return texts.some((text) => expected.some((part) => text.includes(part)));
  if (operator === 'starts_with') return texts.some((text) => expected.some((part) => text.startsWith(part)));
  if (operator === 'ends_with') return texts.some((text) => expected.some((part) => text.endsWith(part)));
  return texts.some((text) => expected.includes(text));
}

function constant(
  { field, operator, value }: { field: string; operator: string; value?: unknown },
  list: string[],
): boolean {
  const texts = forms(field, list);
  if (operator === 'exists') return list.length > 0 === (value ?? true);
  if (operator === 'regex') return texts.some((text) => text.startsWith(String(value).slice(1).replaceAll('\\.', '.')));
  const wanted = (Array.isArray(value) ? value : [value]).map((one) =>
    VOCABULARY.includes(field) ? String(one).toLowerCase() : String(one),
  );
  return test(operator, texts, wanted) !== operator.startsWith('not_');
}

function relate(operator: string, field: string, mine: string[], other: string, its: string[]): boolean {
  if (VOCABULARY.includes(field) !== VOCABULARY.includes(other))
    return test(
      operator,
      mine.map((one) => one.toLowerCase()),
      its.map((one) => one.toLowerCase()),
    );
  if (field !== 'tags' && other !== 'tags') return test(operator, mine, its);
  return test(operator, forms('tags', mine), its) || test(operator, mine, forms('tags', its));
}
