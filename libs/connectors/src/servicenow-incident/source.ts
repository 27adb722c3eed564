import type { SourceConnector } from '../kit/source-connector.ts';
import { nameOf, tableOf } from '../servicenow/record.ts';
import { source as servicenow } from '../servicenow/source.ts';

/** Records of the incident table alone, as incidents: what comes of other tables is left out. */
export const source = {
  ...servicenow,
  id: 'servicenow-incident',
  title: 'ServiceNow incident',
  kind: 'incident',
  ignore: [{ when: ({ element }) => tableOf(element) !== 'incident', reason: 'unsupported-event' }],
  fields: { ...servicenow.fields, incidentType: [({ element }) => nameOf(element, 'category')] },
} as const satisfies SourceConnector;
