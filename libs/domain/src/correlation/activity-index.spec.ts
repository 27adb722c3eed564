import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActivityIndex } from './activity-index.ts';
import { Listed } from './activity-list.ts';
import { byActivity, type KnownIncident } from './state.ts';

const incidentOf = (id: number, over: Partial<KnownIncident>): KnownIncident => ({
  ...{ workspaceId: 'ws', scope: 'ws', incidentId: `inc_${id}`, version: 0, openedAt: id, lastAlertAt: id },
  ...{ closedAt: null, services: [], rollUpOf: null, facets: null, terms: ['any'] },
  ...over,
});

/** The index, and beside it what it should know. */
class Both {
  private readonly index = new ActivityIndex();
  private readonly listed = new Map<string, Listed>();
  private readonly plain = new Map<string, KnownIncident>();

  note(incident: KnownIncident): void {
    const listed = this.listed.get(incident.incidentId) ?? new Listed(incident);
    this.listed.set(incident.incidentId, listed);
    this.index.note(listed, incident);
    this.plain.set(incident.incidentId, incident);
  }

  ask(term: string, since: number): void {
    const expected = [...this.plain.values()]
      .filter(({ closedAt, lastAlertAt }) => closedAt === null && lastAlertAt >= since)
      .filter(({ terms, services }) => terms.includes(term) || services.some((name) => `service ${name}` === term))
      .sort((a, b) => byActivity(b, a));
    expect([...this.index.under(term, since)].map(({ incidentId }) => incidentId)).toEqual(
      expected.map(({ incidentId }) => incidentId),
    );
  }
}

const changes = fc.record({
  id: fc.nat(60),
  lastAlertAt: fc.nat(500),
  closed: fc.nat(9).map((one) => one === 0),
  services: fc.subarray(['a', 'b']),
  terms: fc.subarray(['any', 'tag x', 'tag y']),
  ask: fc.option(fc.constantFrom('any', 'tag x', 'tag y', 'service a', 'service b'), { freq: 2 }),
  since: fc.nat(300),
});

describe('the index by activity', () => {
  it('lists what a scan would find, in lists of any length, whenever it is asked', () =>
    fc.assert(
      fc.property(fc.array(changes, { maxLength: 300, size: 'max' }), (steps) => {
        const both = new Both();
        for (let id = 0; id < 40; id++) both.note(incidentOf(id, { services: ['a'] }));
        for (const { id, lastAlertAt, closed, services, terms, ask, since } of steps) {
          both.note(incidentOf(id, { lastAlertAt, services, terms, closedAt: closed ? 1 : null }));
          if (ask !== null) both.ask(ask, since);
        }
        for (const term of ['any', 'tag x', 'tag y', 'service a', 'service b', 'unheard']) both.ask(term, 0);
      }),
      { numRuns: 200 },
    ));

  it('is right about a list that was asked long ago', () => {
    const both = new Both();
    for (let id = 0; id < 40; id++) both.note(incidentOf(id, {}));
    both.ask('any', 0);
    for (let turn = 1; turn <= 12_000; turn++) {
      const id = (turn * 7) % 40;
      both.note(incidentOf(id, { lastAlertAt: 1_000 + turn, services: id === 0 ? ['a'] : [] }));
      both.ask('service a', 0); // takes in what was noted
    }
    both.ask('any', 0);
  });
});
