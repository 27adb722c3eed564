export { correlate, type CorrelationConfig, type Correlated } from './correlate.ts';
export { learn } from './learn.ts';
export { boundedText, eventTimeOf, fileUnder, MAX_INCIDENT_SPAN_MS, type Millis } from './moments.ts';
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
