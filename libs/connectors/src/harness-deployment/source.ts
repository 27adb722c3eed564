import type { SourceConnector } from '../kit/source-connector.ts';
import { pipelineSource } from './pipeline-event.ts';

/** Notifications of pipelines that deploy. */
export const source = {
  id: 'harness-deployment',
  title: 'Harness Deployment',
  ...pipelineSource('deployment', 'high'),
} as const satisfies SourceConnector;
