export { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
export { defaultCorrelation, webhookCorrelation, withWorkspaceRules, workspaceCorrelation } from './config-of.ts';
export { ANY_TERM, serviceTerm, type IncidentFacets } from './facets.ts';
export { standardFlapping, type FlappingPolicy } from './flapping.ts';
export { learn } from './learn.ts';
export {
  boundedText,
  eventTimeOf,
  fileUnder,
  instantOf,
  MAX_INCIDENT_SPAN_MS,
  millisOf,
  type Millis,
} from './moments.ts';
export { compileMute, type CompiledMute } from './mutes.ts';
export { OpenIncidents } from './open-incidents.ts';
export { looksEverywhere } from './rule-lookup.ts';
export { compileRules, type CompiledRules } from './rules.ts';
export { isRaging, STORM, type StormPolicy } from './storm.ts';
export { surroundingsOf, withSurroundings, type Surroundings } from './surroundings.ts';
export { subjectOf } from './subject.ts';
export { wantedTerms, type WantedTerm } from './wanted-terms.ts';
export {
  byOpening,
  type Change,
  type CorrelationRows,
  type CorrelationView,
  type KeyHolder,
  type KeyPath,
  type KnownIncident,
  type OrderMemory,
  type ProcessedAlert,
  type StormState,
  type StoredRows,
} from './state.ts';
export { WorkingSet } from './working-set.ts';
