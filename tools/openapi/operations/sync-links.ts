import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const link = { tag: 'Sync', path: { id: ids.syncLink } } as const;

export const syncLinks: Descriptions = {
  'GET /api/v1/sync-links': {
    tag: 'Sync',
    summary: 'List links with Jira and ServiceNow',
    query: { limit: 20 },
    answers: { 200: answer('SyncLinkPage', 'Links of the workspace, credentials masked.') },
  },
  'POST /api/v1/sync-links': {
    tag: 'Sync',
    summary: 'Link Jira or ServiceNow',
    description:
      'Incidents that open from now on get an issue or record there. What is left out of the maps is that of the vendor’s default workflow or incident table. Ask `check` whether it can work.',
    bodies: {
      jira: {
        summary: 'A project of Jira Cloud',
        value: {
          name: 'Operations tickets',
          system: 'jira',
          base_url: 'https://shop.atlassian.example.com',
          auth: { method: 'token', username: 'tocsin@shop.example.com', secret: 'the-api-token-of-that-account' },
          project: 'OPS',
          issue_type: 'Task',
        },
      },
      servicenow: {
        summary: 'The incident table of ServiceNow',
        value: {
          name: 'ServiceNow incidents',
          system: 'servicenow',
          base_url: 'https://shop.service-now.example.com',
          auth: { method: 'basic', username: 'tocsin.integration', secret: 'the-password-of-that-user' },
          status_map: { with: { resolved: { close_code: 'Solution provided', close_notes: 'Resolved in Tocsin.' } } },
          create_fields: { category: 'software' },
        },
      },
    },
    headers: { 'idempotency-key': { description: 'A repeat with the same key answers with what the first one made.' } },
    problems: ['conflict', 'url-not-allowed'],
    answers: { 201: answer('SyncLink', 'Made.', MADE) },
  },
  'GET /api/v1/sync-links/{id}': {
    ...link,
    summary: 'Read a link',
    answers: { 200: answer('SyncLink', 'The link, its credential masked.', ETAG) },
  },
  'PATCH /api/v1/sync-links/{id}': {
    ...link,
    summary: 'Change a link',
    description: 'Another `base_url` or `token_url` needs the credential again: a stored one is not sent elsewhere.',
    bodies: { pause: { summary: 'Stop telling and reading', value: { active: false } } },
    problems: ['conflict', 'url-not-allowed'],
    answers: { 200: answer('SyncLink', 'As it is now.', ETAG) },
  },
  'POST /api/v1/sync-links/{id}/check': {
    ...link,
    summary: 'Test reach, rights and maps',
    description: 'Reads only: nothing is written there.',
    answers: { 200: answer('SyncLinkCheck', 'Each thing that was looked at, and what is wrong with it.') },
  },
  'GET /api/v1/sync-links/{id}/entries': {
    ...link,
    summary: 'Incidents of a link with their issues or records',
    query: { limit: 20 },
    answers: { 200: answer('SyncLinkEntryPage', 'The newest first, and whether the system answers.') },
  },
  'DELETE /api/v1/sync-links/{id}': {
    ...link,
    summary: 'Remove a link',
    description: 'Issues and records there stay as they are.',
    answers: { 204: nothing('Gone.') },
  },
};
