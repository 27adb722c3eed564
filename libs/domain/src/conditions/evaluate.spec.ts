import { describe, expect, it } from 'vitest';
import { evaluate, holds, type Asked } from './evaluate.ts';
import type { ConditionSubject, IncidentSubject } from './fields.ts';
import { readCondition } from './read-condition.ts';

const anAlert = (fields: Partial<ConditionSubject> = {}): ConditionSubject => ({
  title: 'DB connection Error',
  description: 'timeout after 30 s',
  severity: 'high',
  status: 'triggered',
  kind: 'alert',
  connector: 'generic',
  webhookId: 'whk_1',
  source: 'zabbix',
  url: null,
  services: ['db', 'api'],
  tags: ['env:production', 'team:core', 'urgent'],
  customFields: { shard: 5, flag: false, region: 'eu' },
  fields: { deployment_id: 'd-9', 'a.b': 'dotted', list: [{ n: 1 }, { n: 2 }], nested: { zero: 0, none: null } },
  ...fields,
});
const anIncident = (fields: Partial<IncidentSubject> = {}): IncidentSubject => ({
  title: 'DB slow',
  severity: 'high',
  kind: 'alert',
  connector: 'generic',
  webhookId: 'whk_1',
  source: 'zabbix',
  services: ['db'],
  tags: ['env:production'],
  customFields: { shard: 5 },
  ...fields,
});
const compiled = (document: unknown) => {
  const read = readCondition(document, { incident: true });
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.condition;
};
const answer = (field: string, operator: string, value?: unknown, asked: Asked = { alert: anAlert() }) =>
  holds(compiled({ field, operator, ...(value === undefined ? {} : { value }) }), asked);

describe('one condition', () => {
  it.each([
    ['title', 'equals', 'DB connection Error', true],
    ['title', 'equals', 'db connection error', false],
    ['title', 'not_equals', 'x', true],
    ['title', 'contains', 'connection', true],
    ['title', 'not_contains', 'connection', false],
    ['title', 'regex', '^DB.*Error$', true],
    ['title', 'regex', '^db', false],
    ['title', 'regex', '(?i)^db', true],
    ['title', 'starts_with', 'DB ', true],
    ['title', 'ends_with', 'Error', true],
    ['severity', 'in', ['critical', 'HIGH'], true],
    ['severity', 'not_in', ['critical'], true],
    ['service', 'equals', 'api', true],
    ['service', 'starts_with', 'ap', true],
    ['service', 'not_equals', 'api', false],
    ['services', 'intersects', ['web', 'db'], true],
    ['services', 'intersects', ['web'], false],
    ['tags', 'intersects', ['production'], true],
    ['tags', 'equals', 'env:production', true],
    ['tags', 'contains', 'prod', true],
    ['tags', 'equals', 'env', false],
    ['webhook_id', 'equals', 'whk_1', true],
    ['url', 'exists', undefined, false],
    ['url', 'exists', false, true],
    ['url', 'not_equals', 'x', true],
    ['custom_fields.shard', 'equals', 5, true],
    ['custom_fields.shard', 'equals', '5', true],
    ['custom_fields.shard', 'in', [4, 5.0], true],
    ['custom_fields.flag', 'exists', undefined, true],
    ['custom_fields.flag', 'equals', false, true],
    ['custom_fields.constructor', 'exists', undefined, false],
    ['metadata.deployment_id', 'exists', undefined, true],
    ['metadata.nested.zero', 'equals', 0, true],
    ['metadata.nested.none', 'exists', undefined, false],
    ['metadata.nested', 'exists', undefined, true],
    ['metadata.nested', 'equals', 'x', false],
    ['metadata.a.b', 'equals', 'dotted', true],
    ['metadata.list.n', 'in', [2], true],
    ['metadata.list.0.n', 'equals', 1, true],
    ['metadata.list.1.n', 'equals', 1, false],
    ['nonsense', 'exists', undefined, false],
    ['nonsense', 'not_equals', 'x', true],
  ])('%s %s %j is %s', (field, operator, value, expected) => {
    expect(answer(field, operator, value)).toBe(expected);
  });
});

