import { fileUnder, type KeyHolder, type KnownIncident, type OrderMemory } from '@tocsin/domain/correlation';
import type { Tx } from '@tocsin/postgres';
import { describe, expect, it } from 'vitest';
import { KnownRows, type Batch } from './known-rows.ts';
import { Recent } from './recent.ts';

const aKey = (dedupKey: string, over: Partial<KeyHolder> = {}): KeyHolder => ({
  ...{ workspaceId: 'ws', scope: 'ws', webhookId: 'whk', dedupKey, resolveKey: dedupKey, incidentId: 'inc_1' },
  ...{ alertId: 'alr_1', lastAlertId: 'alr_1', firstAt: 1, lastAt: 1, lastTriggerAt: 1, firingKey: null },
  ...{ alertOpen: true, toggles: [], heldUntil: null },
  ...over,
});
const anIncident = (incidentId: string, closedAt: number | null = null): KnownIncident => ({
  ...{ workspaceId: 'ws', scope: 'ws', incidentId, version: 1, openedAt: 1, lastAlertAt: 1, closedAt },
  ...{ services: ['db'], rollUpOf: null, facets: null, terms: [] },
});
const aClosing = (resolveKey: string, keptUntil: number): OrderMemory => ({
  ...{ workspaceId: 'ws', scope: 'ws', webhookId: 'whk', resolveKey, closedAt: 1, closedBy: 'resolved', keptUntil },
});
const path = (key: string): string => fileUnder('ws', 'whk', key);

const nothing = { processed: [], keys: [], orders: [], incidents: [], storms: [] };
const aBatch = (changes: Partial<Batch['changes']>, over: Partial<Batch> = {}): Batch => ({
  lookup: {
    ...{ alerts: [], dedupKeys: [], resolveKeys: [], closings: [], incidents: [], terms: [], rollUps: [], storms: [] },
    known: { keys: [], closings: [] },
  },
  ...{ loaded: nothing, changes: { ...nothing, ...changes }, due: { scopes: [], rows: 0 }, listing: [] },
  ...over,
});
const asking = (...keys: string[]): Partial<Batch> => ({
  lookup: {
    ...aBatch({}).lookup,
    closings: keys.map((key) => ({ scope: 'ws', webhookId: 'whk', key, path: path(key) })),
  },
});

/** A process that has read its scope, which is empty. */
async function started(): Promise<KnownRows> {
  const known = new KnownRows();
  await known.load({ query: () => Promise.resolve({ rows: [] }) } as unknown as Tx, new Set(['ws']));
  return known;
}

describe('rows that are known without being read', () => {
  it('are keys of open incidents, as they were committed last', async () => {
    const known = await started();
    known.take(aBatch({ keys: [aKey('k')], incidents: [anIncident('inc_1')] }));
    expect(known.key('ws', path('k'))).toEqual(aKey('k'));
    known.take(aBatch({ keys: [aKey('k', { lastAt: 2 })] }));
    expect(known.key('ws', path('k'))?.lastAt).toBe(2);
    known.take(aBatch({ incidents: [anIncident('inc_1', 3)] }));
    expect(known.key('ws', path('k'))).toBeUndefined();
    known.take(aBatch({ keys: [aKey('recorded', { incidentId: null })] }));
    expect(known.key('ws', path('recorded'))).toBeUndefined();
  });

  it('are closings, and that there is none', async () => {
    const known = await started();
    expect(known.closing('ws', path('a'))).toBeUndefined();
    known.take(aBatch({ orders: [aClosing('b', 9)] }, asking('a', 'b')));
    expect(known.closing('ws', path('a'))).toBeNull();
    expect(known.closing('ws', path('b'))).toEqual(aClosing('b', 9));
  });

  it('are none of what a batch may have deleted', async () => {
    const known = await started();
    const keys = [aKey('open'), aKey('shut', { incidentId: 'inc_2' })];
    known.take(
      aBatch({
        keys,
        incidents: [anIncident('inc_1'), anIncident('inc_2')],
        orders: [aClosing('a', 4), aClosing('b', 5)],
      }),
    );
    known.take(aBatch({ incidents: [anIncident('inc_2', 3)] }));
    const due = { scopes: [{ scope: 'ws', newest: 9, processedBefore: 4, closingsBefore: 5 }], rows: 1_000 };
    known.take(aBatch({}, { due }));
    known.take(aBatch({ incidents: [anIncident('inc_2')] })); // a fact says that it is open: what was deleted with it is not known
    expect(['open', 'shut'].map((key) => known.key('ws', path(key))?.dedupKey)).toEqual(['open', undefined]);
    expect(['a', 'b'].map((key) => known.closing('ws', path(key))?.resolveKey)).toEqual([undefined, 'b']);
  });

  it('are none where another owner may have written', async () => {
    const known = await started();
    known.take(aBatch({ keys: [aKey('k')], incidents: [anIncident('inc_1')], orders: [aClosing('b', 9)] }));
    known.forget();
    expect([known.key('ws', path('k')), known.closing('ws', path('b'))]).toEqual([undefined, undefined]);
    await known.load({ query: () => Promise.resolve({ rows: [] }) } as unknown as Tx, new Set(['ws']));
    expect([known.key('ws', path('k')), known.closing('ws', path('b'))]).toEqual([undefined, undefined]);
  });
});

describe('entries that were used lately', () => {
  it('stay, however many come after them', () => {
    const recent = new Recent<number>(2);
    recent.set('a', 1);
    for (let n = 0; n < 100; n++) {
      recent.set(`x${n}`, n);
      expect(recent.get('a')).toBe(1);
    }
    expect(
      Array.from({ length: 100 }, (_, n) => recent.get(`x${n}`)).filter((value) => value !== undefined).length,
    ).toBeLessThan(4);
  });
});
