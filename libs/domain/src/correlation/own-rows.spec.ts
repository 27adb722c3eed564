import { describe, expect, it } from 'vitest';
import { movingOfIncident, movingOfKey, takeOverIncident, takeOverKey } from './own-rows.ts';
import type { KeyHolder, KnownIncident } from './state.ts';
import { WorkingSet } from './working-set.ts';

const identity = { workspaceId: 'ws', scope: 'scope' };
const keyAt = (at: number): KeyHolder => ({
  ...{ ...identity, webhookId: 'hook', dedupKey: 'key', resolveKey: `resolve-${at}`, incidentId: `inc-${at}` },
  ...{ alertId: `alr-${at}`, lastAlertId: `last-${at}`, firstAt: at, lastAt: at + 1, lastTriggerAt: at + 2 },
  ...{ firingKey: `firing-${at}`, alertOpen: at % 2 === 0, toggles: [at], heldUntil: at },
});
const incidentAt = (at: number): KnownIncident => ({
  ...{ ...identity, incidentId: 'inc', version: at, openedAt: at, lastAlertAt: at + 1, closedAt: at + 2 },
  ...{ services: [`s-${at}`], rollUpOf: `hook-${at}`, facets: null, terms: [`t-${at}`] },
});

describe('rows that are written into', () => {
  it('takes over every field that may differ', () => {
    const [key, incident] = [keyAt(1), { ...incidentAt(1), facets: { title: 'before' } as KnownIncident['facets'] }];
    takeOverKey(key, keyAt(2));
    takeOverIncident(incident, incidentAt(2));
    expect(key).toEqual(keyAt(2));
    expect(incident).toEqual(incidentAt(2));
    expect(Object.keys(movingOfKey)).toEqual(Object.keys(key).slice(4));
    expect(Object.keys(movingOfIncident)).toEqual(Object.keys(incident).slice(3));
  });

  it('leaves rows alone that came from outside: those that were loaded, and those of the changes', () => {
    const [loaded, known] = [keyAt(2), incidentAt(2)];
    const state = new WorkingSet({ keys: [loaded], incidents: [known] });
    const given = [4, 6, 8].map((at) => ({ key: keyAt(at), incident: incidentAt(at) }));
    for (const { key, incident } of given)
      state.apply([
        { kind: 'key', key },
        { kind: 'incident', incident },
      ]);
    expect(loaded).toEqual(keyAt(2));
    expect(known).toEqual(incidentAt(2));
    expect(given).toEqual([4, 6, 8].map((at) => ({ key: keyAt(at), incident: incidentAt(at) })));
    expect(state.loadedKey(loaded)).toBe(loaded);
    expect(state.changes()).toMatchObject({ keys: [keyAt(8)], incidents: [incidentAt(8)] });
  });

  it('finds holders by the resolve key that they have now', () => {
    const state = new WorkingSet();
    const path = (key: string) => ({ scope: 'scope', webhookId: 'hook', key });
    const other = { ...keyAt(2), dedupKey: 'other' };
    for (const key of [keyAt(2), other, keyAt(4), keyAt(6)]) state.apply([{ kind: 'key', key }]);
    expect(state.keysOf(path('resolve-2'))).toEqual([other]);
    expect(state.keysOf(path('resolve-4'))).toEqual([]);
    expect(state.keysOf(path('resolve-6'))).toEqual([keyAt(6)]);
    state.apply([{ kind: 'key', key: { ...other, resolveKey: 'resolve-6' } }]);
    expect(state.keysOf(path('resolve-6')).map(({ dedupKey }) => dedupKey)).toEqual(['key', 'other']);
    expect(state.key(path('resolve-6'))).toBeUndefined();
  });

  it('are as they became after the changes were forgotten, and only what changes then is a change', () => {
    const state = new WorkingSet();
    const processed = { workspaceId: 'ws', scope: 'scope', alertId: 'alr-1', receivedAt: 1 };
    state.apply([
      { kind: 'processed', processed },
      { kind: 'key', key: keyAt(2) },
      {
        kind: 'order',
        order: { ...identity, webhookId: 'hook', resolveKey: 'key', closedAt: 1, closedBy: 'resolved', keptUntil: 2 },
      },
      { kind: 'incident', incident: incidentAt(2) },
    ]);
    state.forgetChanges();
    expect(state.changes()).toEqual({ processed: [], keys: [], orders: [], incidents: [], storms: [] });
    expect(state.isProcessed('alr-1')).toBe(false);
    expect(state.key({ scope: 'scope', webhookId: 'hook', key: 'key' })).toEqual(keyAt(2));
    expect(state.incident('scope', 'inc')).toEqual(incidentAt(2));
    state.apply([{ kind: 'key', key: keyAt(4) }]);
    expect(state.changes()).toEqual({ processed: [], keys: [keyAt(4)], orders: [], incidents: [], storms: [] });
  });
});
