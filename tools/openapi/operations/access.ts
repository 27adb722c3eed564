import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, MADE, nothing } from './answers.ts';

const key = { path: { id: ids.apiKey } };
const workspace = { path: { id: ids.workspace } };

export const access: Descriptions = {
  'GET /api/v1/workspaces': {
    tag: 'Access',
    summary: 'List workspaces',
    description: 'A key sees its own workspace only.',
    query: { limit: 20 },
    answers: { 200: answer('WorkspacePage', 'The workspace of the key.') },
  },
  'POST /api/v1/workspaces': {
    tag: 'Access',
    summary: 'Make a workspace',
    description:
      'Answers with its first API key: keys are bound to their workspace, so the one of the caller cannot reach it.',
    bodies: {
      team: { summary: 'A team of its own', value: { name: 'Payments', slug: 'payments' } },
      busy: {
        summary: 'For sources that send a lot',
        value: { name: 'Edge', slug: 'edge', settings: { profile: 'high-volume' } },
      },
    },
    problems: ['conflict'],
    answers: { 201: answer('NewWorkspace', 'Made; the key is shown this once.', MADE) },
  },
  'GET /api/v1/workspaces/{id}': {
    tag: 'Access',
    summary: 'Read a workspace',
    ...workspace,
    answers: { 200: answer('Workspace', 'The workspace.', ETAG) },
  },
  'PATCH /api/v1/workspaces/{id}': {
    tag: 'Access',
    summary: 'Change a workspace',
    ...workspace,
    bodies: {
      name: { summary: 'Another name', value: { name: 'Payments and billing' } },
      rate: {
        summary: 'Another rate for new webhooks',
        value: { settings: { default_rate_limit_per_hour: 1_000 } },
      },
    },
    problems: ['conflict'],
    answers: { 200: answer('Workspace', 'As it is now.', ETAG) },
  },
  'GET /api/v1/api-keys': {
    tag: 'Access',
    summary: 'List API keys',
    query: { limit: 20 },
    answers: { 200: answer('ApiKeyPage', 'Keys of the workspace, without their secret parts.') },
  },
  'POST /api/v1/api-keys': {
    tag: 'Access',
    summary: 'Make an API key',
    bodies: {
      reader: { summary: 'For a dashboard', value: { name: 'Dashboard', scopes: ['read'] } },
      temporary: {
        summary: 'For a week',
        value: { name: 'Migration', scopes: ['read', 'respond'], expires_at: '2099-01-07T00:00:00Z' },
      },
    },
    problems: ['conflict'],
    answers: { 201: answer('NewApiKey', 'Made; the key is shown this once.', MADE) },
  },
  'GET /api/v1/api-keys/{id}': {
    tag: 'Access',
    summary: 'Read an API key',
    ...key,
    answers: { 200: answer('ApiKey', 'The key, without its secret part.', ETAG) },
  },
  'PATCH /api/v1/api-keys/{id}': {
    tag: 'Access',
    summary: 'Change name or scopes of an API key',
    ...key,
    bodies: { scopes: { summary: 'May also command', value: { scopes: ['read', 'respond'] } } },
    problems: ['conflict'],
    answers: { 200: answer('ApiKey', 'As it is now.', ETAG) },
  },
  'DELETE /api/v1/api-keys/{id}': {
    tag: 'Access',
    summary: 'Revoke an API key',
    description: 'The last key with scope `admin` stays: otherwise nobody could make another one.',
    ...key,
    problems: ['conflict'],
    answers: { 204: nothing('It is refused from now on.') },
  },
};
