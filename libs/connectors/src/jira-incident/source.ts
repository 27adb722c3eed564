import type { SourceConnector } from '../kit/source-connector.ts';
import { source as jira } from '../jira/source.ts';

/** Incident issues, as incidents. Which issues those are is the filter of the webhook or the automation. */
export const source = {
  ...jira,
  id: 'jira-incident',
  title: 'Jira incident',
  kind: 'incident',
} as const satisfies SourceConnector;
