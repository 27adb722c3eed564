import { describe, expect, it } from 'vitest';
import { filterReader, readFilter } from './filter.ts';
import { outboundEventOfPlatform } from './platform-event.ts';

const event = (data: Record<string, unknown>, name = 'finding.created' as const) =>
  outboundEventOfPlatform({
    ...{ id: 'evt_1', name, workspaceId: 'ws_1', source: '/tocsin', at: '2026-01-01T00:00:00.000Z' },
    data,
  });
const passes = filterReader();
function takes(filter: unknown, data: Record<string, unknown>): boolean {
  const read = readFilter(filter, 'filter');
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return passes(read.condition, event(data));
}
const leaf = (field: string, operator: string, value?: unknown) => ({
  field,
  operator,
  ...(value === undefined ? {} : { value }),
});

describe('the filter of a subscription', () => {
  it.each<[object, Record<string, unknown>, boolean]>([
    [leaf('data.severity', 'equals', 'critical'), { severity: 'critical' }, true],
    [leaf('data.severity', 'equals', 'CRITICAL'), { severity: 'critical' }, true],
    [leaf('data.severity', 'equals', 'critical'), { severity: 'low' }, false],
    [leaf('data.severity', 'in', ['critical', 'high']), { severity: 'high' }, true],
    [leaf('data.title', 'contains', 'disk'), { title: 'disk full' }, true],
    [leaf('data.title', 'contains', 'Disk'), { title: 'disk full' }, false],
    [leaf('type', 'starts_with', 'finding.'), {}, true],
    [leaf('workspace_id', 'not_equals', 'ws_1'), {}, false],
    [leaf('data.services', 'equals', 'db'), { services: ['web', 'db'] }, true],
    [leaf('data.tags', 'equals', 'production'), { tags: ['env:production'] }, true],
    [leaf('data.custom_fields.region', 'equals', 'eu'), { custom_fields: { region: 'eu' } }, true],
    [leaf('data.custom_fields.a.b', 'exists'), { custom_fields: { 'a.b': 0 } }, true],
    [leaf('data.assignee', 'exists'), { assignee: null }, false],
    [leaf('data.assignee', 'exists', false), {}, true],
    [leaf('data.changed', 'equals', 'severity'), { changed: ['severity', 'title'] }, true],
    [leaf('data.__proto__.polluted', 'exists'), {}, false],
    [leaf('data.constructor.name', 'exists'), {}, false],
    [leaf('data.title', 'regex', '^disk (full|gone)$'), { title: 'disk full' }, true],
    [
      { operator: 'or', items: [leaf('data.severity', 'equals', 'critical'), leaf('data.urgency', 'equals', 'HIGH')] },
      { severity: 'low', urgency: 'HIGH' },
      true,
    ],
  ])('%j over %j is %s', (filter, data, expected) => expect(takes(filter, data)).toBe(expected));

  it.each<[unknown, string, string]>([
    [leaf('severity', 'equals', 'critical'), 'filter.field', 'unknown-field'],
    [leaf('data', 'exists'), 'filter.field', 'unknown-field'],
    [leaf('data..x', 'exists'), 'filter.field', 'unknown-field'],
    [leaf('type.x', 'exists'), 'filter.field', 'unknown-field'],
    [leaf('data.severity', 'is'), 'filter.operator', 'unknown-operator'],
    [leaf('data.severity', 'equals', { incident: 'severity' }), 'filter.value', 'no-incident-here'],
    [{ operator: 'and', items: [leaf('nowhere', 'exists')] }, 'filter.items[0].field', 'unknown-field'],
    ['critical', 'filter', 'not-a-condition'],
    [{}, 'filter.field', 'bad-field'],
  ])('%j cannot be saved: %s %s', (filter, path, code) => {
    const read = readFilter(filter, 'filter');
    expect(read).toMatchObject({ ok: false, problems: [expect.objectContaining({ path, code })] });
  });

  it('names the fields that there are when one is not', () => {
    const read = readFilter(leaf('severity', 'equals', 'critical'), 'filter');
    expect(read).toMatchObject({ problems: [{ message: expect.stringContaining('data.') }] });
  });
});
