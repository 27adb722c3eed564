import type { IncidentFact, NormalizedAlert } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { correlate } from './correlate.ts';
import { learn } from './learn.ts';
import { millisOf } from './moments.ts';
import { RestartableStore } from './restartable-store.ts';
import { aConfig, aFact, anAlert, minute, openedBy, openFact, Scenario } from './scenario.ts';
import { WorkingSet } from './working-set.ts';

const HOURS_24 = 24 * 3_600_000;
const MINUTES_5 = 5 * 60_000;

const kinds = fc.constantFrom(
  'triggered' as const,
  'triggered' as const,
  'resolved' as const,
  'acknowledged' as const,
  'update' as const,
);
const step = fc.record({
  status: kinds,
  key: fc.constantFrom('k1', 'k2', 'k3', 'k4'),
  services: fc.subarray(['db', 'api', 'web', 'cache'], { maxLength: 2 }),
  /** Minutes since the alert before; now and then longer than a dedup window. */
  pause: fc.oneof(
    { weight: 9, arbitrary: fc.integer({ min: 0, max: 7 }) },
    { weight: 1, arbitrary: fc.constant(1500) },
  ),
});

const alertsOf = (
  steps: { status: NormalizedAlert['status']; key: string; services: string[]; pause: number }[],
): NormalizedAlert[] => {
  let at = 0;
  return steps.map(({ status, key, services, pause }, index) =>
    anAlert(`r${index}`, (at += pause), { status, key, services }),
  );
};
const logs = fc.array(step, { minLength: 1, maxLength: 60 }).map(alertsOf);

describe('whatever arrives', () => {
  it('answers every alert exactly once', () =>
    fc.assert(
      fc.property(logs, (log) => {
        const scenario = new Scenario();
        const answers = log.map((alert) => scenario.alert(alert));
        expect(answers.every(({ decision }) => decision.kind !== 'skipped')).toBe(true);
        expect(scenario.state.changes().processed.map(({ alertId }) => alertId)).toEqual(log.map(({ id }) => id));
      }),
    ));

  it('changes nothing by records that come again, wherever they come again', () =>
    fc.assert(
      fc.property(logs, fc.infiniteStream(fc.nat()), (log, picks) => {
        const once = new Scenario();
        const expected = log.map((alert) => once.alert(alert).decision);
        const again = new Scenario();
        const actual = log.map((alert, index) => {
          const { decision } = again.alert(alert);
          const repeat = log[(picks.next().value ?? 0) % (index + 1)];
          if (repeat) expect(again.alert(repeat)).toMatchObject({ decision: { kind: 'skipped' }, changes: [] });
          return decision;
        });
        expect(actual).toEqual(expected);
        expect(again.state.changes()).toEqual(once.state.changes());
      }),
    ));

  it('decides the same when the state is stored and loaded between any two inputs', () =>
    fc.assert(
      fc.property(logs, fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }), (log, restarts) => {
        const running = new Scenario();
        const expected = log.map((alert) => running.alert(alert));
        const stored = new RestartableStore();
        let state = new WorkingSet();
        const actual = log.map((alert, index) => {
          const answer = correlate(state, alert, aConfig());
          state.apply(answer.changes);
          if (restarts[index]) state = stored.restart(state);
          return answer;
        });
        expect(actual).toEqual(expected);
      }),
    ));

  it('closes what a fact closes and keeps answering with open incidents only', () =>
    fc.assert(
      fc.property(logs, fc.array(fc.nat({ max: 59 }), { maxLength: 10 }), (log, closings) => {
        const state = new WorkingSet();
        const closed = new Set<string>();
        log.forEach((alert, index) => {
          const { decision, changes } = correlate(state, alert, aConfig({ reopenMinutes: 0 }));
          state.apply(changes);
          if ('incidentId' in decision) expect(closed.has(decision.incidentId)).toBe(false);
          if (!closings.includes(index) || !('incidentId' in decision)) return;
          state.apply(learn(state, aFact(decision.incidentId, index + 1, 0, { kind: 'closed' })));
          closed.add(decision.incidentId);
        });
      }),
    ));
});

