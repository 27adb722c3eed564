import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import type { FieldSource, SourceConnector } from '../kit/source-connector.ts';
import { documentText } from './document-text.ts';
import {
  affectedServices,
  eventOf,
  fieldOf,
  isIssueEvent,
  isNote,
  issueOf,
  pageOf,
  priorityNames,
  stateOf,
  statusNames,
} from './issue.ts';

const field =
  (...keys: string[]): FieldSource =>
  ({ element }) =>
    fieldOf(element, ...keys);
const ofIssue =
  (key: string): FieldSource =>
  ({ element }) =>
    valueAt(issueOf(element), key);

/** Webhooks of Jira Cloud, Server and Data Center, and an automation's "issue data" (the issue without an event around it). */
export const source = {
  id: 'jira',
  title: 'Jira',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'hmac',
    also: ['bearer', 'api_key', 'basic', 'query_token', 'none'],
    signatureHeaders: ['x-hub-signature-256', 'x-hub-signature'],
  },
  deliveryIdHeaders: ['x-atlassian-webhook-identifier'],
  retries: { on429: true },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    Array.isArray(root) || eventOf(root) !== '' || isObject(fieldOf(root)) || isObject(valueAt(root, 'issue')),
  split: (root): readonly unknown[] => (Array.isArray(root) ? root : [root]),
  recognisesElement: (element) =>
    !isIssueEvent(element) || isObject(fieldOf(element)) || textOf(valueAt(issueOf(element), 'key')) !== undefined,
  ignore: [
    { when: ({ element }) => isNote(element), reason: 'note' },
    { when: ({ element }) => !isIssueEvent(element), reason: 'unsupported-event' },
  ],
  fields: {
    title: [field('summary'), ofIssue('key')],
    description: [({ element }) => documentText(fieldOf(element, 'description'))],
    // Components divide a project for planning; its key is what other sources can share. They stay in the fields.
    services: [({ element }) => affectedServices(element), field('project', 'key'), field('components')],
    tags: [field('labels')],
    source: [field('reporter', 'displayName'), field('creator', 'displayName')],
    url: [({ element }) => pageOf(element)],
    dedupKey: [ofIssue('key'), ofIssue('id')],
    firingKey: [],
    incidentType: [field('issuetype', 'name')],
  },
  occurredAt: {
    from: ['$.timestamp', field('updated'), field('created')],
    whenResolved: ['$.timestamp', field('resolutiondate'), field('updated')],
    // By the time of its creation a reopened issue would look older than its closing.
    orders: ({ element }) => !!(valueAt(element, 'timestamp') ?? fieldOf(element, 'updated')),
  },
  status: { from: [({ element }) => stateOf(element)], map: statusNames, absent: 'triggered' },
  severity: { from: [field('priority')], map: priorityNames },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
