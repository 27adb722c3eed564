import type { KnownIncident } from '@tocsin/domain/correlation';
import { describe, expect, it } from 'vitest';
import { OpenScopes } from './open-scopes.ts';

const anIncident = (scope: string, incidentId: string, closedAt: number | null = null): KnownIncident => ({
  ...{ workspaceId: scope, scope, incidentId, version: 1, openedAt: 1, lastAlertAt: 1, closedAt },
  ...{ services: ['db'], rollUpOf: null, facets: null, terms: [] },
});

/** A table of open incidents that counts how often it is asked. */
class Table {
  asked: string[] = [];
  constructor(private readonly incidents: readonly KnownIncident[]) {}

  read = (scope: string, most: number): Promise<KnownIncident[]> => {
    this.asked.push(scope);
    return Promise.resolve(this.incidents.filter((one) => one.scope === scope).slice(0, most));
  };
}

describe('open incidents of scopes', () => {
  it('are read once and changed by what was committed', async () => {
    const table = new Table([anIncident('a', 'inc_1')]);
    const open = new OpenScopes();
    await open.load(['a', 'b'], table.read);
    open.take([anIncident('a', 'inc_2'), anIncident('a', 'inc_1', 5), anIncident('c', 'inc_9')]);
    await open.load(['a', 'b'], table.read);
    expect(table.asked).toEqual(['a', 'b']);
    expect([...(open.of('a')?.under('service db', 0) ?? [])].map(({ incidentId }) => incidentId)).toEqual(['inc_2']);
    expect(open.of('c')).toBeUndefined(); // nobody asked for it
  });

  it('are read anew after another owner may have written', async () => {
    const table = new Table([]);
    const open = new OpenScopes();
    await open.load(['a'], table.read);
    open.forget();
    await open.load(['a'], table.read);
    expect(table.asked).toEqual(['a', 'a']);
  });

  it('are not kept for a scope that has too many, now or later', async () => {
    const table = new Table([anIncident('a', 'inc_1'), anIncident('a', 'inc_2'), anIncident('b', 'inc_3')]);
    const open = new OpenScopes({ perScope: 1, all: 10 });
    await open.load(['a', 'b'], table.read);
    expect([open.of('a'), open.of('b')?.size]).toEqual([undefined, 1]);
    open.take([anIncident('b', 'inc_4')]);
    await open.load(['b'], table.read);
    expect(open.of('b')).toBeUndefined();
    expect(table.asked).toEqual(['a', 'b']);
  });

  it('make room for others, the longest unused first', async () => {
    const table = new Table(['a', 'b', 'c'].map((scope) => anIncident(scope, `inc_${scope}`)));
    const open = new OpenScopes({ perScope: 5, all: 2 });
    await open.load(['a', 'b', 'c'], table.read);
    await open.load(['a'], table.read);
    open.take([]);
    expect(['a', 'b', 'c'].map((scope) => open.of(scope)?.size)).toEqual([1, undefined, 1]);
  });
});