describe('one key', () => {
  const changes = fc.uniqueArray(
    fc.record({
      at: fc.integer({ min: 0, max: 500 }),
      status: fc.constantFrom('triggered' as const, 'resolved' as const),
    }),
    {
      selector: ({ at }) => at,
      minLength: 1,
      maxLength: 12,
    },
  );

  it('ends open or closed as its latest change by event time says, in whatever order the changes arrive', () =>
    fc.assert(
      fc.property(
        changes.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, arrival]) => {
          const scenario = new Scenario();
          arrival.forEach(({ at, status }, index) =>
            scenario.alert(
              anAlert(`r${index}`, 600 + index, { key: 'k', status, occurredAt: minute(at), occurredAtOrders: true }),
            ),
          );
          const [latest] = [...list].sort((a, b) => b.at - a.at);
          const open = scenario.state.changes().keys.some(({ alertOpen }) => alertOpen);
          expect(open).toBe(latest?.status === 'triggered');
        },
      ),
    ));
});

describe('facts', () => {
  const facts = fc.array(fc.record({ version: fc.integer({ min: 1, max: 9 }), closed: fc.boolean() }), {
    minLength: 1,
    maxLength: 12,
  });
  const byVersion = (version: number, closed: boolean): IncidentFact =>
    aFact(openedBy('a'), version, version, closed ? { kind: 'closed' } : openFact(version, ['db']), ['k'], 'alr_a');

  it('leave the incident as the newest stream version says, whatever order they come in', () =>
    fc.assert(
      fc.property(facts, (list) => {
        const scenario = new Scenario().given(anAlert('a', 0, { key: 'k', services: ['db'] }));
        const kindOf = new Map<number, boolean>();
        for (const { version, closed } of list) {
          const settled = kindOf.get(version) ?? closed; // a version is one fact
          kindOf.set(version, settled);
          scenario.fact(byVersion(version, settled));
        }
        const newest = Math.max(...kindOf.keys());
        expect(scenario.alert(anAlert('b', 60, { key: 'k' })).decision.kind).toBe(
          kindOf.get(newest) ? 'opened' : 'deduplicated',
        );
      }),
    ));
});

describe('against a model that looks at everything', () => {
  it('puts the same alerts into the same incidents', () =>
    fc.assert(
      fc.property(logs, (log) => {
        const scenario = new Scenario();
        const actual = log.map((alert) => {
          const { decision } = scenario.alert(alert);
          return 'incidentId' in decision ? [decision.kind, decision.incidentId] : [decision.kind];
        });
        expect(actual).toEqual(modelled(log));
      }),
      { numRuns: 300 },
    ));
});

interface Held {
  key: string;
  incident: number;
  first: number;
  last: number;
  open: boolean;
}

/** The rules written as plainly as they read, with scans, over records that are ordered by receipt. */
function modelled(log: NormalizedAlert[]): string[][] {
  const holders: Held[] = [];
  const incidents: { id: string; opened: number; last: number; services: Set<string> }[] = [];
  return log.map((alert) => {
    const now = millisOf(alert.receivedAt);
    const holder = holders.findLast(({ key }) => key === alert.dedupKey);
    const idOf = (held: Held) => incidents[held.incident]?.id ?? '';
    if (alert.status !== 'triggered') {
      if (!holder?.open) return ['ignored'];
      if (alert.status === 'resolved') holder.open = false;
      return [alert.status === 'update' ? 'updated' : alert.status, idOf(holder)];
    }
    const owner = holder && incidents[holder.incident];
    if (holder && owner && now - holder.last <= HOURS_24) {
      Object.assign(holder, { last: now, open: true });
      owner.last = Math.max(owner.last, now);
      return ['deduplicated', owner.id];
    }
    const candidates = incidents
      .map((incident, index) => ({ incident, index }))
      .filter(({ incident }) => now - incident.last <= MINUTES_5 && now - incident.opened <= HOURS_24)
      .filter(({ incident }) => alert.services.some((service) => incident.services.has(service)))
      .sort(
        (a, b) =>
          b.incident.last - a.incident.last ||
          b.incident.opened - a.incident.opened ||
          (a.incident.id < b.incident.id ? 1 : -1),
      );
    const target = holder ? undefined : candidates[0];
    if (target) {
      target.incident.last = now;
      for (const service of alert.services) target.incident.services.add(service);
    } else incidents.push({ id: openedBy(alert.receiptId), opened: now, last: now, services: new Set(alert.services) });
    const incident = target?.index ?? incidents.length - 1;
    holders.push({ key: alert.dedupKey, incident, first: now, last: now, open: true });
    return target ? ['correlated', target.incident.id] : ['opened', incidents[incident]?.id ?? ''];
  });
}
