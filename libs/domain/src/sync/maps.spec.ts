import type { SyncFieldMap, SyncedIncident } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import { theirsWins } from './conflict.ts';
import { syncDefaults } from './defaults.ts';
import { fieldIsMet, mapsOf, statusFrom, statusIsMet, valueFor, valueFrom } from './maps.ts';

const { jira, servicenow } = syncDefaults;
const map = (change: Partial<SyncFieldMap>): SyncFieldMap => ({
  ...{ field: 'title', external: 'summary', direction: 'both', format: 'text', values: {}, valuesIn: {} },
  ...change,
});
const incident = {
  title: 'Disk full',
  severity: 'info',
  tags: ['a', 'b'],
  assignee: null,
  number: 7,
} as SyncedIncident & { title: string };

describe('statuses', () => {
  it('are found as people write them, and mean nothing where nobody said what they mean', () => {
    expect(['in progress', ' DONE ', 'In Review'].map((word) => statusFrom(jira, word))).toEqual([
      'acknowledged',
      'resolved',
      undefined,
    ]);
  });

  it('are met by any status of the same meaning, so that nobody is pulled back', () => {
    const link = { statusOut: jira.statusOut, statusIn: { ...jira.statusIn, 'In Review': 'acknowledged' as const } };
    expect(statusIsMet(link, 'acknowledged', 'In Review')).toBe(true);
    expect(statusIsMet(link, 'acknowledged', 'To Do')).toBe(false);
    expect(statusIsMet(link, 'suppressed', 'To Do')).toBe(true); // not told at all
  });
});

describe('fields', () => {
  const severity = map({ field: 'severity', external: 'impact', values: servicenow.fieldMap[2]!.values });

  it('go out in the words of the other side', () => {
    expect(valueFor(severity, incident)).toBe('3');
    expect(valueFor(map({ field: 'tags' }), incident)).toBe('a, b');
    expect([valueFor(map({ field: 'assignee' }), incident), valueFor(map({ field: 'number' }), incident)]).toEqual([
      '',
      '7',
    ]);
  });

  it('come back by the first word that goes there, unless the way back is another', () => {
    expect(['1', '2', '3', '9'].map((word) => valueFrom(severity, word))).toEqual([
      'critical',
      'medium',
      'low',
      undefined,
    ]);
    expect(valueFrom({ ...severity, valuesIn: { '1': 'high' } }, '1')).toBe('high');
  });

  it('that cannot be here are not taken over', () => {
    expect(valueFrom(map({}), '  ')).toBeUndefined();
    expect(['p2', 'Urgent', ''].map((word) => valueFrom(map({ field: 'priority' }), word))).toEqual([
      'P2',
      undefined,
      null,
    ]);
  });

  it('are met by the same text with other line ends', () => {
    const description = map({ field: 'description' });
    expect(fieldIsMet(description, { ...incident, description: 'a\nb' }, 'a\r\nb ')).toBe(true);
  });

  it('are used on their own ways only', () => {
    const link = { ...jira, direction: 'both' as const, fields: true, status: true };
    const maps = [map({ direction: 'in' }), map({ direction: 'out' }), map({ field: 'number' })];
    expect(mapsOf({ ...link, fieldMap: maps }, 'in')).toEqual([maps[0]]);
    expect(mapsOf({ ...link, fieldMap: maps }, 'out')).toEqual(maps.slice(1));
    expect(mapsOf({ ...link, fields: false, fieldMap: maps }, 'out')).toEqual([]);
  });
});

it('the later change wins, and ours at the same instant', () => {
  const [early, late] = ['2026-01-01T10:00:00.000Z', '2026-01-01T10:00:00.001Z'];
  expect([theirsWins(early, late), theirsWins(late, early), theirsWins(early, early), theirsWins(null, early)]).toEqual(
    [true, false, false, true],
  );
});
