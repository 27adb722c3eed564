import type { Descriptions } from '../describe.ts';

const open = { security: [{}], never: ['unavailable'] } as const;

export const documentation: Descriptions = {
  'GET /api/openapi.json': {
    tag: 'Documentation',
    summary: 'This document',
    ...open,
    answers: { 200: { description: 'OpenAPI 3.1.', schema: { type: 'object', required: ['openapi', 'paths'] } } },
  },
  'GET /api/docs': {
    tag: 'Documentation',
    summary: 'This document as a page',
    description: 'One page without scripts and without anything from elsewhere.',
    ...open,
    answers: { 200: { description: 'HTML.', schema: { type: 'string' }, type: 'text/html' } },
  },
};
