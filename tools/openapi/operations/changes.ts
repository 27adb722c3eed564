import type { Descriptions } from '../describe.ts';
import { answer } from './answers.ts';

export const changes: Descriptions = {
  'GET /api/v1/changes': {
    tag: 'Changes',
    summary: 'List changes, newest first',
    query: { service: 'checkout', limit: 20 },
    answers: { 200: answer('ChangePage', 'Changes of the workspace.') },
  },
  'POST /api/v1/changes': {
    tag: 'Changes',
    summary: 'Record a deployment, build or configuration change',
    description: 'An investigation of an incident looks for changes of its services shortly before it began.',
    headers: {
      'idempotency-key': {
        description: 'A repeat with the same key answers with what the first made.',
        example: 'deploy-4711',
      },
    },
    bodies: {
      deployment: {
        summary: 'A deployment that went through',
        value: {
          kind: 'deployment',
          service: 'checkout',
          version: '2026.11.3',
          environment: 'production',
          status: 'succeeded',
          title: 'Checkout 2026.11.3',
          url: 'https://ci.example/checkout/4711',
          actor: 'release-bot',
          started: '2026-11-21T10:00:00Z',
          finished: '2026-11-21T10:04:30Z',
        },
      },
    },
    answers: { 201: answer('Change', 'Recorded, or recorded before under this key.') },
  },
};
