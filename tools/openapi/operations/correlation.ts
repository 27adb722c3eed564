import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG } from './answers.ts';

const ofWebhook = { tag: 'Webhooks', path: { id: ids.webhook } } as const;
const ofWorkspace = { tag: 'Access', path: { id: ids.workspace } } as const;

const rules = {
  strategy: 'first',
  min_match_weight: 0.5,
  rules: [
    {
      name: 'Same host',
      priority: 0,
      weight: 0.8,
      conditions: { field: 'custom_fields.host', operator: 'equals', value: { incident: 'custom_fields.host' } },
    },
  ],
};
const bare = { summary: 'Rules alone', value: rules };
const wrapped = {
  summary: 'With the switch of the webhook',
  value: { enable_correlation: true, correlation_rules: rules },
};

export const correlation: Descriptions = {
  'GET /api/v1/webhooks/{id}/correlation-rules': {
    ...ofWebhook,
    summary: 'Read the correlation rules of a webhook',
    answers: { 200: answer('WebhookCorrelationRules', 'The rules with their defaults.', ETAG) },
  },
  'PUT /api/v1/webhooks/{id}/correlation-rules': {
    ...ofWebhook,
    summary: 'Replace the correlation rules of a webhook',
    description: 'The document is replaced as a whole; null ends the rules. What may not be meant is a warning.',
    bodies: { bare, wrapped },
    answers: { 200: answer('WebhookCorrelationRules', 'As they are now.', ETAG) },
  },
  'POST /api/v1/webhooks/{id}/correlation-rules/test': {
    ...ofWebhook,
    summary: 'Try correlation rules on what came in lately',
    description:
      'Reads the kept payloads of the workspace again, with the rules as they are and with those of the body, and says which incidents would be joined, split or others, and which rule decides. Nothing is written.',
    query: { hours: 48 },
    bodies: { bare, wrapped },
    answers: { 200: answer('CorrelationRuleTest', 'What would be different.') },
  },
  'GET /api/v1/workspaces/{id}/correlation-rules': {
    ...ofWorkspace,
    summary: 'Read the correlation rules for all webhooks',
    answers: { 200: answer('WorkspaceCorrelationRules', 'The rules with their defaults.', ETAG) },
  },
  'PUT /api/v1/workspaces/{id}/correlation-rules': {
    ...ofWorkspace,
    summary: 'Replace the correlation rules for all webhooks',
    description: 'They are asked behind those of each webhook.',
    bodies: { bare },
    answers: { 200: answer('WorkspaceCorrelationRules', 'As they are now.', ETAG) },
  },
};
