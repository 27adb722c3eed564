export {
  changeKinds,
  compare,
  type ChangedGroup,
  type ChangeKind,
  type Comparison,
  type DecidingAlert,
  type ReplayedIncident,
} from './compare.ts';
export { configurationOf, type WorkspaceDocuments } from './configuration.ts';
export { explain, type Explained, type NearestMiss } from './explain.ts';
export { newWebhook, readConfigurationFile, rulesFrom, withSettings, type ReadFile } from './read-settings.ts';
export type { ConfigurationFile, WebhookSettings } from './settings-schema.ts';
export { MemoryIncidents } from './memory-incidents.ts';
export {
  Simulation,
  type ConfigurationOf,
  type Replayed,
  type ReplayConfiguration,
  type ReplayedCommand,
} from './simulation.ts';
export { comparisonView, type ComparisonView } from './view.ts';
