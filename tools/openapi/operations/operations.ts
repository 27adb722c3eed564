import type { Descriptions } from '../describe.ts';
import { ids } from '../example-ids.ts';
import { answer, nothing } from './answers.ts';

const open = { security: [{}] } as const;

export const operations: Descriptions = {
  'GET /api/v1/dead-letters': {
    tag: 'Operations',
    summary: 'Records that could not be processed',
    query: { status: 'open', limit: 20 },
    answers: { 200: answer('DeadLetterPage', 'Newest first, without their bytes.') },
  },
  'GET /api/v1/dead-letters/{id}': {
    tag: 'Operations',
    summary: 'Read a dead letter with its bytes',
    path: { id: ids.deadLetter },
    answers: { 200: answer('DeadLetterRecord', 'The letter, its headers and its bytes.') },
  },
  'POST /api/v1/dead-letters/redrive': {
    tag: 'Operations',
    summary: 'Put dead letters back where they were read',
    description: 'By ids, or the oldest open ones that fit a filter. Each goes back once: repeats do nothing twice.',
    bodies: {
      one: { summary: 'One letter', value: { ids: [ids.deadLetter] } },
      filter: { summary: 'What one service could not read', value: { service: 'normalizer', limit: 100 } },
    },
    answers: { 200: answer('Redriven', 'What became of each.') },
  },
  'GET /api/v1/ledger': {
    tag: 'Operations',
    summary: 'Whether everything that was accepted has an outcome',
    description: 'Per webhook and minute, newest first; without a range the last hour.',
    query: { limit: 60 },
    answers: { 200: answer('Ledger', 'accepted = the sum of all outcomes + in_flight; rejected beside it.') },
  },
  'GET /health/live': {
    tag: 'Operations',
    summary: 'Whether the process is alive',
    ...open,
    never: ['unavailable'],
    answers: { 200: answer('Live', 'It is.') },
  },
  'GET /health/ready': {
    tag: 'Operations',
    summary: 'Whether the process can do its work now',
    description:
      'An outage of Kafka or PostgreSQL makes a process not ready, never not alive: a restart would not bring them back.',
    ...open,
    never: ['unavailable'],
    answers: { 200: answer('Ready', 'Every check passed.'), 503: answer('Ready', 'Some did not; they say which.') },
  },
  'GET /sink': {
    tag: 'Demo',
    summary: 'What the built-in receiver got',
    ...open,
    never: ['unavailable'],
    answers: { 200: answer('Sunk', 'Newest first, with whether the signatures hold.') },
  },
  'POST /sink': {
    tag: 'Demo',
    summary: 'The receiver of the demo subscription',
    ...open,
    never: ['unavailable'],
    rawBody: { types: { 'application/json': {} }, required: false },
    bodies: { event: { summary: 'Anything', value: { type: 'incident.created', data: { id: 'inc_example' } } } },
    answers: { 204: nothing('Kept for `GET /sink`.') },
  },
};
