export { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
export { defaultCorrelation, webhookCorrelation, withWorkspaceRules, workspaceCorrelation } from './config-of.ts';
export { ANY_TERM, serviceTerm, type IncidentFacets } from './facets.ts';
export { learn } from './learn.ts';
export { boundedText, eventTimeOf, fileUnder, MAX_INCIDENT_SPAN_MS, type Millis } from './moments.ts';
export { compileRules, looksEverywhere, type CompiledRules } from './rules.ts';
export { wantedTerms, type WantedTerm } from './wanted-terms.ts';
export {
  holderPath,
  byOpening,
  type Change,
  type CorrelationRows,
  type CorrelationView,
  type KeyHolder,
  type KnownIncident,
  type OrderMemory,
  type ProcessedAlert,
  type StoredRows,
} from './state.ts';
export { WorkingSet } from './working-set.ts';
