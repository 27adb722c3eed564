import type { JsonSchema } from '../json-schema.ts';
import { configurationSchemas } from './configuration.ts';
import { connectorSchemas } from './connectors.ts';
import { correlationSchemas } from './correlation.ts';
import { eventSchemas } from './events.ts';
import { incidentSchemas } from './incidents.ts';
import { investigatorSchemas } from './investigators.ts';
import { mappingSchemas } from './mapping.ts';
import { operationSchemas } from './operations.ts';
import { silenceSchemas } from './silences.ts';
import { syncLinkSchemas } from './sync-links.ts';
import { templateSchemas } from './templates.ts';
import { topologySchemas } from './topology.ts';

/** What answers look like, by component name. The end-to-end test holds every real answer against these. */
export const answerSchemas = {
  ...configurationSchemas,
  ...connectorSchemas,
  ...correlationSchemas,
  ...eventSchemas,
  ...incidentSchemas,
  ...investigatorSchemas,
  ...mappingSchemas,
  ...operationSchemas,
  ...silenceSchemas,
  ...syncLinkSchemas,
  ...templateSchemas,
  ...topologySchemas,
} as Readonly<Record<string, unknown>> as Readonly<Record<string, JsonSchema>>;
