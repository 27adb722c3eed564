import type { Descriptions } from '../describe.ts';
import { answer } from './answers.ts';

export const templates: Descriptions = {
  'GET /api/v1/templates': {
    tag: 'Subscriptions',
    summary: 'Request formats of vendors that a subscription can take',
    description:
      'With their parameters, the events that they can say, and the requests that the catalogue’s examples make.',
    answers: { 200: answer('TemplatePage', 'Every template.') },
  },
  'GET /api/v1/templates/{name}': {
    tag: 'Subscriptions',
    summary: 'One template',
    path: { name: 'slack' },
    answers: { 200: answer('Template', 'The template.') },
  },
};
