import { pipelineSource } from '../harness-deployment/pipeline-event.ts';
import type { SourceConnector } from '../kit/source-connector.ts';

/** Notifications of pipelines that build and test. */
export const source = {
  id: 'harness-build',
  title: 'Harness Build',
  ...pipelineSource('build', 'medium'),
} as const satisfies SourceConnector;
