export * from './decide.ts';
export {
  type Evidence,
  type InvestigatedIncident,
  type Millis,
  type OtherIncident,
  type RecentChange,
  searchWindows,
  serviceKey,
  serviceKeys,
} from './evidence.ts';
export * from './investigate.ts';
export * from './recommendation.ts';
export * from './suggest.ts';
export { titleKey } from './title-key.ts';