describe('with an incident', () => {
  it('asks a constant condition of both, or of the alert alone', () => {
    const incident = anIncident({ severity: 'low' });
    const asked = { alert: anAlert(), incident };
    expect(answer('severity', 'equals', 'high', asked)).toBe(false);
    expect(answer('severity', 'equals', 'high', { ...asked, appliesTo: 'alert' })).toBe(true);
    expect(answer('description', 'contains', 'timeout', asked)).toBe(true); // incidents have none of their own here
  });

  it('compares with its own value', () => {
    const asked = { alert: anAlert(), incident: anIncident() };
    expect(answer('services', 'intersects', [], asked)).toBe(true);
    expect(answer('services', 'intersects', [], { ...asked, incident: anIncident({ services: ['web'] }) })).toBe(false);
    expect(answer('custom_fields.shard', 'equals', { incident: 'custom_fields.shard' }, asked)).toBe(true);
    expect(answer('title', 'not_equals', { incident: 'title' }, asked)).toBe(true);
    expect(answer('source', 'equals', { incident: 'title' }, asked)).toBe(false);
  });

  it('lets one of two tags be bare, but not both', () => {
    const tagsOf = (mine: string, its: string) =>
      answer('tags', 'intersects', [], { alert: anAlert({ tags: [mine] }), incident: anIncident({ tags: [its] }) });
    expect(tagsOf('env:production', 'production')).toBe(true);
    expect(tagsOf('production', 'env:production')).toBe(true);
    expect(tagsOf('env:production', 'env:production')).toBe(true);
    expect(tagsOf('team:production', 'env:production')).toBe(false);
  });
});

describe('an explanation', () => {
  const rule = compiled({
    operator: 'and',
    items: [
      { field: 'services', operator: 'intersects', value: [] },
      {
        operator: 'or',
        items: [
          { field: 'title', operator: 'contains', value: 'nope' },
          { field: 'severity', operator: 'in', value: ['critical', 'high'] },
        ],
      },
    ],
  });

  it('names what matched, with both values', () => {
    expect(evaluate(rule, { alert: anAlert(), incident: anIncident() })).toMatchObject({
      holds: true,
      held: 2,
      conditions: 3,
      decided: [
        { path: 'items[0]', field: 'services', found: ['db', 'api'], incident: ['db'] },
        { path: 'items[1].items[1]', field: 'severity', found: ['high'] },
      ],
    });
  });

  it('names the condition that failed, and for whom', () => {
    const asked = { alert: anAlert(), incident: anIncident({ severity: 'low' }) };
    expect(evaluate(rule, asked)).toMatchObject({
      holds: false,
      held: 1,
      decided: [{ path: 'items[1].items[0]', field: 'title', of: 'alert' }],
    });
    expect(evaluate(compiled({ field: 'severity', operator: 'equals', value: 'high' }), asked).decided).toMatchObject([
      { of: 'incident', found: ['low'] },
    ]);
  });
});

describe('a hostile pattern', () => {
  it('takes time that grows with the text, not with its combinations', () => {
    const rule = compiled({ field: 'title', operator: 'regex', value: '^(a+)+$' });
    const timed = (length: number) => {
      const alert = anAlert({ title: `${'a'.repeat(length)}!` });
      holds(rule, { alert });
      const start = performance.now();
      for (let run = 0; run < 5; run++) expect(holds(rule, { alert })).toBe(false);
      return performance.now() - start;
    };
    // A backtracking matcher needs 2^40 steps for the shorter one.
    expect(timed(40)).toBeLessThan(1_000);
    expect(timed(10_000)).toBeLessThan(5_000);
  });
});
