import { isObject } from '@tocsin/domain/mapping';
import type { FieldSource, Reading, SourceConnector } from '../kit/source-connector.ts';
import { isRecord, nameOf, pageOf, priorityOf, recordsOf, shownOf, stateOf, stateWords, storedOf } from './record.ts';

const stored =
  (field: string): FieldSource =>
  ({ element }) =>
    storedOf(element, field);
const shown =
  (field: string): FieldSource =>
  ({ element }) =>
    shownOf(element, field);
const named =
  (field: string): FieldSource =>
  ({ element }) =>
    nameOf(element, field);

function tagsOf({ element }: Reading): string[] {
  return ['category', 'subcategory', 'assignment_group'].flatMap((field) => {
    const name = nameOf(element, field);
    return name === undefined ? [] : [`${field}:${name}`];
  });
}

/** Whatever a Business Rule, Flow or scripted REST message sends of a task record: flat texts, or the table API's objects. */
export const source = {
  id: 'servicenow',
  title: 'ServiceNow',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'api_key',
    also: ['basic', 'bearer', 'hmac', 'query_token', 'none'],
    apiKey: { header: 'x-api-key' },
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => recordsOf(root).some(isRecord) || (Array.isArray(root) && root.length === 0),
  split: (root) => recordsOf(root),
  recognisesElement: isRecord,
  ignore: [],
  fields: {
    title: [shown('short_description'), stored('number')],
    description: [shown('description'), shown('close_notes')],
    // A bare sys_id comes last: it tells services apart, but nobody can read it.
    services: [named('cmdb_ci'), named('business_service'), stored('cmdb_ci'), stored('business_service')],
    tags: [tagsOf],
    source: [named('source'), named('opened_by')],
    url: [({ element, root }) => pageOf(element, root)],
    dedupKey: [stored('sys_id'), stored('number')],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: {
    from: [stored('sys_updated_on'), stored('opened_at'), stored('sys_created_on')],
    whenResolved: [stored('resolved_at'), stored('closed_at'), stored('sys_updated_on')],
    // Without the time of the change only the time of opening is known, and by that a reopened record would look older than its closing.
    orders: ({ element }: Reading) => storedOf(element, 'sys_updated_on') !== undefined,
  },
  status: { from: [({ element }) => stateOf(element)], map: stateWords, absent: 'triggered' },
  severity: { from: [({ element }) => priorityOf(element)] },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
