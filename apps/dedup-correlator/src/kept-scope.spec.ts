import type { KnownIncident } from '@tocsin/domain/correlation';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeptScope } from './kept-scope.ts';

const TERMS = ['tag a', 'tag b'];
const incident = fc
  .record({
    id: fc.integer({ min: 1, max: 6 }),
    lastAlertAt: fc.integer({ min: 1, max: 9 }),
    isClosed: fc.boolean(),
    terms: fc.subarray(TERMS),
  })
  .map(({ id, lastAlertAt, isClosed, terms }): KnownIncident => ({
    ...{ workspaceId: 'ws', scope: 'ws', incidentId: `inc_${id}`, version: 1, openedAt: id, lastAlertAt },
    ...{ closedAt: isClosed ? lastAlertAt : null, services: ['db'], rollUpOf: null, facets: null, terms },
  }));
const open = fc
  .uniqueArray(incident, { selector: ({ incidentId }) => incidentId })
  .map((all) => all.filter(({ closedAt }) => closedAt === null));

const listed = ({ open }: KeptScope) => ['service db', ...TERMS].map((term) => [...open.under(term, 0)]);

describe('open incidents that a batch changes', () => {
  it('are as they were where it is not committed', () =>
    fc.assert(
      fc.property(open, fc.array(incident), fc.boolean(), (before, changes, isAsked) => {
        const kept = new KeptScope(before);
        for (const change of changes) {
          kept.change(change);
          if (isAsked) listed(kept);
        }
        for (const { incidentId } of changes)
          expect(kept.committed(incidentId)).toEqual(before.find((one) => one.incidentId === incidentId));
        kept.undo();
        expect(listed(kept)).toEqual(listed(new KeptScope(before)));
        expect(kept.open.size).toBe(before.length);
      }),
    ));

  it('are as it left them where it is', () =>
    fc.assert(
      fc.property(open, fc.array(incident), (before, changes) => {
        const kept = new KeptScope(before);
        for (const change of changes) kept.change(change);
        kept.commit();
        kept.undo();
        const last = new Map([...before, ...changes].map((one) => [one.incidentId, one]));
        const left = [...last.values()].filter(({ closedAt }) => closedAt === null);
        expect(listed(kept)).toEqual(listed(new KeptScope(left)));
        for (const one of left) expect(kept.committed(one.incidentId)).toEqual(one);
      }),
    ));
});
