import type { NormalizedAlert } from '@tocsin/contracts';
import type { ConditionSubject } from '../conditions/index.ts';
import type { Topology } from '../topology/index.ts';

/** Services next to these, where a topology is known. */
export const neighboursOf = (services: readonly string[], topology: Topology | null | undefined): string[] =>
  topology ? topology.near(services, 1).map(({ service }) => service) : [];

/** The alert as conditions see it: with the neighbours of its services where there are any. */
export function subjectOf(alert: NormalizedAlert, topology: Topology | null | undefined): ConditionSubject {
  const neighbours = neighboursOf(alert.services, topology);
  return neighbours.length === 0 ? alert : { ...alert, neighbours };
}
