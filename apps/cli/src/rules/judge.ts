import { explain } from '@tocsin/domain/replay';
import { decisionText } from '../replay/replay-text.ts';
import { UsageError } from '../terminal.ts';
import type { Fixture } from './fixture.ts';
import type { Played } from './run-fixture.ts';

/** Something that is otherwise than expected. */
export interface Difference {
  kind: 'apart' | 'together' | 'not-recorded' | 'recorded' | 'other-rule' | 'without-incident';
  alerts: string[];
  message: string;
}

/** What of the fixture's expectations is not so. @throws UsageError where they name alerts that there are not */
export function judge({ expect }: Fixture, { simulation, ids }: Played, path: string): Difference[] {
  const names = new Map([...ids].map(([name, id]) => [id, name]));
  for (const name of [...expect.incidents.flat(), ...(expect.recorded ?? []), ...Object.keys(expect.rules ?? {})])
    if (!ids.has(name))
      throw new UsageError(`${path}: expect: there is no alert ${name}; there are ${[...ids.keys()].join(', ')}`);
  const of = (name: string) => simulation.replayed.get(ids.get(name) ?? '');
  const why = (name: string): string => {
    const replayed = of(name);
    if (!replayed) return '';
    const { reason, rule, rulesOf, nearest } = explain(replayed.why);
    const said = { outcome: replayed.outcome, incident_id: null, reason, rule, rules_of: rulesOf, matched: null };
    return decisionText({ ...said, nearest_miss: nearest && { ...nearest, incident_id: nearest.incidentId } });
  };
  const fired = [...simulation.replayed.values()].filter(({ alert }) => alert.status === 'triggered');
  const actual = new Map<string, string[]>();
  for (const { alert, incidentId } of fired)
    if (incidentId !== null)
      actual.set(incidentId, [...(actual.get(incidentId) ?? []), names.get(alert.id) ?? alert.id]);
  const groupOf = new Map([...actual.values()].flatMap((group) => group.map((name) => [name, group] as const)));
  return [
    ...expect.incidents.flatMap((group) => partDifferences(group, groupOf, why)),
    ...recordedDifferences(
      expect.recorded ?? [],
      fired.map(({ alert, outcome }) => ({ name: names.get(alert.id) ?? '', outcome })),
      why,
    ),
    ...Object.entries(expect.rules ?? {}).flatMap(([name, rule]): Difference[] => {
      const replayed = of(name);
      const decided = replayed ? explain(replayed.why).rule : null;
      if (decided === rule) return [];
      const wanted = rule === null ? 'by no rule' : `by rule ${JSON.stringify(rule)}`;
      return [
        {
          kind: 'other-rule',
          alerts: [name],
          message: `${name} was expected to be decided ${wanted}, but was ${why(name)}`,
        },
      ];
    }),
  ];
}

type Groups = ReadonlyMap<string, readonly string[]>;

function partDifferences(expected: readonly string[], groupOf: Groups, why: (name: string) => string): Difference[] {
  const [first = ''] = expected;
  const group = groupOf.get(first);
  if (!group)
    return [
      {
        kind: 'without-incident',
        alerts: [first],
        message: `${first} was expected in an incident, but was ${why(first)}`,
      },
    ];
  const apart = expected.filter((name) => !group.includes(name));
  const extra = group.filter((name) => !expected.includes(name));
  return [
    ...apart.map((name): Difference => ({
      kind: 'apart',
      alerts: [first, name],
      message: `${name} was expected in the incident of ${first}, but was ${why(name)}`,
    })),
    ...extra.map((name): Difference => ({
      kind: 'together',
      alerts: [first, name],
      message: `${name} was not expected in the incident of ${first}, but was ${why(name)}`,
    })),
  ];
}

function recordedDifferences(
  expected: readonly string[],
  fired: readonly { name: string; outcome: string }[],
  why: (name: string) => string,
): Difference[] {
  return fired.flatMap(({ name, outcome }): Difference[] => {
    const isRecorded = outcome === 'recorded' || outcome === 'suppressed';
    if (isRecorded === expected.includes(name)) return [];
    return [
      isRecorded
        ? {
            kind: 'recorded',
            alerts: [name],
            message: `${name} was not expected to be kept without an incident, but was ${why(name)}`,
          }
        : {
            kind: 'not-recorded',
            alerts: [name],
            message: `${name} was expected to be kept without an incident, but was ${why(name)}`,
          },
    ];
  });
}
