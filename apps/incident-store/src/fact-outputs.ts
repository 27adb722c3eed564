import { encodeRecord, type IncidentFact } from '@tocsin/contracts';
import {
  factAbout,
  factOfNeverOpened,
  type BatchPlan,
  type ExistingIncident,
  type KeyHolder,
} from '@tocsin/domain/incident';
import type { Output } from '@tocsin/postgres';

const outputOf = (fact: IncidentFact, by: Output['by']): Output => ({
  topic: 'correlation.inputs',
  key: fact.scope,
  type: 'incident.fact.v1',
  value: encodeRecord('incident.fact.v1', fact),
  by,
});

/** What the correlator is told about an incident: whether it is open, and which keys came to it or are free now. */
export const factOutput = (
  incident: ExistingIncident,
  keys: readonly KeyHolder[],
  at: string,
  by: Output['by'],
): Output => outputOf(factAbout(incident, keys, at), by);

/** The correlator expected this incident to open; its alert went to the holder of the key, so it will never exist. */
export const neverOpened = (unopened: BatchPlan['unopened'][number], by: Output['by']): Output =>
  outputOf(factOfNeverOpened(unopened), by);
