import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, ETAG, nothing } from './answers.ts';

const service = { tag: 'Topology', path: { id: ids.service } } as const;

export const topology: Descriptions = {
  'GET /api/v1/topology': {
    tag: 'Topology',
    summary: 'Read services and dependencies',
    answers: { 200: answer('Topology', 'All of it.', ETAG) },
  },
  'PUT /api/v1/topology': {
    tag: 'Topology',
    summary: 'Declare services and dependencies',
    description:
      'Replaces dependencies, owners and tags. Services that alerts have named stay; any other that is not named goes. ' +
      'Cycles are allowed. At most 2,000 declared services and 10,000 dependencies.',
    bodies: {
      shop: {
        summary: 'A shop and what it needs',
        value: {
          nodes: [{ name: 'shop-front', owner: 'web team', tags: ['tier:1'] }],
          edges: [
            { from: 'shop-front', to: 'ledger' },
            { from: 'ledger', to: 'ledger-db' },
          ],
        },
      },
    },
    answers: { 200: answer('Topology', 'As it is now.', ETAG) },
  },
  'PATCH /api/v1/topology': {
    tag: 'Topology',
    summary: 'Add and remove services and dependencies',
    bodies: {
      part: {
        summary: 'One dependency more, one fewer',
        value: {
          edges: [{ from: 'mailer', to: 'ledger' }],
          remove_edges: [{ from: 'shop-front', to: 'search' }],
        },
      },
    },
    answers: { 200: answer('Topology', 'As it is now.', ETAG) },
  },
  'GET /api/v1/services': {
    tag: 'Topology',
    summary: 'List services',
    description: 'Those that alerts have named, and those that were declared.',
    query: { text: 'ledger', limit: 20 },
    answers: { 200: answer('ServicePage', 'In the order in which they became known.') },
  },
  'GET /api/v1/services/{id}': {
    ...service,
    summary: 'Read a service',
    answers: { 200: answer('Service', 'The service with its dependencies.') },
  },
  'PATCH /api/v1/services/{id}': {
    ...service,
    summary: 'Say who owns a service',
    bodies: { owned: { summary: 'Owner and tags', value: { owner: 'payments team', tags: ['tier:1'] } } },
    answers: { 200: answer('Service', 'As it is now.') },
  },
  'DELETE /api/v1/services/{id}': {
    ...service,
    summary: 'Remove a service and its dependencies',
    description: 'Should an alert name it again, it is there again.',
    answers: { 204: nothing('Gone.') },
  },
};
